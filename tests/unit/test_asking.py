"""How the suite asks a server: one batch, and answers that hold."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api import Config, Host, Inventory, State
from pyinfra.api.exceptions import DeployError, FactProcessError
from pyinfra.context import ctx_host, ctx_state
from typing_extensions import override

from mstdn import asking
from mstdn.asking import Batch, Questions, ask, foresee, forget
from mstdn.fact import CouldNotLook, Fact, Lines, Question


class Example(Fact[list[str]]):
    """The values of "word", which have to be there."""

    script = "swap/state"

    @override
    def read(self, lines: Lines) -> list[str]:
        return [lines.one("word"), *lines.all("word")[1:]]


ONE, TWO, THREE = Example.question("/one"), Example.question("/two"), Example.question("/three")

# --- A batch ------------------------------------------------------------------------------------


def both(*output: str) -> dict[int, list[str]]:
    return Batch().process(output)


def test_answers_are_told_apart_by_their_numbers() -> None:
    assert both("mstdn 0 a 1", "mstdn 1 b", "mstdn 0 a  2", "mstdn 0 end 0", "mstdn 1 end 0") == {
        0: ["a 1", "a  2"],
        1: ["b"],
    }


def test_a_question_that_has_nothing_to_say_is_answered() -> None:
    assert both("mstdn 0 end 0") == {0: []}


NOISE = ("Welcome to Debian!", "", "mstdn", "mstdn is running", "mstdn x y", "mstdn -1 a", " mstdn 0 a", "mstdn0 a")


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("place", range(4), ids=["before", "inside", "between", "after"])
def test_what_a_talking_login_shell_prints_is_skipped(noise: str, place: int) -> None:
    output = ["mstdn 0 a", "mstdn 0 end 0", "mstdn 1 end 0"]
    assert both(*output[:place], noise, *output[place:]) == {0: ["a"], 1: []}


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(["mstdn 0 word a", "mstdn 0 end 1"], id="it failed"),
        pytest.param(["mstdn 0 word a", "mstdn 0 end 127"], id="a program is missing"),
        pytest.param(["mstdn 0 word a"], id="it was cut off"),
        pytest.param([], id="nothing came"),
        pytest.param(["mstdn 0 word a", "mstdn 0 end"], id="its end was cut off"),
        pytest.param(["mstdn 0 word a", "mstdn 0 end 0 0"], id="its end is something else"),
    ],
)
def test_a_script_that_did_not_end_well_did_not_answer(output: list[str]) -> None:
    assert both(*output, "mstdn 1 word b", "mstdn 1 end 0") == {1: ["word b"]}


def test_a_question_travels_once() -> None:
    assert Batch.of([ONE, TWO, ONE]) == Questions([ONE, TWO])


def test_the_arguments_of_a_batch_are_a_few_words() -> None:
    assert f"{Batch.of([ONE, TWO])} {Batch.of([ONE])!r}" == "2 questions 1 questions"


def run_batch(questions: Questions, *shell: str) -> list[str]:
    command = Batch().command(questions).get_raw_value()
    result = subprocess.run([*shell, command], capture_output=True, text=True, check=False, timeout=30)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.fixture(name="scripts")
def _scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("mstdn.shell.SCRIPTS", tmp_path)
    return tmp_path


def question_to(
    scripts: Path, name: str, text: str, *arguments: str, sharing: tuple[str, ...] = (), enters: bool = False
) -> Question[None]:
    (scripts / f"{name}.sh").write_text(text)

    class Scripted(Fact[None]):
        script = name
        shared = sharing
        inside = enters

    return Scripted.question(*arguments)


def answers_of(*questions: Question[None]) -> dict[int, list[str]]:
    return Batch().process(run_batch(Batch.of(questions), "sh", "-c"))


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_real_scripts_answer_together_whatever_becomes_of_one(scripts: Path, shell: str) -> None:
    questions = Batch.of(
        [
            question_to(scripts, "Speaks", "printf 'word %s\\n' \"$@\"", "it's", "a  b", "$HOME `id` \\"),
            question_to(scripts, "Fails", "echo word; exit 3"),
            question_to(scripts, "Dies", "echo word; sh -c 'kill -9 $PPID'"),
            question_to(scripts, "Broken", "if then"),
            question_to(scripts, "HasNoEnd", "printf 'word without a newline'"),
            question_to(scripts, "IsSilent", "echo problem >&2"),
        ]
    )
    answers = Batch().process(["Last login: today", *run_batch(questions, shell, "-c")])
    assert answers[0] == ["word it's", "word a  b", "word $HOME `id` \\"]
    assert {*answers} == {0, 4, 5}
    # A file that somebody has edited may end so.
    assert answers[4] == ["word without a newline"]
    assert answers[5] == []


def test_what_several_questions_share_is_found_once(scripts: Path, tmp_path: Path) -> None:
    (scripts / "found.sh").write_text(f"echo x >>{tmp_path}/times; found='a  b'; export found; cat >/dev/null\n")
    answers = answers_of(
        *(question_to(scripts, f"Shares{n}", 'echo "$found"', sharing=("found",)) for n in range(3)),
        question_to(scripts, "Alone", 'echo "${found-nothing}"'),
    )
    assert answers == {0: ["a  b"], 1: ["a  b"], 2: ["a  b"], 3: ["nothing"]}
    assert (tmp_path / "times").read_text() == "x\n"


def test_questions_of_different_lanes_are_asked_at_the_same_time(scripts: Path, tmp_path: Path) -> None:
    (scripts / "found.sh").write_text("")
    here, there = tmp_path / "here", tmp_path / "there"
    for pipe in (here, there):
        os.mkfifo(pipe)
    # Each waits for the other.
    answers = answers_of(
        question_to(scripts, "One", f"echo a >{here}; read -r word <{there}; echo $word", sharing=("found",)),
        question_to(scripts, "Other", f"read -r word <{here}; echo b >{there}; echo $word", sharing=("found",)),
    )
    assert answers == {0: ["b"], 1: ["a"]}


def test_what_takes_longest_is_asked_first(scripts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mstdn.shell.LANES", 1)
    said = f"echo $1 >>{tmp_path}/order"
    answers_of(
        question_to(scripts, "Short", said, "short"),
        question_to(scripts, "Long", f"{said}; : {'long' * 100}", "long"),
        question_to(scripts, "Inside", said, "inside", enters=True),
    )
    assert (tmp_path / "order").read_text().split() == ["inside", "long", "short"]


def test_lines_of_two_lanes_do_not_mix_however_much_they_print(scripts: Path) -> None:
    (scripts / "found.sh").write_text("")
    # More than a pipe holds (64 KiB), in lines that are longer than what a kernel writes in one piece (4 KiB).
    much = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do printf '%s%8000s\\n' $1 x; done"
    questions = [question_to(scripts, f"P{n}", much, f"{n}", sharing=("found",) if n else ()) for n in range(4)]
    answers = answers_of(*questions)
    assert {number: {line[0] for line in lines} for number, lines in answers.items()} == {
        number: {str(number)} for number in range(4)
    }
    assert all([len(line) for line in lines] == [8001] * 20 for lines in answers.values())


def test_a_question_cannot_read_what_is_meant_for_others(scripts: Path) -> None:
    (scripts / "found.sh").write_text("")
    reading = [question_to(scripts, f"Reads{n}", "cat; echo read", sharing=("found",) if n else ()) for n in range(3)]
    assert answers_of(*reading) == {0: ["read"], 1: ["read"], 2: ["read"]}


class Apart(Fact[list[str]]):
    """Says of each of its arguments what it is about."""

    script = "Apart"
    joint = True

    @classmethod
    @override
    def about(cls, arguments: tuple[str, ...], lines: Iterable[str]) -> list[str]:
        return [line for line in lines if line.split()[1] in arguments]

    @override
    def read(self, lines: Lines) -> list[str]:
        return lines.all("is")


class Carried:
    """A host to which batches travel, each at once answered by a shell of this machine."""

    def __init__(self) -> None:
        self.times: list[int] = []

    def get_fact(self, _: type[Batch], questions: Questions) -> dict[int, list[str]]:
        self.times.append(len(questions))
        return Batch().process(run_batch(questions, "sh", "-c"))


def test_questions_of_a_joint_fact_travel_as_one_and_each_gets_its_own_answer(scripts: Path) -> None:
    (scripts / "Apart.sh").write_text(
        "for each; do printf 'is %s\\n' \"$each\"; done; echo x >>ran\n".replace("ran", f"{scripts}/ran")
    )
    other = question_to(scripts, "BesideThem", "printf 'word %s\\n' \"$@\"", "c")
    one, two, none = Apart.question("a", "b"), Apart.question("b", "c"), Apart.question()
    host: Any = Carried()
    answers = asking._answers_to(host, Batch.of([one, other, two, none]))
    assert answers == {one: ["is a", "is b"], other: ["word c"], two: ["is b", "is c"], none: []}
    assert host.times == [2] and (scripts / "ran").read_text() == "x\n"


def test_where_a_joint_question_is_not_answered_none_of_them_is(scripts: Path) -> None:
    class Failing(Apart):
        script = "ApartAndFailing"

    (scripts / "ApartAndFailing.sh").write_text("exit 3")
    one, two = Failing.question("a"), Failing.question("b")
    host: Any = Carried()
    assert asking._answers_to(host, Batch.of([one, two])) == {one: None, two: None}


# --- What is asked when -------------------------------------------------------------------------


class Server:
    """Stands in for what travels to a server: every batch, and what is answered."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.lines: list[str] | None = ["word a"]

    def answer(self, _: Host, batch: Questions) -> dict[Question[Any], list[str] | None]:
        self.batches.append([each.arguments[0] for each in batch])
        return dict.fromkeys(batch, self.lines)


