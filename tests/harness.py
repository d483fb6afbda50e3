"""What unit and plan tests share: settings, hosts to ask for commands, and the scripts run for real."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from gzip import decompress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from unittest.mock import patch

import pytest
from pyinfra.api import (
    Config,
    FunctionCommand,
    Host,
    Inventory,
    OperationError,
    QuoteString,
    State,
    StringCommand,
    connectors,
    inventory,
)
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.exceptions import DeployError
from pyinfra.api.operation import PyinfraOperation
from pyinfra.context import ctx_host, ctx_state

from mstdn.adopt.operations import adoption_questions
from mstdn.asking import MARK, Batch, Questions, travelling
from mstdn.fact import Fact, Question
from mstdn.questions import of_a_deployment
from mstdn.settings import Settings
from mstdn.shell import SCRIPTS, text_of
from mstdn.timers.following import on_standard_input

T = TypeVar("T")

# For each inventory pyinfra 3.10 looks three times through all installed packages for its connectors.
_connectors = cache(connectors.get_all_connectors)
for module in (connectors, inventory):
    vars(module)["get_all_connectors"] = _connectors

ROOT = Path(__file__).resolve().parents[1]
# Files that tests write belong to whoever runs them.
OWNER = f"{os.getuid()}:{os.getgid()}"

REQUIRED: dict[str, Any] = {
    "local_domain": "social.example.org",
    "smtp_server": "smtp.example.org",
    "smtp_from_address": "mastodon@example.org",
}


def settings_with(**values: Any) -> Settings:
    """Valid settings: the shipped defaults, examples for what has none, and `values`."""
    return Settings.model_validate(REQUIRED | values)


# What stands in for a server that answers questions: lines by question, None where it does not answer.
Answers = Callable[[Host, Questions], Mapping[Question[Any], list[str] | None]]


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


def of_the_unit(what: str, words: Sequence[str], *scripts: str, stdin: str | None = None) -> list[Command]:
    """
    The commands that have the unit of deployments do this: a program of these scripts, after timers/ended, with these
    words. stdin: what the last of them reads.
    """
    again = " ".join(["/bin/sh", "/run/mstdn-deploy.program", *words])
    *before, last = map(text_of, ("timers/ended", *scripts))
    program = "".join([*before, "" if stdin is None else on_standard_input(stdin), last])
    follow = Command("timers/follow", ("mstdn-deploy.service", what, again, *words), program)
    return [Command("timers/hold", ()), follow]


def words_of(command: StringCommand) -> list[str]:
    """What a shell makes of the command. A script of a thousand lines is one word, which shlex would read slowly."""
    words = []
    for bit in command.bits:
        if isinstance(bit, QuoteString):
            assert isinstance(bit.obj, str)
            words.append(bit.obj)
        else:
            words += shlex.split(StringCommand(bit).get_raw_value())
    return words


def taken_apart(command: PyinfraCommand) -> Command:
    if isinstance(command, FunctionCommand):
        return Command("", (command.function.__name__, *command.args))
    assert isinstance(command, StringCommand)
    words = words_of(command)
    stdin = command.connector_arguments.get("_stdin")
    assert stdin is None or isinstance(stdin, str)
    if words[:2] == ["sh", "-c"]:
        assert words[2].endswith((SCRIPTS / f"{words[3]}.sh").read_text())
        return Command(words[3], tuple(words[4:]), stdin)
    return Command("", tuple(words), stdin)


def commands_of(
    operation: PyinfraOperation[Any],
    facts: Mapping[str, str],
    *,
    executing: bool = False,
    answers: Answers | None = None,
    **arguments: Any,
) -> list[Command]:
    """
    Every command that the operation would run on a server where the scripts of facts, by name, print these lines.

    Scripts that are not named print nothing, as on a bare server. `executing`: tell the operation that this is no plan.
    `answers`: gives the answers itself, where they change on the way.
    """

    def from_facts(_: Host, batch: Questions) -> dict[Question[Any], list[str]]:
        return {each: facts.get(each.fact.script, "").splitlines() for each in batch}

    with (
        on_host("@fake", fake_delay=0, fake_delay_jitter=0) as state,
        patch("mstdn.asking._answers_to", answers or from_facts),
    ):
        state.is_executing = executing
        state.check_for_changes = not executing
        return [step for command in operation._inner(**arguments) for step in steps_of(taken_apart(command))]


def steps_of(command: Command) -> list[Command]:
    """A command that puts several things in their place as one for each, with the text of a file; another as it is."""
    if command.script != "files/put":
        return [command]
    packed = iter((command.stdin or "").splitlines())
    steps = [command.words[at : at + 4] for at in range(0, len(command.words), 4)]
    texts = [decompress(b64decode(next(packed))).decode() if step[0] == "file" else None for step in steps]
    assert next(packed, None) is None
    return [Command("files/put", step, text) for step, text in zip(steps, texts, strict=True)]


def refusal_of(operation: PyinfraOperation[Any], facts: Mapping[str, str], **arguments: Any) -> str:
    """
    What the operation says instead of doing anything, with these facts.

    It has to say it while planning, by OperationError, and also where the facts first come up while running, by a
    command that fails.
    """
    with pytest.raises(OperationError) as refusal:
        commands_of(operation, facts, **arguments)
    message = str(refusal.value).removesuffix("\nNothing was changed.")
    assert commands_of(operation, facts, executing=True, **arguments) == [Command("", ("_say_no", message))]
    return message


def fake_responses(settings: Mapping[str, Any], answers: Mapping[str, str]) -> dict[re.Pattern[str], str]:
    """
    What pyinfra's @fake connector shall answer to the questions about a host with these settings.

    answers: what scripts print, by their names; the others print nothing, as on a bare server.
    """
    host = SimpleNamespace(data=SimpleNamespace(dict=lambda: settings), name="fake", groups=())
    # A take-over asks one thing more.
    asked = adoption_questions if "adopt/look" in answers else of_a_deployment
    try:
        together = Batch.of(travelling(asked(cast(Host, host))).values())
    except DeployError:
        return {}
    every = "".join(_marked(number, answers.get(each.fact.script, "")) for number, each in enumerate(together))
    scripts = {*answers, *(each.fact.script for each in together)}
    alone = {re.compile(f'" {script}[ ;]'): _marked(0, answers.get(script, "")) for script in scripts}
    return {re.compile('" preflight/report .*" assets/state ', flags=re.DOTALL): every, **alone}


def _marked(number: int, text: str) -> str:
    return "".join(f"{MARK} {number} {line}\n" for line in (*text.splitlines(), "end 0"))


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


def all_facts() -> Iterator[type[Fact[Any]]]:
    """Every kind of fact that somebody asks, whatever was imported before."""
    for file in sorted((ROOT / "mstdn").glob("*/facts.py")):
        import_module(f"mstdn.{file.parent.name}.facts")
    yield from _kinds_of(Fact)


def _kinds_of(fact: type[Fact[Any]]) -> Iterator[type[Fact[Any]]]:
    for each in fact.__subclasses__():
        yield from _kinds_of(each)
        if each.script:
            yield each


def read(fact: type[Fact[T]], output: str) -> T:
    """What the fact makes of these lines of its script."""
    return fact().process(output.splitlines())


def answer_of(question: Question[T], *, path: Path | None = None, instead: Mapping[str, str | Path] | None = None) -> T:
    """What this machine answers to the question. `path` and `instead` as run_script() takes them."""
    command = question.fact().command(*question.arguments)
    answer = _run(["sh", "-c", _with(command.get_raw_value(), instead)], path)
    assert answer.returncode == 0, answer.stderr
    return question.fact().process(answer.stdout.splitlines())


def container_line(called: str, **changes: Any) -> str:
    """
    What docker/containers prints of a container that runs well.

    called: a service of the project mstdn ("web"), or a project and a service ("proxy/nginx"). changes: other values,
    by the keys that the script prints.
    """
    project, _, service = called.rpartition("/")
    project = project or "mstdn"
    found: dict[str, Any] = {
        "id": f"id-of-{service}",
        "name": f"/{project}-{service}-1",
        "image": f"sha256:{service}",
        "reference": f"{service}:1",
        "project": project,
        "service": service,
        "directory": {"mstdn": "/srv/mastodon", "proxy": "/srv/proxy"}.get(project, f"/srv/{project}"),
        "once": "False",
        "hash": "0f",
        "status": "running",
        "health": "healthy",
        "user": "",
        "command": ["run"],
        "entrypoint": None,
        "networks": {},
        "aliases": {},
        "asks": [None],
        "published": {},
        "bindings": {},
        "binds": None,
        "mounts": None,
        "tmpfs": None,
        "restart": {"Name": "always", "MaximumRetryCount": 0},
        "network_mode": "bridge",
        "limits": [0, 0, 0, 0, 0, 0, 0, "", "", 100, 0],
        "rights": [False, True, None, ["ALL"], ["no-new-privileges:true"]],
    }
    unknown = set(changes) - set(found)
    assert not unknown, f"docker/containers does not print {unknown}"
    return f"container {json.dumps(found | changes)}\n"


def listing(**services: str) -> str:
    """
    A shell's command that prints what Docker lists of running containers: their "project/service" by ID.

    An ID has only the digits a to f here.
    """
    rows = [f"{name}|running|{each.replace('/', '|')}|False" for name, each in services.items()]
    return f"printf '%s\\n' {shlex.join(rows)}"


def stand_in(directory: Path, program: str, text: str = "") -> Path:
    """
    A directory with `program` in it, to be found before the real one; `text` is what it does, in POSIX sh.

    Its calls, and those of all other stand-ins in this directory, are listed by calls_in().
    """
    file = directory / "bin" / program
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'#!/bin/sh\necho {program} "$@" >>"{directory}/calls"\n{text}\n')
    file.chmod(0o755)
    return file.parent


def calls_in(directory: Path) -> list[str]:
    """The command line of each call of the stand-ins of this directory, in their order."""
    file = directory / "calls"
    return file.read_text().splitlines() if file.exists() else []


def run_script(
    name: str,
    *arguments: str | Path,
    before: str | Sequence[str] = (),
    stdin: str = "",
    path: Path | None = None,
    instead: Mapping[str, str | Path] | None = None,
) -> subprocess.CompletedProcess[str]:
    """
    Run mstdn/<name>.sh on this machine as it runs on a server, but without the lock.

    `before`: names of scripts whose texts go before it. `path`: a directory of programs found first. `instead`: what
    stands in the script for what a test must not touch or cannot have, such as /etc/fstab or another owner.
    """
    earlier = [before] if isinstance(before, str) else before
    text = "".join((SCRIPTS / f"{each}.sh").read_text() for each in (*earlier, name))
    return _run(["sh", "-c", _with(text, instead), name, *map(str, arguments)], path, stdin)


def _with(text: str, instead: Mapping[str, str | Path] | None) -> str:
    for words, others in (instead or {}).items():
        assert words in text, f"the script has no {words}"
        text = text.replace(words, str(others))
    return text


def _run(words: list[str], path: Path | None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    search = os.environ["PATH"] if path is None else f"{path}:{os.environ['PATH']}"
    return subprocess.run(
        words,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PATH": search, "LC_ALL": "C"},
    )
