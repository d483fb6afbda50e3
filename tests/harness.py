"""What unit and plan tests share: settings, hosts to ask for commands, and the scripts run for real."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api import Config, FunctionCommand, Inventory, OperationError, State, StringCommand
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.operation import PyinfraOperation
from pyinfra.context import ctx_host, ctx_state

from mstdn.settings import Settings
from mstdn.shell import SCRIPTS

ROOT = Path(__file__).resolve().parents[1]
# Files that tests write belong to whoever runs them.
OWNER = f"{os.getuid()}:{os.getgid()}"

REQUIRED: dict[str, Any] = {
    "local_domain": "social.example.org",
    "acme_email": "admin@example.org",
    "smtp_server": "smtp.example.org",
    "smtp_from_address": "mastodon@example.org",
}


def settings_with(**values: Any) -> Settings:
    """Valid settings: the shipped defaults, examples for what has none, and `values`."""
    return Settings.model_validate(REQUIRED | values)


@dataclass(frozen=True)
class Command:
    """
    One command for a server, taken apart.

    `script` is its name under mstdn, such as "swap/state", or "" for a plain command; `words` are its arguments, or all
    of it. `stdin` is what it gets on standard input.
    """

    script: str
    words: tuple[str, ...]
    stdin: str | None = None


def taken_apart(command: PyinfraCommand) -> Command:
    if isinstance(command, FunctionCommand):
        return Command("", (command.function.__name__, *command.args))
    assert isinstance(command, StringCommand)
    words = shlex.split(command.get_raw_value())
    stdin = command.connector_arguments.get("_stdin")
    assert stdin is None or isinstance(stdin, str)
    if words[:2] == ["sh", "-c"]:
        assert words[2].endswith((SCRIPTS / f"{words[3]}.sh").read_text())
        return Command(words[3], tuple(words[4:]), stdin)
    return Command("", tuple(words), stdin)


def commands_of(
    operation: PyinfraOperation[Any], facts: Mapping[str, str], *, executing: bool = False, **arguments: Any
) -> list[Command]:
    """
    Every command that the operation would run on a server where the scripts of facts, by name, print these lines.

    Scripts that are not named print nothing, as on a bare server. `executing`: tell the operation that this is no plan.
    """
    responses = {re.compile(rf"' {script}( |$)"): output for script, output in facts.items()}
    with on_host("@fake", fake_responses=responses, fake_delay=0, fake_delay_jitter=0) as state:
        state.is_executing = executing
        return [taken_apart(command) for command in operation._inner(**arguments)]


def refusal_of(operation: PyinfraOperation[Any], facts: Mapping[str, str], **arguments: Any) -> str:
    """
    What the operation says instead of doing anything, with these facts.

    It has to say it while planning, by OperationError, and also where the facts first come up while running, by a
    command that fails.
    """
    with pytest.raises(OperationError) as refusal:
        commands_of(operation, facts, **arguments)
    message = str(refusal.value)
    assert commands_of(operation, facts, executing=True, **arguments) == [Command("", ("_say_no", message))]
    return message


def apply(operation: PyinfraOperation[Any], **arguments: Any) -> list[Command]:
    """Run the operation on this machine. Returns the commands that it took; none means that nothing was to be done."""
    done = []
    with on_host("@local"):
        for command in operation._inner(**arguments):
            each = taken_apart(command)
            if each.script:
                run_script(each.script, *each.words, stdin=each.stdin or "").check_returncode()
            else:
                subprocess.run(["sh", "-c", command.get_raw_value()], check=True)
            done.append(each)
    return done


@contextmanager
def on_host(name: str, **data: Any) -> Iterator[State]:
    state = State(Inventory(([(name, data)], {})), Config())  # type: ignore[no-untyped-call]
    connect_all(state)
    ctx_state.set(state)  # type: ignore[no-untyped-call]
    ctx_host.set(next(iter(state.inventory)))  # type: ignore[no-untyped-call]
    try:
        yield state
    finally:
        ctx_host.reset()
        ctx_state.reset()
        disconnect_all(state)


def run_script(
    name: str, *arguments: str | Path, stdin: str = "", path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """
    Run mstdn/<name>.sh on this machine as it runs on a server. `path`: a directory of programs found first.
    """
    search = os.environ["PATH"] if path is None else f"{path}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", (SCRIPTS / f"{name}.sh").read_text(), name, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PATH": search, "LC_ALL": "C"},
    )
