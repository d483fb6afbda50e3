"""A server on which all is well, and changes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mstdn.certificates.facts import Certificate, CertificateFiles
from mstdn.docker.facts import Containers
from mstdn.layout import MASTODON_SERVICES, PROXY_SERVICES
from mstdn.status.complaint import Seen, Wanted
from mstdn.status.facts import FileSystem, Machine, Parts, Queue, Unit
from mstdn.status.limits import DAY, GIB
from mstdn.status.rules import complaints
from mstdn.versions import MASTODON
from tests.harness import container_line, read

NOW = 1_800_000_000
IMAGE = f"ghcr.io/mastodon/mastodon:{MASTODON}"
NAME = "social.example.org"
WANTED = Wanted(
    release=MASTODON,
    services={"mstdn": MASTODON_SERVICES, "proxy": PROXY_SERVICES},
    web_image=IMAGE,
    names=(NAME,),
    root="/srv/mastodon",
    proxy="/srv/proxy",
    suite="0.2.0",
    postgres="postgres:17-bookworm",
)
CERTIFICATE = Certificate("ab", begin=NOW - 30 * DAY, end=NOW + 60 * DAY, names=(NAME,))
MACHINE = Machine(
    now=NOW,
    suite="0.2.0",
    disks=(FileSystem("/", 40 * GIB, 20 * GIB, 10),),
    memory=2 * GIB,
    available=GIB,
    swap=2 * GIB,
    free=2 * GIB,
    units=(
        Unit("mstdn-backup.timer", "loaded", "active", "success", "Thu 2027-01-15 03:31:00 UTC"),
        Unit("mstdn-backup.service", "loaded", "inactive", "success"),
        Unit("mstdn-drill@.service", "", "", ""),
    ),
    noted={
        "backup": {"time": str(NOW - 3600), "snapshot": "1a2b3c4d5e"},
        "backup-result": {"time": str(NOW - 3600), "result": "ok", "why": ""},
        "drill-result": {"time": str(NOW - 3 * DAY), "result": "ok", "why": "all counts agree"},
    },
)
PARTS = Parts(
    database=61 * 1024 * 1024,
    connections=14,
    most_connections=100,
    queues=(Queue("default", 3, NOW - 2), Queue("push", 0)),
    retries=5,
    dead=1,
    processes=1,
    writes=("ok", "ok"),
)


def containers(**changes: Any) -> Seen:
    """A server where all is well, but for containers: other values of docker/containers by service, None for none."""
    lines = ""
    for project, services in WANTED.services.items():
        for service in services:
            change = changes.get(f"{project}_{service}".replace("-", "_"), {})
            reference = {"reference": IMAGE} if service == "web" else {}
            if change is not None:
                lines += container_line(f"{project}/{service}", **reference | change)
    return Seen(
        machine=MACHINE,
        installed={"MASTODON_VERSION": MASTODON, "LOCAL_DOMAIN": NAME},
        containers=read(Containers, lines),
        certificates=CertificateFiles(installed={NAME: CERTIFICATE}),
        parts=PARTS,
    )


WELL = containers()


def machine(**changes: Any) -> Seen:
    return replace(WELL, machine=replace(MACHINE, **changes))


def parts(**changes: Any) -> Seen:
    return replace(WELL, parts=replace(PARTS, **changes))


def installed(**changes: str) -> Seen:
    return replace(WELL, installed={**WELL.installed, **changes})


def noted(file: str, **values: str) -> Seen:
    return machine(noted={**MACHINE.noted, file: values})


def is_told_once(seen: Seen, level: str, about: str, words: str, remedy: str) -> None:
    """One complaint has these words and this remedy; what is wrong comes first."""
    found = complaints(seen, WANTED)
    named = [each for each in found if each.about == about and words in each.text]
    assert len(named) == 1, found
    assert named[0].level == level
    assert remedy in named[0].remedy and named[0].remedy
    # What is wrong comes first, and nothing else is said but what follows from it.
    assert [each.level for each in found] == sorted((each.level for each in found), key="error warning".index)
    assert len(found) <= 2, found