@pytest.fixture(name="state")
def _state() -> Iterator[State]:
    state = State(Inventory(([("@fake/a", {}), ("@fake/b", {})], {})), Config())  # type: ignore[no-untyped-call]
    ctx_state.set(state)  # type: ignore[no-untyped-call]
    ctx_host.set(host_called(state, "@fake/a"))  # type: ignore[no-untyped-call]
    yield state
    ctx_host.reset()
    ctx_state.reset()


@pytest.fixture(name="server")
def _server(state: State, monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(asking, "_answers_to", server.answer)
    monkeypatch.setattr(asking, "_foreseen", [])
    foresee(lambda host: [ONE, TWO])
    return server


def host_called(state: State, name: str) -> Host:
    found = state.inventory.get_host(name)
    assert isinstance(found, Host)
    return found


def test_all_foreseen_questions_travel_with_the_first(server: Server) -> None:
    assert ask(TWO) == ["a"]
    assert server.batches == [["/one", "/two"]]
    ask(ONE)
    ask(TWO)
    assert len(server.batches) == 1


def test_foreseen_questions_are_on_their_way_before_somebody_asks(
    server: Server, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, order = threading.Event(), list[str]()

    def answer(host: Host, batch: Questions) -> dict[Question[Any], list[str] | None]:
        assert ctx_host.get() is host and ctx_state.get() is state  # type: ignore[no-untyped-call]
        sent.set()
        arrived.wait(5)
        order.append("answered")
        return server.answer(host, batch)

    arrived = threading.Event()
    monkeypatch.setattr(asking, "_answers_to", answer)
    monkeypatch.setattr(host_called(state, "@fake/a").connector, "sent", sent, raising=False)
    foresee(lambda host: [ONE, TWO], meanwhile=lambda host: order.append("meanwhile"))
    arrived.set()
    assert (ask(ONE), ask(TWO)) == (["a"], ["a"])
    assert order == ["meanwhile", "answered"] and server.batches == [["/one", "/two"]]


def test_who_asks_what_is_known_does_not_wait_for_what_is_under_way(
    server: Server, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(ONE)
    sent, arrived = threading.Event(), threading.Event()

    def answer(host: Host, batch: Questions) -> dict[Question[Any], list[str] | None]:
        sent.set()
        arrived.wait(5)
        return server.answer(host, batch)

    monkeypatch.setattr(asking, "_answers_to", answer)
    monkeypatch.setattr(host_called(state, "@fake/a").connector, "sent", sent, raising=False)
    asking.ask_ahead(THREE)
    assert ask(ONE) == ["a"] and not arrived.is_set()
    arrived.set()
    assert ask(THREE) == ["a"] and server.batches == [["/one", "/two"], ["/three"]]


def test_what_becomes_of_questions_under_way_is_told_to_who_asks(
    server: Server, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(host: Host, batch: Questions) -> dict[Question[Any], list[str] | None]:
        raise DeployError("The connection was lost.")

    monkeypatch.setattr(asking, "_answers_to", refuse)
    monkeypatch.setattr(host_called(state, "@fake/a").connector, "sent", threading.Event(), raising=False)
    foresee(lambda host: [ONE])
    with pytest.raises(DeployError, match=r"^The connection was lost\.$"):
        ask(ONE)


def test_a_question_that_nobody_foresaw_travels_with_the_others_or_alone(server: Server) -> None:
    ask(THREE)
    assert server.batches == [["/one", "/two", "/three"]]
    ask(Example.question("/four"))
    assert server.batches[1:] == [["/four"]]


def test_answers_hold_until_something_changed(server: Server) -> None:
    ask(ONE)
    server.lines = ["word b"]
    assert ask(ONE) == ["a"]
    forget()
    assert ask(ONE) == ["b"]
    assert server.batches == [["/one", "/two"], ["/one"]]


def test_after_a_change_two_questions_are_asked_one_by_one_and_then_all_that_are_open(server: Server) -> None:
    questions = [Example.question(f"/{number}") for number in range(5)]
    foresee(lambda host: questions)
    ask(questions[0])
    for _ in range(2):
        server.batches.clear()
        forget()
        for question in questions:
            ask(question)
        assert server.batches == [["/0"], ["/1"], ["/2", "/3", "/4"]]


@pytest.mark.parametrize(
    ("at_work", "own", "open_ones"),
    [
        ("machine", ["/0", "/1"], ["/2", "/3", "/4", "/5"]),
        ("files", ["/1", "/3"], ["/2", "/4", "/5"]),
        ("end", ["/4"], ["/2", "/5"]),
        # Of one that was not planned nobody knows what it asks, nor what comes after it.
        ("another", [], ["/0", "/1", "/2", "/3", "/4", "/5"]),
        (None, [], ["/0", "/1", "/2", "/3", "/4", "/5"]),
    ],
)
def test_after_a_change_an_operation_asks_what_it_asked_before_and_then_nothing_that_only_earlier_ones_need(
    server: Server, state: State, at_work: str | None, own: list[str], open_ones: list[str]
) -> None:
    questions = [Example.question(f"/{number}") for number in range(6)]
    foresee(lambda host: questions)
    host = host_called(state, "@fake/a")
    # The last of them is asked by nobody until something has changed.
    for operation, asks in (("machine", (0, 1)), ("files", (1, 3)), ("end", (4,))):
        host.current_op_hash = operation
        for number in asks:
            ask(questions[number])
    state.is_executing, state.check_for_changes = True, False
    host.current_op_hash = at_work
    forget()
    for name in ("/six", "/seven", "/2"):
        ask(Example.question(name))
    assert server.batches[1:-1] == [[*own, "/six"], ["/seven"]]
    assert sorted(server.batches[-1]) == open_ones


def test_an_answer_is_read_once_until_something_changed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(ONE) is ask(ONE) and ask(ONE) is not ask(TWO)
    before = ask(ONE)
    forget()
    assert ask(ONE) is not before


def test_what_one_host_forgets_another_still_knows(server: Server, state: State) -> None:
    hosts = [host_called(state, name) for name in ("@fake/a", "@fake/b")]
    for host in hosts:
        ctx_host.set(host)  # type: ignore[no-untyped-call]
        ask(ONE)
    assert len(server.batches) == 2
    forget()
    ctx_host.set(hosts[0])  # type: ignore[no-untyped-call]
    ask(ONE)
    assert len(server.batches) == 2
    ctx_host.set(hosts[1])  # type: ignore[no-untyped-call]
    ask(ONE)
    assert len(server.batches) == 3


@pytest.mark.parametrize(("planned", "batches"), [(True, 2), (False, 1)], ids=["after a plan", "with -y"])
def test_answers_of_a_plan_do_not_outlive_the_persons_decision(
    server: Server, state: State, planned: bool, batches: int
) -> None:
    state.check_for_changes = planned
    ask(ONE)
    server.lines = ["word b"]
    state.is_executing = True
    assert ask(ONE) == (["b"] if planned else ["a"])
    ask(TWO)
    ask(ONE)
    assert len(server.batches) == batches


def test_a_server_that_does_not_answer_is_told_with_the_way_to_look_closer(server: Server) -> None:
    server.lines = None
    with pytest.raises(FactProcessError, match=r"^the server did not answer swap/state; run with -vv"):
        ask(ONE)


def test_a_reason_not_to_have_looked_reaches_who_asked(server: Server) -> None:
    server.lines = ["unknown Docker does not run"]
    for _ in range(2):
        with pytest.raises(CouldNotLook, match=r"^Docker does not run$"):
            ask(ONE)
    assert len(server.batches) == 1


def test_two_hosts_do_not_share_what_a_fact_says_of_a_bare_server() -> None:
    assert Batch.default() == Batch.default() == {}
    assert Batch.default() is not Batch.default()
