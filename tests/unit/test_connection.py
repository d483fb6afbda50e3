"""
What is refused before pyinfra connects, and what is done to a connection that stands.

The command line is run for real, in processes of its own, as config.py is only read there.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.api import Config, Host, Inventory, State
from pyinfra.api.exceptions import DeployError
from pyinfra.api.state import StateStage
from pyinfra.connectors.ssh import SSHConnector

from mstdn.connection import PLACEHOLDER_HOST, QuickSsh, check_hosts, prepare
from mstdn.secrets import operator as secrets
from tests.harness import REQUIRED, ROOT

SET = [argument for name, value in REQUIRED.items() for argument in ("--data", f"{name}={value}")]
TROUBLE = ("Traceback", "exception", "pyinfra-debug.log")


def pyinfra(*arguments: str) -> tuple[int, str]:
    """Exit code and everything said, of pyinfra in the suite's directory."""
    environment = {name: value for name, value in os.environ.items() if name not in secrets.OPERATOR_SECRETS}
    process = subprocess.run(
        [sys.executable, "-m", "pyinfra", *arguments],
        cwd=ROOT,
        env=environment | {"PYINFRA_FAKE_DELAY": "0", "PYINFRA_FAKE_DELAY_JITTER": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return process.returncode, process.stdout + process.stderr


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
    assert "--data 'mastodon_version=\"v4.7.6\"'" in said
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
    for name in secrets.OPERATOR_SECRETS:
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


def test_hosts_are_checked_and_watched_exactly_when_pyinfra_begins_to_connect() -> None:
    state = state_with(("@fake/a", REQUIRED))
    prepare(state)
    assert state.callback_handlers == []
    state.set_stage(StateStage.Connect)
    assert [type(handler) for handler in state.callback_handlers] == [QuickSsh]
    assert state.current_stage == StateStage.Connect
    state.set_stage(StateStage.Prepare)
    assert len(state.callback_handlers) == 1


def ssh_host_on(transport_socket: object) -> tuple[State, Host]:
    state = state_with(("server.example.org", {}))
    host = next(iter(state.inventory))
    assert isinstance(host.connector, SSHConnector)
    transport = SimpleNamespace(sock=transport_socket)
    host.connector.client = SimpleNamespace(get_transport=lambda: transport)  # type: ignore[assignment]
    return state, host


def test_ssh_packets_are_sent_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        state, host = ssh_host_on(client)
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        QuickSsh.host_connect(state, host)
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_connection_through_a_jump_host_is_left_alone() -> None:
    QuickSsh.host_connect(*ssh_host_on(object()))


def test_a_host_without_ssh_is_left_alone() -> None:
    state = state_with("@local", "@fake/a")
    for host in state.inventory:
        QuickSsh.host_connect(state, host)
