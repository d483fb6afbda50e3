"""The tests of the lab on several servers at once: none is forgotten, outputs do not mix, and no failure is lost."""

from __future__ import annotations

import importlib
import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api.exceptions import PyinfraError

from tests.e2e import __main__ as e2e
from tests.e2e.lives import LIVES
from tests.harness import ROOT
from tests.lab import addresses, engine, inhabitants, lab
from tests.lab.addresses import SERVERS
from tests.lab.commands import LabError


def test_every_file_is_run_on_exactly_one_server() -> None:
    assigned = [file for files in LIVES.values() for file in files]
    assert sorted(assigned) == sorted(path.name for path in (ROOT / "tests" / "e2e").glob("test_*.py"))
    assert set(LIVES) <= set(SERVERS)


SAY_IN_TURN = "import sys, time\nfor line in range(5): print('{0}', line, flush=True); time.sleep(0.05)\n"


@pytest.mark.parametrize(("codes", "expected"), [((0, 0, 0), 0), ((1, 0, 0), 1), ((0, 2, 0), 2), ((0, 0, 3), 3)])
def test_a_failure_on_any_server_is_told_and_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], codes: tuple[int, ...], expected: int
) -> None:
    end = dict(zip(LIVES, codes, strict=True))

    def command(server: str, words: Sequence[str], options: Sequence[str]) -> list[str]:
        last = f"print('\\x1b[31mFAILED\\x1b[0m one on {server}'); sys.exit({end[server]})" if end[server] else ""
        return [sys.executable, "-c", SAY_IN_TURN.format(server) + last]

    monkeypatch.setattr(e2e, "command", command)
    monkeypatch.setattr(lab, "up", lambda *servers: None)
    assert e2e.main([]) == expected
    lines = capfd.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("server")] == [
        f"{server} {line}" for server in LIVES for line in range(5)
    ]
    assert [line for line in lines if line.startswith("FAILED")] == [
        f"FAILED one on {server}" for server in LIVES if end[server]
    ]


@pytest.mark.parametrize(("answering", "known"), [(SERVERS, True), (["server2"], True), ([], False)])
def test_a_server_that_reboots_is_no_reason_to_stop_the_tests_on_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answering: Sequence[str], known: bool
) -> None:
    (tmp_path / "world.json").write_text(json.dumps({"servers": ["server", "server2"], "docker_key_fingerprint": "A"}))
    monkeypatch.setattr(addresses, "STATE", tmp_path)
    up = {SERVERS[name].ipv4 for name in answering}

    def connect(address: tuple[str, int], timeout: float) -> Any:
        if address[0] not in up:
            raise TimeoutError
        return socket.socket()

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.delitem(sys.modules, "tests.lab.inventory", raising=False)
    if known:
        assert [name for name, _ in importlib.import_module("tests.lab.inventory").lab] == ["server", "server2"]
    else:
        with pytest.raises(PyinfraError, match="lab-up"):
            importlib.import_module("tests.lab.inventory")
    sys.modules.pop("tests.lab.inventory", None)


@pytest.mark.parametrize(
    ("states", "is_up"),
    [
        ({"internet": "running", "visitor": "running", "server": "exited", "server2": "running"}, True),
        ({"internet": "running", "visitor": "running", "server2": "running"}, True),
        ({"visitor": "running", "server": "running"}, False),
        ({"internet": "exited", "visitor": "running", "server": "running"}, False),
        ({}, False),
    ],
)
def test_the_lab_is_up_while_one_of_its_servers_is_away_for_a_moment(
    monkeypatch: pytest.MonkeyPatch, states: dict[str, str], is_up: bool
) -> None:
    there = object()
    monkeypatch.setattr(engine, "running", lambda: there)
    monkeypatch.setattr(inhabitants, "states", lambda _: states)
    if is_up:
        assert lab.running() is there
    else:
        with pytest.raises(LabError, match="make lab-up"):
            lab.running()
