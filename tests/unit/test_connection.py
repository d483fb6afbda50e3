"""
What is refused before pyinfra connects, and what is changed of pyinfra itself.

The command line is run for real, in processes of its own, as config.py is only read there.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
import pytest
from pyinfra.api import Config, Inventory, State, arguments, facts, util
from pyinfra.api.exceptions import ArgumentTypeError, DeployError
from pyinfra.api.state import StateStage

from mstdn.connection import PLACEHOLDER_HOST, check_hosts, know_the_arguments, no_source_lines, prepare, read_ahead
from mstdn.secrets import operator as secrets
from mstdn.secrets.table import OPERATOR_SECRETS
from mstdn.ssh import WayIn
from mstdn.versions import MASTODON
from tests.harness import REQUIRED, ROOT
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


THREADS = """
import gevent.monkey
gevent.monkey.patch_all()
import os, socket, time
from mstdn.connection import end_threads

def threads():
    return len(os.listdir("/proc/self/task"))

alone = threads()
socket.getaddrinfo("localhost", 80)
looked_up = threads()
end_threads()
until = time.monotonic() + 2
while threads() > alone and time.monotonic() < until:
    pass
print(looked_up - alone, threads() - alone)
"""


def test_no_thread_is_left_that_could_wake_up_while_python_ends() -> None:
    run = subprocess.run([sys.executable, "-c", THREADS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["1", "0"], run.stderr


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


def test_what_a_run_imports_is_read_once_its_connection_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    monkeypatch.setattr("mstdn.connection.import_module", happened.append)
    greenlets = [gevent.spawn(read_ahead, ["deploy.py"]), gevent.spawn(happened.append, "the connection begins")]
    gevent.joinall(greenlets, raise_error=True)
    assert happened == ["the connection begins", "mstdn.asking", "mstdn.questions"]


@pytest.mark.parametrize(
    "text", ["from mstdn.no_such_module import x", "if", "\0", None], ids=["import", "syntax", "zero", "absent"]
)
def test_what_is_wrong_with_a_file_is_not_told_before_it_runs(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "deploy.py").write_text(text)
    read_ahead([str(tmp_path / "deploy.py")])


def test_only_what_is_of_the_suite_is_read_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    monkeypatch.setattr("mstdn.connection.import_module", imported.append)
    (tmp_path / "task.py").write_text("import os\nfrom . import x\nfrom mine import y\nfrom mstdn.kinds import z\n")
    read_ahead([str(tmp_path / "task.py")])
    assert imported == ["mstdn.kinds"]


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


def test_what_all_operations_take_is_read_once_and_taken_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (arguments, facts):
        monkeypatch.setattr(module, "all_global_arguments", arguments.all_global_arguments)
    before = arguments.all_global_arguments()
    know_the_arguments()
    assert arguments.all_global_arguments() == before == facts.all_global_arguments()
    monkeypatch.setattr(arguments, "get_type_hints", lambda *_: pytest.fail("the hints were read again"))
    state = State(Inventory((["@fake/a"], {})), Config())  # type: ignore[no-untyped-call]
    (host,) = state.inventory
    given = {"_sudo": True, "_shell_executable": "dash", "other": 1}
    taken, names = arguments.pop_global_arguments(state, host, given)
    assert (taken["_sudo"], taken["_shell_executable"], given) == (True, "dash", {"other": 1})
    assert sorted(names) == ["_shell_executable", "_sudo"]
    with pytest.raises(ArgumentTypeError):
        arguments.pop_global_arguments(state, host, {"_sudo": "yes"})
