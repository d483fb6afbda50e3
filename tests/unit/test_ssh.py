"""pyinfra's connector for servers as they are: the sshd is played by a shell of this machine."""

from __future__ import annotations

import base64
import gzip
import io
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paramiko import ChannelException, SSHException
from pyinfra.api import Config, Inventory, QuoteString, State, StringCommand
from pyinfra.api.exceptions import DeployError
from pyinfra.api.state import StateStage
from pyinfra.connectors.ssh import SSHConnector

from mstdn import ssh, ssh_login
from mstdn.ssh import WayIn, another_connection


class Session:
    """A channel of paramiko's, as far as it is used: the "server" is a program of this machine."""

    def __init__(self, shell: Sequence[str], path: str, status: int | None) -> None:
        self.shell, self.path, self.status, self.line, self.stdin = shell, path, status, "", b""
        self.closed = False

    def exec_command(self, line: str) -> None:
        self.line = line

    def makefile_stdin(self, mode: str) -> Session:
        return self

    def write(self, data: bytes) -> None:
        self.stdin += data

    def makefile(self, mode: str) -> Iterator[bytes]:
        self._answer = subprocess.run(
            [*self.shell, "-c", self.line], input=self.stdin, capture_output=True, env={"PATH": self.path}, check=False
        )
        return iter(self._answer.stdout.splitlines(keepends=True))

    def makefile_stderr(self, mode: str) -> Iterator[bytes]:
        return iter(self._answer.stderr.splitlines(keepends=True))

    def recv_exit_status(self) -> int:
        return self._answer.returncode if self.status is None else self.status

    def close(self) -> None:
        self.closed = True


class Server:
    """`user` logs in; `sudo` is the text of a program of that name, and the PATH has nothing else of it."""

    def __init__(self, home: Path, user: str = "operator", sudo: str = "", login: Sequence[str] = ("sh",)) -> None:
        self.alive, self.refused, self.user, self.login = True, 0, user, login
        self.sessions: list[Session] = []
        self.status: int | None = None
        self.path = f"{home}:{os.environ['PATH']}"
        if sudo:
            (home / "sudo").write_text(f"#!/bin/sh\n{sudo}\n")
            (home / "sudo").chmod(0o755)

    def get_transport(self) -> Server:
        return self

    def get_username(self) -> str:
        return self.user

    def is_active(self) -> bool:
        return self.alive

    def open_session(self) -> Session:
        if self.refused:
            self.refused -= 1
            raise ChannelException(2, "Connect failed")
        if not self.alive:
            raise SSHException("SSH session not active")
        self.sessions.append(Session(self.login, self.path, self.status))
        return self.sessions[-1]


# Runs what it was told to, as sudo does, without becoming anybody.
GRANTS = 'while [ "$1" != sh ]; do shift; done; exec "$@"'


def way_in_to(server: Server, stage: StateStage = StateStage.Execute) -> WayIn:
    state = State(Inventory(([("server.example.org", {})], {})), Config())  # type: ignore[no-untyped-call]
    state.current_stage = stage
    state.current_deploy_filename = "deploy.py"
    connector = WayIn(state, next(iter(state.inventory)))
    connector.client = server  # type: ignore[assignment]
    return connector


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "there_is_a_terminal", lambda: False)


def test_a_command_comes_back_with_its_output_and_exit_code(tmp_path: Path) -> None:
    connector = way_in_to(Server(tmp_path, sudo=f"echo lecture; echo lecture >&2; {GRANTS}"))
    command = StringCommand("echo one; echo; echo two >&2; printf three; exit 3")
    good, output = connector.run_shell_command(command, _sudo=True, _success_exit_codes=[3])
    assert good
    assert output.stdout_lines == ["one", "", "three"] and output.stderr_lines == ["two"]
    assert connector.run_shell_command(command, _sudo=True)[0] is False


def test_root_uses_no_sudo(tmp_path: Path) -> None:
    server = Server(tmp_path, user="root", sudo="echo no >&2; exit 1")
    good, output = way_in_to(server).run_shell_command(StringCommand("echo done"), _sudo=True)
    assert good and output.stdout == "done"


