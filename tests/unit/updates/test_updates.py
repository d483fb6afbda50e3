"""The system keeps itself up to date, beside whatever somebody has configured already."""

from __future__ import annotations

from pathlib import Path

import pytest

from mstdn.files.tree import ConfigFile
from mstdn.updates.facts import Updates, UpdateState
from mstdn.updates.operations import system_updates
from mstdn.updates.rules import FILE, docker_has_no_fixed_version, findings, wanted_text
from tests.harness import Command, answer_of, commands_of, settings_with, stand_in

OURS = ConfigFile(FILE, wanted_text(docker=False))
WRITTEN = f"state 81a4 0:0 {FILE}\nsum {OURS.sha256}  {FILE}\n"
WRITE = Command("files/put", ("file", "0:0", "0644", FILE), OURS.text)
INSTALLED = "installed\nperiodic 1\n"


def commands(*, updates: str = "", files: str = "", **settings: bool) -> list[Command]:
    return commands_of(
        system_updates, {"updates/state": updates, "files/state": files}, settings=settings_with(**settings)
    )


def test_a_bare_server_gets_the_package_and_the_suites_file() -> None:
    assert commands() == [Command("apt/install", ("unattended-upgrades",)), WRITE]


def test_what_is_as_it_should_be_is_left_alone() -> None:
    assert commands(updates=INSTALLED, files=WRITTEN) == []


def test_a_server_that_has_it_is_joined() -> None:
    assert commands(updates=INSTALLED) == [WRITE]


def test_whoever_has_turned_it_off_is_not_fought() -> None:
    assert commands(updates="installed\nperiodic 0\n") == []
    # Also after the suite had turned it on: a file that is read later says so.
    assert commands(updates="installed\nperiodic 0\n", files=WRITTEN) == [Command("", ("rm", "-rf", "--", FILE))]
    (finding,) = findings(Updates(installed=True, periodic="0"), enabled=True)
    assert finding.level == "warning" and "updates_enabled = False" in finding.text


def test_without_the_setting_only_what_is_the_suites_goes() -> None:
    assert commands(updates=INSTALLED, files=WRITTEN, updates_enabled=False) == [Command("", ("rm", "-rf", "--", FILE))]
    assert commands(updates_enabled=False) == []
    assert list(findings(Updates(masked=("apt-daily.timer",)), enabled=False)) == []


def test_docker_comes_along_only_if_asked() -> None:
    assert "Docker" not in wanted_text(docker=False)
    (command,) = commands(updates=INSTALLED, files=WRITTEN, updates_docker=True)
    assert '"origin=Docker,label=Docker CE"' in (command.stdin or "")


@pytest.mark.parametrize(
    ("docker", "version", "problems"), [(True, "5:29.1.2-1", 1), (True, "", 0), (False, "5:29", 0)]
)
def test_a_version_that_is_set_and_one_that_moves_exclude_each_other(docker: bool, version: str, problems: int) -> None:
    assert len(list(docker_has_no_fixed_version(docker, version))) == problems


def test_timers_of_apt_that_are_off_are_named_with_the_remedy() -> None:
    (finding,) = findings(Updates(masked=("apt-daily.timer",)), enabled=True)
    assert "systemctl unmask apt-daily.timer" in finding.text


def test_the_server_tells_by_whose_will_it_is_so(tmp_path: Path) -> None:
    stand_in(tmp_path, "dpkg-query", "printf 'ii '")
    stand_in(tmp_path, "apt-config", """echo 'APT::Periodic::Unattended-Upgrade "1";'""")
    shown = "printf '%s\\n' Id=apt-daily.timer UnitFileState=masked '' Id=apt-daily-upgrade.timer UnitFileState=enabled"
    path = stand_in(tmp_path, "systemctl", shown)
    assert answer_of(UpdateState.of_the_server(), path=path) == Updates(True, "1", ("apt-daily.timer",))
    stand_in(tmp_path, "dpkg-query", "exit 1")
    stand_in(tmp_path, "apt-config")
    stand_in(tmp_path, "systemctl")
    assert answer_of(UpdateState.of_the_server(), path=path) == Updates()
