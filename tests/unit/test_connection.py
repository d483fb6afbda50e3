"""
What is refused before pyinfra connects, and what is done to a connection that stands.

The command line is run for real, in processes of its own, as config.py is only read there.
"""

from __future__ import annotations

import base64
import gzip
import io
import os
import re
import shlex
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paramiko import Channel, ChannelException, SSHException
from pyinfra.api import Config, Inventory, State, StringCommand, util
from pyinfra.api.exceptions import ConnectError, DeployError
from pyinfra.api.state import StateStage

from mstdn import keep_alive, ssh
from mstdn.connection import PLACEHOLDER_HOST, check_hosts, no_source_lines, prepare
from mstdn.keep_alive import Watch, send_at_once
from mstdn.secrets import operator as secrets
from mstdn.secrets.table import OPERATOR_SECRETS
from mstdn.ssh import WayIn, another_connection
from mstdn.versions import MASTODON
from tests.harness import REQUIRED
from tests.plan.cli import pyinfra as command_line

SET = [argument for name, value in REQUIRED.items() for argument in ("--data", f"{name}={value}")]
TROUBLE = ("Traceback", "exception", "pyinfra-debug.log")


def pyinfra(*arguments: str) -> tuple[int, str]:
    """Exit code and everything said, of pyinfra in the suite's directory."""
    delays = {"PYINFRA_FAKE_DELAY": "0", "PYINFRA_FAKE_DELAY_JITTER": "0"}
    run = command_line(*arguments, environment=delays, without=OPERATOR_SECRETS)
    return run.returncode, run.text


@pytest.fixture
def deploy(tmp_path: Path) -> str:
    file = tmp_path / "deploy.py"
    file.write_text("from pyinfra import host, logger\nlogger.info(f'deploying on {host.name}')\n")
    return str(file)


@pytest.fixture
def listening() -> Iterator[tuple[int, list[str]]]:
    """A port that nobody may talk to, and who did."""
    visitors: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                visitors.append(address[0])
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], visitors


def test_as_shipped_it_says_what_is_unset_and_that_the_host_is_a_placeholder() -> None:
    code, said = pyinfra("inventory.py", "deploy.py")
    assert code == 1
    for name in (*REQUIRED, "inventory.py", PLACEHOLDER_HOST):
        assert f"  {name}\n" in said or f'"{name}"' in said
    assert not any(word in said for word in TROUBLE)
    assert "Connected" not in said


def test_a_bad_setting_is_told_before_the_host_is_contacted(deploy: str, listening: tuple[int, list[str]]) -> None:
    port, visitors = listening
    arguments = ("127.0.0.1", deploy, *SET, "--ssh-port", str(port), "-y")
    code, said = pyinfra(*arguments, "--data", "mastodon_version=4.7")
    assert code == 1
    assert f"--data 'mastodon_version=\"{MASTODON}\"'" in said
    assert said.count("mastodon_version\n") == 1
    assert not any(word in said for word in TROUBLE)
    assert visitors == []
    pyinfra(*arguments)
    assert visitors == ["127.0.0.1"]


def test_no_host_is_contacted_when_the_settings_of_another_are_bad(tmp_path: Path, deploy: str) -> None:
    inventory = tmp_path / "inventory.py"
    inventory.write_text('servers = ["@fake/good", ("@fake/bad", {"smtp_port": 465})]\n')
    code, said = pyinfra(str(inventory), deploy, *SET, "-y")
    assert code == 1
    assert "Settings of @fake/bad:" in said
    assert "@fake/good" not in said


@pytest.mark.parametrize(
    "arguments",
    [("inventroy.py",), ("@fake/a", "--limit", "b*"), ("@fake/a", "--exclude", "@fake/a")],
    ids=["mistyped inventory", "mistyped limit", "all excluded"],
)
def test_a_run_without_a_host_fails(deploy: str, arguments: tuple[str, ...]) -> None:
    code, said = pyinfra(arguments[0], deploy, *arguments[1:], *SET, "-y")
    assert code == 1
    assert "There is no host to work on" in said
    assert not any(word in said for word in TROUBLE)


