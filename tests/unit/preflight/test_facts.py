"""The report of a server, as captured from real ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyinfra.api.exceptions import FactProcessError

from mstdn.preflight.facts import Listener, Server, ServerReport
from mstdn.storage.disks import Disk
from tests.harness import read

REPORTS = Path(__file__).with_name("server_reports")


def captured(name: str) -> ServerReport:
    return read(Server, (REPORTS / f"{name}.txt").read_text())


def test_the_report_of_a_bare_server_is_read() -> None:
    assert captured("bare") == ServerReport(
        system=("debian", "13"),
        architecture="amd64",
        init="systemd",
        memory_mib=24105,
        swaps={"/swap.d/swap": 256, "/swap.d/server": 256},
        disks=(
            Disk("/srv/mastodon", 72167, "/"),
            Disk("/var/lib/docker", 72167, "/var/lib/docker"),
            Disk("/swap", 72167, "/"),
        ),
        directories=("/srv/mastodon", "/srv/proxy"),
        addresses=frozenset({"172.30.4.4"}),
        answers={
            "social.example.org": frozenset({"172.30.4.3"}),
            "elsewhere.example.org": frozenset({"198.51.100.7", "2001:db8::7"}),
        },
        clock=1795424649,
    )


def test_the_report_of_a_server_with_other_tenants_is_read() -> None:
    report = captured("crowded")
    assert set(report.listeners) == {Listener(80, 1994, "nginx"), Listener(443, 2051, "docker-proxy")}
    assert report.packages == {"containerd", "docker-cli", "docker-compose", "docker.io", "runc", "snap:docker"}


def test_the_report_of_a_converged_server_is_read() -> None:
    report = captured("converged")
    assert "docker-ce" in report.packages
    assert report.installed == {
        "LOCAL_DOMAIN": "social.example.org",
        "MASTODON_VERSION": "v4.7.0",
        "MIGRATIONS": "done",
    }


def test_the_fact_contains_what_it_cannot_read() -> None:
    whole = (REPORTS / "bare.txt").read_text()
    assert read(Server, whole) == captured("bare")
    for output in ("", "Segmentation fault\n", "system debian\n", whole.removesuffix("clock 1795424649\n")):
        with pytest.raises(FactProcessError, match="preflight/report answered something unexpected"):
            read(Server, output)


def test_the_fact_is_one_command_with_every_argument_quoted() -> None:
    question = Server.of("/srv/a b", "/srv/proxy", "/swap", "ca.example.org", ("a.example.org",))
    command = Server().command(*question.arguments)
    assert command.get_raw_value().endswith(
        " preflight/report '/srv/a b' /srv/proxy /swap /var/lib/mstdn/uninstalling"
        " '/etc /usr/local /var/lib /run' ca.example.org a.example.org"
    )
