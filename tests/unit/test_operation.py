"""What holds for every operation of the suite: when it asks anew, when it refuses, what it shows and how often."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pyinfra.api import Config, FunctionCommand, Host, Inventory, OperationError, State, StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.context import ctx_host, ctx_state
from typing_extensions import override

from mstdn import asking
from mstdn.asking import Questions, ask
from mstdn.fact import CouldNotLook, Fact, Lines, Question
from mstdn.operation import announce, is_the_moment_to_show, operation
from mstdn.refusal import refuse
from mstdn.shell import Commands
from tests.harness import ROOT
from tests.plan.cli import Run, pyinfra, write_inventory


class Example(Fact[str]):
    script = "swap/state"

    @override
    def read(self, lines: Lines) -> str:
        return lines.one("word")


@operation
def example(*, refuses: str = "") -> Commands:
    """Ask, tell, and run two commands."""
    word = ask(Example.question())
    if refuses:
        yield from refuse(refuses)
        return
    announce(f"the word is {word}")
    yield StringCommand("first", word)
    yield StringCommand("second", ask(Example.question()))


class Server:
    """Stands in for what travels: `lines` is the answer to all questions."""

    def __init__(self) -> None:
        self.lines: list[str] | None = ["word a"]
        self.batches = 0
        self.asked: list[set[Question[Any]]] = []

    def answer(self, _: Host, batch: Questions) -> dict[Question[Any], list[str] | None]:
        self.batches += 1
        self.asked.append({*batch})
        return dict.fromkeys(batch, self.lines)


@pytest.fixture(name="state")
def _state() -> Iterator[State]:
    state = State(Inventory((["@fake/a"], {})), Config())  # type: ignore[no-untyped-call]
    ctx_state.set(state)  # type: ignore[no-untyped-call]
    ctx_host.set(next(iter(state.inventory)))  # type: ignore[no-untyped-call]
    yield state
    ctx_host.reset()
    ctx_state.reset()


@pytest.fixture(name="server", autouse=True)
def _server(state: State, monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(asking, "_answers_to", server.answer)
    monkeypatch.setattr(asking, "_foreseen", [])
    return server


def stage(state: State, name: str) -> None:
    """plan: before a person decides. run: after it. unattended: with -y, before the first operation runs."""
    state.check_for_changes = name != "unattended"
    state.is_executing = name == "run"


def words(commands: Iterator[Any]) -> list[str]:
    return [
        command.args[0] if isinstance(command, FunctionCommand) else command.get_raw_value() for command in commands
    ]


# --- Answers ------------------------------------------------------------------------------------


def test_a_run_asks_anew_after_each_command_and_a_plan_does_not(state: State, server: Server) -> None:
    for name, batches, second in (("plan", 1, "second a"), ("run", 2, "second b")):
        stage(state, name)
        server.batches, server.lines = 0, ["word a"]
        asking.forget()
        commands = example._inner()
        assert next(commands).get_raw_value() == "first a"
        server.lines = ["word b"]
        assert next(commands).get_raw_value() == second
        assert server.batches == batches


def test_a_command_that_failed_may_have_changed_something_too(state: State, server: Server) -> None:
    stage(state, "run")
    commands = example._inner()
    next(commands)
    commands.close()
    server.lines = ["word b"]
    assert ask(Example.question()) == "b"


def test_after_a_change_a_run_does_not_ask_what_only_operations_before_have_asked(
    state: State, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier, own, later = (Example.question(name) for name in ("/earlier", "/own", "/later"))

    @operation
    def asking_for(*, question: Question[str]) -> Commands:
        yield StringCommand(ask(question))

    asking.foresee(lambda host: [earlier, own, later])
    monkeypatch.setattr(asking, "SPARINGLY", 0)
    stage(state, "plan")
    planned = [asking_for(question=each) for each in (earlier, own, later)]
    stage(state, "run")
    server.asked.clear()
    for each in planned:
        words(state.get_op_data_for_host(ctx_host.get(), each._hash).command_generator())  # type: ignore[no-untyped-call]
    assert server.asked == [{earlier, own, later}, {own, later}, {later}]


# --- The third answer ---------------------------------------------------------------------------


def test_what_could_not_be_looked_at_is_told_in_a_plan_that_announces_nothing(
    state: State, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.lines = ["unknown Docker does not run"]
    stage(state, "plan")
    with caplog.at_level(logging.INFO, "pyinfra"):
        assert words(example._inner()) == []
    assert [record.message.partition("] ")[2] for record in caplog.records] == [
        "Not known yet, because Docker does not run"
    ]


def test_what_could_not_be_looked_at_is_refused_in_a_run(state: State, server: Server) -> None:
    server.lines = ["unknown Docker does not run"]
    stage(state, "run")
    assert words(example._inner()) == ["This could not be looked at: Docker does not run."]


@pytest.mark.parametrize("lines", [None, ["nothing that is understood"]], ids=["no answer", "another answer"])
def test_an_answer_that_is_none_is_refused_and_no_traceback(
    state: State, server: Server, lines: list[str] | None
) -> None:
    server.lines = lines
    stage(state, "plan")
    with pytest.raises(OperationError, match=r"swap/state.*\nNothing was changed\.$"):
        words(example._inner())
    stage(state, "run")
    (message,) = words(example._inner())
    assert "swap/state" in message and "Nothing was changed" not in message


def test_what_goes_wrong_later_is_told_as_well(state: State) -> None:
    @operation
    def later(error: Exception) -> Commands:
        yield StringCommand("first")
        raise error

    stage(state, "run")
    assert words(later._inner(FactProcessError("the server hung up"))) == ["first", "the server hung up"]
    assert words(later._inner(CouldNotLook("Docker died"))) == ["first", "This could not be looked at: Docker died."]


# --- Shown once ---------------------------------------------------------------------------------


def test_reasons_are_shown_once_in_every_kind_of_run(state: State, caplog: pytest.LogCaptureFixture) -> None:
    def shown(*stages: tuple[bool, bool]) -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.INFO, "pyinfra"):
            for check_for_changes, is_executing in stages:
                state.check_for_changes, state.is_executing = check_for_changes, is_executing
                announce("one", "two")
        return [record.message.partition("] ")[2] for record in caplog.records]

    assert shown((True, False), (True, True)) == ["one", "two"]  # a plan, then a run
    assert shown((False, False), (False, True)) == ["one", "two"]  # -y: a rehearsal, then a run
    assert shown((True, False)) == ["one", "two"]  # --dry
    assert is_the_moment_to_show() is True


# --- With -y ------------------------------------------------------------------------------------

DEPLOY = """\
from pyinfra.api import StringCommand

