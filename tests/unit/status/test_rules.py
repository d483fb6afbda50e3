"""What is wrong with a server, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mstdn.certificates.facts import Certificate, CertificateFiles
from mstdn.docker.facts import Containers
from mstdn.layout import MASTODON_SERVICES, PROXY_SERVICES
from mstdn.postgres.facts import Directories
from mstdn.status.facts import FileSystem, Machine, Parts, Queue, Unit
from mstdn.status.rules import DAY, GIB, Seen, Wanted, ago, complaints, gigabytes, newer_patch
from mstdn.status.screen import as_json, text
from mstdn.versions import MASTODON, NEWEST_PATCHES
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


def test_where_all_is_well_nothing_is_said() -> None:
    assert complaints(WELL, WANTED) == ()


def test_where_nobody_is_told_that_is_worth_knowing_and_an_old_failure_is_not() -> None:
    seen = noted("alerts", mail=f"{NOW - 7200} 535 5.7.8 no")
    for wanted in (replace(WANTED, told=False), replace(WANTED, alerts=False)):
        found = complaints(seen if not wanted.alerts else WELL, wanted)
        assert [(each.level, each.about) for each in found] == [("warning", "alerts")]
        assert "alerts_mail_to" in found[0].remedy


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(
            replace(WELL, directories=Directories("17", "/srv/mastodon/database", under={"phase": "stopped"})),
            "error",
            "PostgreSQL",
            "not finished (stopped)",
            "postgres_upgrade.py",
            id="half a move of the database",
        ),
        pytest.param(
            replace(WELL, directories=Directories("17", under={"phase": "stopped"}, working=True)),
            "warning",
            "PostgreSQL",
            "at this moment",
            "postgres_upgrade.py",
            id="a move of the database",
        ),
        pytest.param(
            replace(WELL, directories=Directories("16")),
            "warning",
            "PostgreSQL",
            "PostgreSQL 16 has the database, and postgres_image names 17",
            "postgres_upgrade.py",
            id="another PostgreSQL is wanted",
        ),
        pytest.param(
            replace(WELL, directories=Directories("17", "/srv/mastodon/database", before="16", before_mib=70)),
            "warning",
            "PostgreSQL",
            "/srv/mastodon/database.before (PostgreSQL 16, 70 MiB)",
            "--data postgres_old_directory=remove",
            id="the old data directory is kept",
        ),
        pytest.param(
            replace(WELL, collation=("2.36", "2.41")),
            "warning",
            "PostgreSQL",
            "version 2.36 of the C library, and its image has 2.41",
            "postgres_upgrade.py",
            id="another Debian's rules",
        ),
        pytest.param(Seen(machine=MACHINE), "error", "release", "No instance", "deploy.py", id="bare"),
        pytest.param(
            parts(updates=(("99.0.1", True), ("99.0.2", False), ("99.1.0-beta.1", True), ("4.0.0", True))),
            "error",
            "release",
            f"v99.0.1 is out and mends security; {MASTODON} is installed",
            'mastodon_version = "v99.0.1"',
            id="security release",
        ),
        pytest.param(
            replace(
                installed(MASTODON_VERSION="v98.1.0"), parts=parts(updates=(("98.2.3", True), ("98.1.7", True))).parts
            ),
            "error",
            "release",
            "v98.1.7, v98.2.3 are out and mend security",
            'mastodon_version = "v98.1.7"',
            id="security releases of two minors",
        ),
        pytest.param(
            noted("alerts", mail=f"{NOW - 7200} 535 5.7.8 no"),
            "error",
            "alerts",
            "For 2 hours alerts have not got out by mail: 535 5.7.8 no",
            "alert_test.py",
            id="alerts do not get out",
        ),
        pytest.param(
            installed(NEXT_VERSION="v9.9.9"), "error", "release", "not finished", "deploy.py", id="half an upgrade"
        ),
        pytest.param(
            installed(NEXT_VERSION="v9.9.9", WORK="activating"),
            "warning",
            "release",
            "A deployment is at work",
            "journalctl --follow --unit mstdn-deploy",
            id="an upgrade at work",
        ),
        pytest.param(
            installed(MASTODON_VERSION="v4.6.0"),
            "warning",
            "release",
            NEWEST_PATCHES[-2],
            "mastodon_version",
            id="patch",
        ),
        pytest.param(
            replace(WELL, containers=None, silent="Docker does not run"),
            "error",
            "containers",
            "Docker does not run",
            "systemctl restart docker",
            id="no engine",
        ),
        pytest.param(
            containers(mstdn_streaming=None), "error", "mstdn/streaming", "is missing", "deploy.py", id="gone"
        ),
        pytest.param(
            containers(mstdn_web={"health": "unhealthy"}),
            "error",
            "mstdn/web",
            "unhealthy",
            "logs --tail 30 web",
            id="ill",
        ),
        pytest.param(
            containers(proxy_docker_gen={"status": "exited"}),
            "error",
            "proxy/docker-gen",
            "exited",
            "cd /srv/proxy",
            id="stopped",
        ),
        pytest.param(
            containers(mstdn_db={"status": "restarting"}), "error", "mstdn/db", "restarting", "deploy.py", id="dying"
        ),
        pytest.param(
            containers(mstdn_web={"health": "starting"}),
            "warning",
            "mstdn/web",
            "starting",
            "in a minute",
            id="starting",
        ),
        pytest.param(
            containers(mstdn_web={"reference": "mastodon:other"}),
            "warning",
            "mstdn/web",
            "other",
            "deploy.py",
            id="image",
        ),
        pytest.param(
            replace(WELL, certificates=CertificateFiles(installed={NAME: replace(CERTIFICATE, end=NOW + 5 * DAY)})),
            "error",
            "certificate",
            "ends in 5 days",
            "acme-companion",
            id="old certificate",
        ),
        pytest.param(
            replace(WELL, certificates=CertificateFiles()), "error", "certificate", "gone", "deploy.py", id="none"
        ),
        pytest.param(
            replace(WELL, certificates=replace(WELL.certificates, configuration="refused")),
            "error",
            "proxy/nginx",
            "refused",
            "deploy.py",
            id="nginx",
        ),
        pytest.param(
            parts(silent=frozenset({"db"})), "error", "PostgreSQL", "not answer", "logs --tail 30 db", id="db"
        ),
        pytest.param(parts(connections=95), "warning", "PostgreSQL", "95 of 100", "web_threads", id="connections"),
        pytest.param(
            parts(pending=("1_a", "2_b", "3_c", "4_d")), "error", "migrations", "1_a, 2_b, 3_c …", "deploy", id="down"
        ),
        pytest.param(parts(writes=("ok", "err")), "error", "Redis", "cannot write", "disk", id="MISCONF"),
        pytest.param(parts(processes=0), "error", "queues", "No Sidekiq", "logs --tail 30 sidekiq", id="no sidekiq"),
        pytest.param(
            parts(queues=(Queue("ingress", 7, NOW - 600),)), "error", "queues", "for 10 minutes", "threads", id="slow"
        ),
        pytest.param(
            parts(queues=(Queue("pull", 7, NOW - 600),)), "warning", "queues", "pull", "threads", id="pull may lag"
        ),
        pytest.param(
            parts(queues=(Queue("pull", 7, NOW - 7200),)), "error", "queues", "120", "threads", id="but not so"
        ),
        pytest.param(
            machine(disks=(FileSystem("/", 40 * GIB, GIB // 2),)),
            "error",
            "disk",
            "512 MiB of",
            "docker system",
            id="full",
        ),
        pytest.param(
            machine(disks=(FileSystem("/", 40 * GIB, 5 * GIB),)), "warning", "disk", "5.0 GiB", "docker", id="filling"
        ),
        pytest.param(
            machine(disks=(FileSystem("/", 40 * GIB, 20 * GIB, 99),)), "error", "disk", "99 % of its", "", id="inodes"
        ),
        pytest.param(machine(swap=0, free=0), "error", "memory", "no swap", "deploy.py", id="no swap"),
        pytest.param(
            machine(available=50_000, free=1000), "error", "memory", "are full", "swap_size_mib", id="memory full"
        ),
        pytest.param(machine(killed=2), "warning", "memory", "ended 2 programs", "journalctl --dmesg", id="killed"),
        pytest.param(machine(reboot=True), "warning", "machine", "reboot", "quiet moment", id="reboot"),
        pytest.param(
            machine(units=(Unit("mstdn-backup.service", "loaded", "failed", "exit-code"),)),
            "error",
            "timers",
            "failed (exit-code)",
            "systemctl start mstdn-backup",
            id="a unit",
        ),
        pytest.param(
            machine(units=(Unit("mstdn-deploy.service", "loaded", "failed", "exit-code"),)),
            "error",
            "timers",
            "failed (exit-code)",
            "then: pyinfra inventory.py deploy.py",
            id="a deployment",
        ),
        pytest.param(
            machine(units=(Unit("mstdn-backup.timer", "loaded", "inactive", ""),)),
            "error",
            "timers",
            "does not wait",
            "deploy.py",
            id="a timer",
        ),
        pytest.param(machine(noted={}), "error", "backup", "No backup", "tasks/backup.py", id="no backup"),
        pytest.param(
            noted("restoring", begun="1"), "error", "restore", "not finished", "tasks/restore.py", id="restore"
        ),
        pytest.param(
            noted("backup", time=str(NOW - 3 * DAY)),
            "error",
            "backup",
            "3 days old",
            "tasks/backup.py",
            id="old backup",
        ),
        pytest.param(
            noted("backup-result", result="failed", why="the repository is locked"),
            "error",
            "backup",
            "repository is locked",
            "journalctl --unit mstdn-backup",
            id="a backup failed",
        ),
        pytest.param(
            noted("drill-result", time=str(NOW - 30 * DAY), result="ok"),
            "warning",
            "drill",
            "30 days ago",
            "tasks/drill.py",
            id="old drill",
        ),
    ],
)
def test_what_is_wrong_is_told_once_with_its_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    found = complaints(seen, WANTED)
    named = [each for each in found if each.about == about and words in each.text]
    assert len(named) == 1, found
    assert named[0].level == level
    assert remedy in named[0].remedy and named[0].remedy
    # What is wrong comes first, and nothing else is said but what follows from it.
    assert [each.level for each in found] == sorted((each.level for each in found), key="error warning".index)
    assert len(found) <= 2, found


def test_where_backups_are_off_that_is_said_and_is_not_wrong() -> None:
    off = replace(WANTED, backups=False)
    (found,) = complaints(machine(noted={}), off)
    assert (found.level, found.about) == ("warning", "backup") and "backup_repository" in found.remedy
    assert "backup       off" in text("server", NAME, machine(noted={}), off, (found,))


def test_the_screen_names_every_part_and_ends_with_the_verdict() -> None:
    screen = text("server", NAME, WELL, WANTED, complaints(WELL, WANTED))
    for words in (
        MASTODON,
        "in order: db, redis, web, streaming, sidekiq, nginx",
        f"{NAME} 60 days",
        "/ 20.0 GiB free",
        "swap 0 MiB of 2.0 GiB",
        "61 MiB, 14 of 100 connections",
        "none pending",
        "default 3 (oldest 2 s); 5 to be tried again, 1 given up",
        "1 hour ago, snapshot 1a2b3c4d",
        "ok, 3 days ago",
        "mstdn-backup Thu 2027-01-15 03:31:00 UTC",
        "All is well on the server.",
    ):
        assert words in screen, words
    assert len(screen.splitlines()) < 24
    assert max(map(len, screen.splitlines())) <= 120


@pytest.mark.parametrize("seen", [Seen(), Seen(machine=MACHINE), replace(WELL, containers=None, silent="no")])
@pytest.mark.parametrize("tell", [text, as_json])
def test_whatever_could_not_be_looked_at_the_rest_is_told(seen: Seen, tell: Callable[..., str]) -> None:
    told = tell("server", NAME, seen, WANTED, complaints(seen, WANTED))
    assert NAME in told
    if tell is text:
        assert "wrong." in told


def test_programs_get_one_line_with_all_of_it() -> None:
    seen = containers(mstdn_web={"health": "unhealthy"})
    line = as_json("server", NAME, seen, WANTED, complaints(seen, WANTED))
    assert "\n" not in line
    told = json.loads(line)
    assert told["ok"] is False and told["containers"]["mstdn/web"] == "unhealthy"
    assert [each["about"] for each in told["complaints"]] == ["mstdn/web"]
    assert told["noted"]["backup"]["snapshot"] == "1a2b3c4d5e"
    assert json.loads(as_json("server", NAME, WELL, WANTED, ()))["ok"] is True


@pytest.mark.parametrize(
    ("release", "newer"),
    [(MASTODON, ""), ("v4.5.0", "v4.5.20"), ("v4.5.99", ""), ("v3.0.0", ""), ("none", "")],
)
def test_only_a_newer_patch_of_the_same_minor_release_is_named(release: str, newer: str) -> None:
    assert newer_patch(release) == newer


def test_lengths_are_told_as_people_say_them() -> None:
    assert [ago(each) for each in (-5, 59, 61, 7200, 86400, 200_000)] == [
        "0 s",
        "59 s",
        "1 minute",
        "2 hours",
        "1 day",
        "2 days",
    ]
    assert [gigabytes(each) for each in (2048, GIB)] == ["2 MiB", "1.0 GiB"]