@pytest.mark.parametrize("host", ["@local", "@fake/a,@fake/b"])
def test_other_connectors_work_as_ever(deploy: str, host: str) -> None:
    code, said = pyinfra(host, deploy, *SET, "-y")
    assert code == 0, said
    for name in host.split(","):
        assert f"deploying on {name}" in said


def test_the_inventory_can_be_looked_at_before_anything_is_set() -> None:
    code, said = pyinfra("inventory.py", "debug-inventory")
    assert code == 0
    assert PLACEHOLDER_HOST in said


def state_with(*hosts: Any) -> State:
    return State(Inventory((list(hosts), {})), Config())  # type: ignore[no-untyped-call]


@pytest.fixture(autouse=True)
def no_secrets_of_the_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "SECRETS_FILE", tmp_path / "secrets.env")
    for name in OPERATOR_SECRETS:
        monkeypatch.delenv(name, raising=False)


def test_the_problems_of_all_hosts_come_in_one_error() -> None:
    bad = REQUIRED | {"smtp_port": 465}
    state = state_with(("@fake/a", bad), ("@fake/b", REQUIRED), (PLACEHOLDER_HOST, REQUIRED))
    with pytest.raises(DeployError) as error:
        check_hosts(state)
    text = str(error.value)
    assert "Settings of @fake/a:" in text
    assert "@fake/b" not in text
    assert f"Settings of {PLACEHOLDER_HOST}:" in text
    assert "still the placeholder" in text


def test_hosts_beyond_the_limit_are_not_checked() -> None:
    state = state_with(("@fake/a", {}), ("@fake/b", REQUIRED))
    state.limit_hosts = [host for host in state.inventory if host.name == "@fake/b"]
    check_hosts(state)
    state.limit_hosts = []
    with pytest.raises(DeployError, match="no host"):
        check_hosts(state)


def test_hosts_are_checked_and_taken_care_of_exactly_when_pyinfra_begins_to_connect() -> None:
    state = state_with(("server.example.org", REQUIRED), ("@fake/a", REQUIRED))
    prepare(state)
    connectors = [type(host.connector) for host in state.inventory]
    assert WayIn not in connectors
    state.set_stage(StateStage.Connect)
    assert [type(host.connector) for host in state.inventory] == [WayIn, *connectors[1:]]
    assert state.current_stage == StateStage.Connect


@pytest.mark.parametrize("port", ["closed", "silly"])
def test_no_connection_is_one_sentence_and_no_traceback(
    deploy: str, listening: tuple[int, list[str]], port: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    number = listening[0] if port == "silly" else free
    code, said = pyinfra("127.0.0.1", deploy, *SET, "--ssh-port", str(number), "-y")
    assert code == 1
    assert said.count(f"127.0.0.1 port {number}") == 1 and said.count("Nothing was changed.") == 1
    assert not any(word in said for word in TROUBLE)


def test_without_a_terminal_the_question_is_no_traceback(deploy: str) -> None:
    code, said = pyinfra("@fake/a", deploy, *SET)
    assert code == 1
    assert "Add -y" in said
    assert not any(word in said for word in TROUBLE)


# --- A server whose sshd is played by a shell of this machine -------------------------------------


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
    state = state_with(("server.example.org", {}))
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
    monkeypatch.setattr(ssh, "ENDING_SECONDS", 0.05)
    server = Server(tmp_path, user="root")
    server.status = ssh.NO_STATUS
    good, output = way_in_to(server).run_shell_command(StringCommand("echo begun; kill -9 $PPID; kill -9 $$"))
    assert not good and output.stdout == "begun"


# --- The watch ------------------------------------------------------------------------------------


class Line:
    """A transport that answers the first `answers` questions."""

    def __init__(self, answers: int) -> None:
        self.answers, self.asked = answers, 0
        self.cut = threading.Event()
        self.when_closed: Callable[[], bool] = lambda: False
        self.closed_by_silence = False

    def is_active(self) -> bool:
        return not self.cut.is_set()

    def global_request(self, kind: str) -> None:
        self.asked += 1
        if self.asked > self.answers:
            self.cut.wait(10)

    def close(self) -> None:
        self.closed_by_silence = self.when_closed()
        self.cut.set()


def test_a_server_that_stops_answering_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(keep_alive, "SILENCE_SECONDS", 0.05)
    line = Line(answers=3)
    watch = Watch(line)  # type: ignore[arg-type]
    line.when_closed = lambda: watch.silent
    watch.start()
    watch.join(5)
    assert not watch.is_alive()
    assert line.asked == 4 and not line.is_active()
    assert line.closed_by_silence


def test_a_connection_that_ends_by_itself_is_not_called_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "ASK_SECONDS", 0.01)
    line = Line(answers=0)
    watch = Watch(line)  # type: ignore[arg-type]
    watch.start()
    line.cut.set()
    watch.join(5)
    assert not watch.is_alive() and not watch.silent