from mstdn.fact import CouldNotLook
from mstdn.operation import announce, operation
from mstdn.refusal import refuse


@operation
def command(words):
    announce(f"because of {words}")
    yield StringCommand("echo", words)
    yield StringCommand("echo", words, "again")


@operation
def refusal():
    yield from refuse("It cannot be.\\nDo something else.")


@operation
def unknown():
    raise CouldNotLook("Docker does not run")
    yield


command(name="First", words="change")
"""


def run(tmp_path: Any, text: str, *arguments: str) -> Run:
    (tmp_path / "deploy.py").write_text(DEPLOY + text)
    return pyinfra(write_inventory(tmp_path), str(tmp_path / "deploy.py"), *arguments)


@pytest.mark.parametrize("arguments", [["--yes"], ["--dry"]], ids=["with -y", "planned"])
def test_the_refusal_of_the_last_operation_comes_before_the_first_change(tmp_path: Any, arguments: list[str]) -> None:
    result = run(tmp_path, 'refusal(name="Last")\n', *arguments, "-vv")
    assert result.returncode == 1
    for line in ("It cannot be.", "Do something else.", "Nothing was changed."):
        assert line in result.text
    assert "echo change" not in result.text
    assert "Traceback" not in result.text


@pytest.mark.parametrize("arguments", [["--yes"], ["--dry"]], ids=["with -y", "planned"])
def test_a_reason_is_shown_once_and_each_command_runs_once(tmp_path: Any, arguments: list[str]) -> None:
    result = run(tmp_path, "", *arguments, "-vv")
    assert result.returncode == 0, result.text
    assert result.text.count("because of change") == 1
    assert result.text.count("echo change again") == (1 if arguments == ["--yes"] else 0)


def test_what_cannot_be_known_before_the_first_change_does_not_stop_a_run_with_y_before_it(tmp_path: Any) -> None:
    # A fresh server has no engine yet: what needs one is asked again when its turn comes.
    result = run(tmp_path, 'unknown(name="Last")\n', "--yes", "-vv")
    assert result.returncode == 1
    assert "echo change again" in result.text
    assert "This could not be looked at: Docker does not run." in result.text
    assert "Traceback" not in result.text


def test_an_operation_keeps_its_name_and_its_documentation() -> None:
    assert getattr(example, "__name__", "") == "example"
    assert example.__doc__ == "Ask, tell, and run two commands."


def test_every_operation_of_the_suite_is_one_of_these() -> None:
    """One that is not would refuse after the first change, with -y, and would keep old answers."""
    sources = [file for file in (ROOT / "mstdn").rglob("*.py") if file.name != "operation.py"]
    assert [str(file) for file in sources if "pyinfra.api import operation" in file.read_text()] == []