def test_root_becomes_somebody_else_by_sudo(tmp_path: Path) -> None:
    server = Server(tmp_path, user="root", sudo=f'echo "$*" | grep -q "u mastodon" || exit 1; {GRANTS}')
    assert way_in_to(server).run_shell_command(StringCommand("true"), _sudo=True, _sudo_user="mastodon")[0]


@pytest.mark.parametrize("stdin", ["a\nb \\ c", ["a", "b \\ c\n"], io.StringIO("a\nb \\ c")])
def test_standard_input_arrives_whole(tmp_path: Path, stdin: Any) -> None:
    _, output = way_in_to(Server(tmp_path, sudo=GRANTS)).run_shell_command(
        StringCommand("cat"), _sudo=True, _stdin=stdin
    )
    assert output.stdout_lines == ["a", "b \\ c"]


def test_standard_input_that_a_start_up_file_took_from_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    thief = tmp_path / "thief"
    thief.write_text('#!/bin/sh\nread -r answer\nexec sh "$@"\n')
    thief.chmod(0o755)
    connector = way_in_to(Server(tmp_path, sudo=GRANTS, login=[str(thief)]))
    written = tmp_path / "written"
    good, _ = connector.run_shell_command(StringCommand(f"cat >{written}"), _sudo=True, _stdin="key\nrest\n")
    assert not good and not written.exists()
    assert "reads standard input" in caplog.text


def test_a_password_for_sudo_is_in_no_argument(tmp_path: Path) -> None:
    password = "Pass'word \\ !"
    asks = f'[ "$("$SUDO_ASKPASS")" = {shlex.quote(password)} ] || exit 1; {GRANTS}'
    server = Server(tmp_path, sudo=asks)
    connector = way_in_to(server)
    connector.host.connector = connector
    good, output = connector.run_shell_command(StringCommand("cat"), _sudo=True, _sudo_password=password, _stdin="x")
    assert good and output.stdout == "x"
    for session in server.sessions:
        assert password not in session.line and b64_of(password) not in inside(session.line)
        assert shlex.quote(password) not in inside(session.line)


def b64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def inside(line: str) -> str:
    """What the letters of an armoured line stand for."""
    letters = re.findall("echo ([A-Za-z0-9+/=]{20,})", line)[0]
    data = base64.b64decode(letters)
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()


def test_where_tmp_cannot_be_written_a_password_cannot_be_handed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mktemp").write_text("#!/bin/sh\necho mktemp: Read-only file system >&2; exit 1\n")
    (tmp_path / "mktemp").chmod(0o755)
    words = "sudo: no askpass program specified, try setting SUDO_ASKPASS"
    connector = way_in_to(Server(tmp_path, sudo=f'[ "$SUDO_ASKPASS" ] || {{ echo {words} >&2; exit 1; }}; {GRANTS}'))
    connector.host.connector = connector
    assert not connector.run_shell_command(StringCommand("true"), _sudo=True, _sudo_password="x")[0]
    assert "/tmp there has to be writable" in caplog.text


def test_a_refusal_is_told_once_while_operations_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    connector = way_in_to(Server(tmp_path, sudo="echo sudo: a password is required >&2; exit 1"))
    for _ in range(2):
        good, output = connector.run_shell_command(StringCommand("true"), _sudo=True)
        assert not good and output.output_lines == []
    assert caplog.text.count("wants a password") == 1


def test_a_refusal_ends_the_run_while_a_deploy_file_is_prepared(tmp_path: Path) -> None:
    connector = way_in_to(Server(tmp_path, sudo="exit 1"), StateStage.Prepare)
    with pytest.raises(
        DeployError, match=r"^Nothing was changed\. Commands cannot be run as root on server\.example\.org"
    ):
        connector.run_shell_command(StringCommand("true"), _sudo=True)