def test_an_idle_connection_is_asked_well_within_what_routers_remember_and_given_up_within_a_minute() -> None:
    assert keep_alive.ASK_SECONDS <= 30
    assert keep_alive.ASK_SECONDS + keep_alive.SILENCE_SECONDS <= 60


def transport_on(sock: object) -> Any:
    return SimpleNamespace(sock=sock)


def test_ssh_packets_are_sent_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        send_at_once(transport_on(client))
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_packets_through_a_jump_host_are_sent_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        channel = Channel(1)
        channel.transport = transport_on(client)
        send_at_once(transport_on(channel))
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_connection_through_a_proxy_command_is_left_alone() -> None:
    send_at_once(transport_on(object()))


# --- Another connection beside it ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, ""),
        (ConnectError("Nothing was changed. 198.51.100.7 port 22 does not answer."), "198.51.100.7 port 22 does not"),
    ],
    ids=["open", "closed"],
)
def test_whether_a_new_connection_gets_in_is_found_out_by_making_one(
    monkeypatch: pytest.MonkeyPatch, error: ConnectError | None, said: str
) -> None:
    state = State(Inventory((["198.51.100.7"], {})), Config())  # type: ignore[no-untyped-call]
    (host,) = state.inventory
    host.connector = in_use = WayIn(state, host)
    made, closed = [], []

    def connect(connector: WayIn) -> None:
        made.append(connector)
        connector.client = SimpleNamespace(close=lambda: closed.append(connector))  # type: ignore[assignment]
        if error:
            raise error

    monkeypatch.setattr(WayIn, "connect", connect)
    answer = another_connection(host)
    assert answer.startswith(said) and bool(answer) == bool(said)
    assert len(made) == 1 and made == closed and made[0] is not in_use


def test_a_host_that_is_not_reached_by_ssh_needs_no_new_connection() -> None:
    state = State(Inventory((["@local"], {})), Config())  # type: ignore[no-untyped-call]
    (host,) = state.inventory
    assert another_connection(host) == ""


# --- The order of operations --------------------------------------------------------------------


def test_operations_are_ordered_as_ever_and_no_source_is_read_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stack", "getframeinfo"):
        monkeypatch.setattr(util, name, getattr(util, name))
    state = State(Inventory(([], {})), Config())  # type: ignore[no-untyped-call]

    def order() -> list[int]:
        return list(util.get_operation_order_from_stack(state))

    orders = []
    for prepared in (False, True):
        if prepared:
            no_source_lines()
            monkeypatch.setattr("linecache.getlines", lambda *_: pytest.fail("a source was read"))
        orders.append(order())
    assert orders[0] == orders[1]
