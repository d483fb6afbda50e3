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
from tests.e2e.lives import APART, LIVES
from tests.harness import ROOT
from tests.lab import addresses, engine, inhabitants, lab
from tests.lab.addresses import INTERNET, SERVERS
from tests.lab.commands import LabError


def test_every_file_is_run_on_exactly_one_server() -> None:
    assigned = [file for files in (*LIVES.values(), APART) for file in files]
    assert sorted(assigned) == sorted(path.name for path in (ROOT / "tests" / "e2e").glob("test_*.py"))
    assert set(LIVES) <= set(SERVERS)


SAY_IN_TURN = "import sys, time\nfor line in range(5): print('{0}', line, flush=True); time.sleep(0.05)\n"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((0, 0, 0, 0), 0), ((1, 0, 0, 0), 1), ((0, 2, 0, 0), 2), ((0, 0, 3, 0), 3), ((0, 0, 0, 4), 4)],
)
def test_a_failure_on_any_server_is_told_and_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], codes: tuple[int, ...], expected: int
) -> None:
    parts = [*LIVES, *APART]
    end = dict.fromkeys(parts, 0) | dict(zip(parts, codes, strict=False))

    def command(server: str, words: Sequence[str], options: Sequence[str]) -> list[str]:
        part = server if words == LIVES[server] else " ".join(words)
        last = f"print('\\x1b[31mFAILED\\x1b[0m one in {part}'); sys.exit({end[part]})" if end[part] else ""
        return [sys.executable, "-c", SAY_IN_TURN.format(part) + last]

    monkeypatch.setattr(e2e, "command", command)
    monkeypatch.setattr(lab, "up", lambda *servers: None)
    assert e2e.main([]) == expected
    lines = capfd.readouterr().out.splitlines()
    said = [line for line in lines if line.startswith(("server", "test_"))]
    assert sorted(said) == sorted(f"{part} {line}" for part in parts for line in range(5))
    # Nothing stands between the lines of one part.
    assert all(said[at].split() == [said[at - at % 5].split()[0], str(at % 5)] for at in range(len(said)))
    failures = [line for line in lines if line.startswith("FAILED")]
    assert failures == [f"FAILED one in {part}" for part in parts if end[part]]


@pytest.mark.parametrize("free", LIVES)
def test_the_server_that_is_done_first_takes_the_files_that_need_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: str
) -> None:
    waits = f"import os, time\nwhile not os.path.exists({str(tmp_path / APART[-1])!r}): time.sleep(0.01)"

    def command(server: str, words: Sequence[str], options: Sequence[str]) -> list[str]:
        begun = f"open({str(tmp_path)!r} + '/{words[0]}', 'w').write({server!r})"
        return [sys.executable, "-c", begun if words != LIVES[server] else "" if server == free else waits]

    monkeypatch.setattr(e2e, "command", command)
    monkeypatch.setattr(lab, "up", lambda *servers: None)
    assert e2e.main([]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(APART, free)


@pytest.mark.parametrize("known", [True, False])
def test_a_lab_that_is_down_is_told_and_no_server_is_knocked_at_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """A server may be just rebooting for a test, and its sshd minds who knocks and does not log in."""
    (tmp_path / "world.json").write_text(json.dumps({"servers": ["server", "server2"], "docker_key_fingerprint": "A"}))
    monkeypatch.setattr(addresses, "STATE", tmp_path)

    def connect(address: tuple[str, int], timeout: float) -> Any:
        assert address[0] == INTERNET.ipv4
        if not known:
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