def test_a_word_for_the_operator_is_shown_and_is_no_output(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    connector = way_in_to(Server(tmp_path, sudo=GRANTS))
    command = StringCommand("sh -c", QuoteString("echo a; echo mstdn:waits It waits. >&2; echo b >&2"))
    good, output = connector.run_shell_command(command, _sudo=True)
    assert good and (output.stdout_lines, output.stderr_lines) == (["a"], ["b"])
    assert "It waits." in caplog.text and "mstdn:waits" not in caplog.text


def test_a_command_that_fails_is_no_refusal(tmp_path: Path) -> None:
    words = "sudo: a password is required"
    connector = way_in_to(Server(tmp_path, sudo=GRANTS), StateStage.Prepare)
    good, output = connector.run_shell_command(StringCommand(f"echo '{words}' >&2; exit 1"), _sudo=True)
    assert not good and output.stderr == words


def test_where_sshd_allows_one_session_the_next_waits_for_its_end(tmp_path: Path) -> None:
    server = Server(tmp_path, user="root")
    server.refused = 3
    assert way_in_to(server).run_shell_command(StringCommand("true"))[0]
    assert all(session.closed for session in server.sessions)


def test_where_sshd_opens_no_session_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ssh, "SESSION_SECONDS", 0.1)
    server = Server(tmp_path)
    server.refused = 1000
    assert not way_in_to(server).run_shell_command(StringCommand("true"))[0]
    assert "MaxSessions" in caplog.text


def test_a_connection_that_was_lost_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(tmp_path)
    server.alive = False
    assert not way_in_to(server).run_shell_command(StringCommand("true"))[0]
    assert "server.example.org ended the connection" in caplog.text


def test_a_connection_that_ends_a_moment_after_its_channels_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(tmp_path, user="root", login=["sh", "-c", "exit 255"])
    ending = threading.Timer(0.3, lambda: setattr(server, "alive", False))
    server.status = ssh.NO_STATUS
    ending.start()
    assert not way_in_to(server).run_shell_command(StringCommand("true"))[0]
    ending.join()
    assert "server.example.org ended the connection" in caplog.text


def test_a_command_that_was_killed_is_no_lost_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_login, "ENDING_SECONDS", 0.05)
    server = Server(tmp_path, user="root")
    server.status = ssh.NO_STATUS
    good, output = way_in_to(server).run_shell_command(StringCommand("echo begun; kill -9 $PPID; kill -9 $$"))
    assert not good and output.stdout == "begun"


# --- Another connection beside it ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("failures", "tries", "said"),
    [
        pytest.param(0, 1, "", id="open"),
        pytest.param(1, 2, "", id="sshd hangs up on one of them"),
        pytest.param(9, 1 + ssh.RETRIES, "198.51.100.7 port 22 does not answer", id="closed"),
    ],
)
def test_whether_a_new_connection_gets_in_is_found_out_by_making_one(
    monkeypatch: pytest.MonkeyPatch, failures: int, tries: int, said: str
) -> None:
    data = {"ssh_connect_retry_min_delay": 0.0, "ssh_connect_retry_max_delay": 0.0}
    state = State(Inventory(([("198.51.100.7", data)], {})), Config())  # type: ignore[no-untyped-call]
    (host,) = state.inventory
    host.connector = in_use = WayIn(state, host)
    made: list[SSHConnector] = []
    closed: list[str] = []
    client = SimpleNamespace(get_transport=lambda: None, close=lambda: closed.append("closed"))

    def connect(connector: SSHConnector) -> None:
        made.append(connector)
        connector.client = client  # type: ignore[assignment]
        if len(made) <= failures:
            raise TimeoutError("timed out")

    monkeypatch.setattr(SSHConnector, "_connect", connect)
    monkeypatch.setattr(WayIn, "_transport", lambda connector: None)
    monkeypatch.setattr(ssh_login, "send_at_once", lambda transport: None)
    monkeypatch.setattr(ssh_login, "Watch", lambda transport: SimpleNamespace(start=lambda: None))
    assert bool(answer := another_connection(host)) == bool(said) and answer.startswith(said), answer
    assert len(made) == tries and in_use not in made and closed == ["closed"]


def test_a_host_that_is_not_reached_by_ssh_needs_no_new_connection() -> None:
    state = State(Inventory((["@local"], {})), Config())  # type: ignore[no-untyped-call]
    (host,) = state.inventory
    assert another_connection(host) == ""
