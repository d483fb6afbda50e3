"""What systemd knows of units, found once for all questions that are about them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mstdn.asking import Batch
from mstdn.docker.operations import engine_question, setup_question
from mstdn.firewall.facts import FirewallSetup, PacketFilter
from mstdn.shell import SCRIPTS
from mstdn.updates.facts import UpdateState
from tests.harness import calls_in, stand_in

# As systemd prints them: what only services or sockets have stands before the name.
SHOWN = """\
MainPID=4711
Id=docker.service
ActiveState=active
UnitFileState=enabled

Listen=/run/docker.sock (Stream)
Id=docker.socket
ActiveState=activating
UnitFileState=disabled

UnitFileState=static
ActiveState=reloading
Id=firewalld.service

Id=sshd.socket
ActiveState=inactive
UnitFileState=
"""


def asked(directory: Path, text: str, shown: str = SHOWN) -> str:
    """What this script prints after units.sh where systemd says so."""
    path = stand_in(directory, "systemctl", f"cat <<'END'\n{shown}END")
    return subprocess.run(
        ["sh", "-c", (SCRIPTS / "units.sh").read_text() + text],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={"PATH": f"{path}:{os.environ['PATH']}"},
    ).stdout


@pytest.mark.parametrize(
    ("unit", "first", "enabled", "active"),
    [
        ("docker.service", "MainPID=4711", True, True),
        ("docker.socket", "Listen=/run/docker.sock (Stream)", False, False),
        ("firewalld.service", "UnitFileState=static", True, True),
        ("sshd.socket", "Id=sshd.socket", False, False),
        # Neither a part of a name nor another property that ends so.
        ("docker", "", False, False),
        ("service", "", False, False),
        (".socket", "", False, False),
    ],
)
def test_each_unit_has_its_own_properties(tmp_path: Path, unit: str, first: str, enabled: bool, active: bool) -> None:
    told = asked(
        tmp_path,
        f'find_unit {unit} && echo found || echo none\nprintf "%s\\n" "$unit" | head -n 1\n'
        f"is_enabled {unit} && echo enabled\nis_active {unit} && echo active\nexit 0",
    ).splitlines()
    states = [word for word, is_so in (("enabled", enabled), ("active", active)) if is_so]
    assert told == ["found" if first else "none", first, *states]


def test_where_there_is_no_systemd_there_are_no_units(tmp_path: Path) -> None:
    assert asked(tmp_path, "find_unit docker.service || echo none", shown="") == "none\n"


def test_all_questions_of_a_batch_that_are_about_units_ask_systemd_once(tmp_path: Path) -> None:
    path = stand_in(tmp_path, "systemctl", f"cat <<'END'\n{SHOWN}END")
    for program in ("docker", "nft", "ss", "iptables-nft-save", "ip6tables-nft-save", "dpkg-query", "apt-config"):
        stand_in(tmp_path, program)
    facts = (
        engine_question(),
        setup_question(()),
        FirewallSetup.of_the_server(),
        PacketFilter.of_the_server(),
        UpdateState.of_the_server(),
    )
    batch = Batch().command(Batch.of(facts)).get_raw_value()
    environment = {"PATH": f"{path}:{os.environ['PATH']}"}
    answer = subprocess.run(
        ["sh", "-c", batch], capture_output=True, text=True, check=True, timeout=30, env=environment
    ).stdout.splitlines()
    assert [call for call in calls_in(tmp_path) if call.startswith("systemctl")] == calls_in(tmp_path)[:1]
    assert "mstdn 0 active active" in answer and "mstdn 0 enabled enabled" in answer
    assert sum(line.split()[2] == "end" for line in answer) == len(facts)
