"""The script that asks Mastodon for an account, with a stand-in for docker, and what becomes of the password."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyinfra.connectors.util import CommandOutput, OutputLine

from mstdn.docker.engine import CONTAINER
from mstdn.owner import operations
from mstdn.owner.facts import AccountState
from mstdn.owner.operations import ShownOnce, owner, unsealed
from tests.harness import answer_of, calls_in, commands_of, listing, on_host, refusal_of, run_script, stand_in

PASSWORD = "0123456789abcdef0123456789abcdef"
PAD = tuple(range(7, 135))


def tootctl(directory: Path, printed: str, code: int = 0, web: str = "ab") -> subprocess.CompletedProcess[str]:
    (directory / "printed").write_text(printed)
    text = f"""case "$1" in
    ps) echo {web} ;;
    exec) cat >>"{directory}/eaten"; cat "{directory}/printed"; exit {code} ;;
    esac"""
    path = stand_in(directory, "docker", text)
    pad = " ".join(map(str, PAD)) + "\n"
    return run_script(
        "owner/tootctl", "mstdn", "create", "alice", "--role", "Owner", before=CONTAINER, path=path, stdin=pad
    )


def test_a_password_leaves_the_server_sealed_and_can_be_opened(tmp_path: Path) -> None:
    answer = tootctl(tmp_path, f"OK\nNew password: {PASSWORD}\r\n")
    assert answer.returncode == 0, answer.stderr
    assert PASSWORD not in answer.stdout + answer.stderr
    assert unsealed(answer.stdout, PAD) == PASSWORD
    assert unsealed(answer.stdout, tuple(reversed(PAD))) != PASSWORD
    assert calls_in(tmp_path)[-1] == "docker exec ab bin/tootctl accounts create alice --role Owner"
    # The pad is the script's own.
    assert (tmp_path / "eaten").read_text() == ""


def test_without_a_password_there_is_nothing_to_seal(tmp_path: Path) -> None:
    answer = tootctl(tmp_path, "OK\n")
    assert (answer.returncode, answer.stdout) == (0, "")
    assert unsealed(answer.stdout, PAD) == ""


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        pytest.param("Failure/Error: email\n    unreachable\n", 1, id="it says no"),
        pytest.param("Failure/Error: email\n    unreachable\n", 0, id="it says no and calls that success"),
        pytest.param(f"New password: {PASSWORD}\nKilled unreachable\n", 137, id="it is killed at the end"),
    ],
)
def test_a_refusal_is_told_in_its_own_words_and_never_with_a_password(tmp_path: Path, printed: str, code: int) -> None:
    answer = tootctl(tmp_path, printed, code)
    assert answer.returncode == 1
    assert "unreachable" in answer.stderr
    assert PASSWORD not in answer.stdout + answer.stderr


def test_where_mastodon_does_not_run_nothing_is_tried(tmp_path: Path) -> None:
    answer = tootctl(tmp_path, "", web="")
    assert answer.returncode == 1 and "does not run" in answer.stderr
    assert [call for call in calls_in(tmp_path) if "exec" in call] == []


def test_the_state_of_an_account_comes_from_the_database(tmp_path: Path) -> None:
    text = f"""case "$1" in
    ps) {listing(ab="mstdn/db", cd="mstdn/web")} ;;
    exec) cat >"{tmp_path}/sql"; printf 'role Owner\\naccount alice t t t f f a@b.example\\n' ;;
    esac"""
    stand_in(tmp_path, "systemctl", "echo loaded; echo active")
    found = answer_of(AccountState.of("mstdn", "alice", "a@b.example"), path=stand_in(tmp_path, "docker", text))
    assert found.runs and found.role == "Owner" and found.account and found.account.owner
    assert ":'name'" in (tmp_path / "sql").read_text()


# --- The operation ------------------------------------------------------------------------------

ALICE: dict[str, Any] = {"account": "alice", "address": "alice@example.org", "reset": "", "promote": False}
NOBODY = {"owner/state": "web\nrole Owner"}


def test_the_pad_travels_on_standard_input_only_and_is_never_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "there_is_a_terminal", lambda: True)
    first, second = (commands_of(owner, NOBODY, executing=True, **ALICE) for _ in range(2))
    assert [each.script for each in (*first, *second)] == ["owner/tootctl"] * 2
    assert first[0].words[:4] == ("mstdn", "create", "alice", "--email")
    assert first[0].stdin and first[0].stdin != second[0].stdin
    assert first[0].stdin not in " ".join(first[0].words)


def test_without_a_terminal_no_password_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "there_is_a_terminal", lambda: False)
    (command,) = commands_of(owner, NOBODY, executing=True, **ALICE)
    assert command.words[0] == "_say_no" and "terminal" in command.words[1]
    # A plan shows none.
    assert [each.script for each in commands_of(owner, NOBODY, **ALICE)] == ["owner/tootctl"]


def test_an_owner_who_is_there_is_left_alone() -> None:
    there = {"owner/state": "web\nrole Owner\naccount alice t t t f f alice@example.org"}
    assert commands_of(owner, there, executing=True, **ALICE) == []


def test_a_bare_server_is_refused() -> None:
    assert "deploy.py" in refusal_of(owner, {}, **ALICE)


def executed(
    monkeypatch: pytest.MonkeyPatch, output: list[tuple[str, str]], *, succeeds: bool, show: list[str]
) -> tuple[bool, list[str]]:
    """What a command that prints these lines (stream, text) comes to, and what pyinfra logs of it."""
    said: list[str] = []
    with on_host("@fake", fake_delay=0, fake_delay_jitter=0) as state:
        host = next(iter(state.inventory))
        lines = CommandOutput([OutputLine(stream, text) for stream, text in output])
        monkeypatch.setattr(host, "run_shell_command", lambda *_, **__: (succeeds, lines))
        monkeypatch.setattr(host, "log_styled", lambda text, **_: said.append(text))
        command = ShownOnce("alice", ("modify", "alice"), password=True, show=show.append)
        command._pad = PAD
        good, kept = command.execute(state, host, {})
        assert list(kept) == []
    return good, said


def test_the_password_goes_to_the_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = " ".join(str((byte + mask) % 256) for byte, mask in zip(PASSWORD.encode(), PAD, strict=False))
    shown: list[str] = []
    assert executed(monkeypatch, [("stdout", f"sealed {sealed}")], succeeds=True, show=shown) == (True, [])
    assert PASSWORD in "".join(shown)


def test_a_password_that_got_lost_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    good, said = executed(monkeypatch, [], succeeds=True, show=[])
    assert not good and "owner_reset=password" in said[0]


def test_a_refusal_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    good, said = executed(monkeypatch, [("stderr", "email unreachable")], succeeds=False, show=[])
    assert not good and "DNS" in said[-1] and "  email unreachable" in said
