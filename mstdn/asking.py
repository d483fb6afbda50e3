"""
How the suite asks a server: every question of a run in one remote command, and answers that hold until something
changes.

ask(question) answers one. Components do not know that all foreseen questions (mstdn/questions.py) travel together: a
link of 100 ms would make each one cost 200 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pyinfra import state
from pyinfra.api import FactBase, Host, StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.context import ContextManager, ctx_config, ctx_host, ctx_state
from typing_extensions import override

from mstdn import shell
from mstdn.fact import Fact, Question

T = TypeVar("T")

# What begins each line that is ours. A login shell that talks, or a message of the day, is skipped.
MARK = "mstdn"

# Where one thing was changed, as a rule the next operation changes something too, and on a new server each does: all
# answers would be thrown away again. So these many times only what the operation at work asks travels, and after that
# all that is open.
SPARINGLY = 2

Foreseen = Callable[[Host], Iterable[Question[Any]]]
# By question, None for one that the host did not answer.
Answers = dict[Question[Any], list[str] | None]


@dataclass
class _Known:
    """
    What one host answered. `planned`: asked while planning. `understood`: the answers that were read already. `coming`:
    waits for the answers that are under way, or raises what became of them.
    `sparingly`: how many times still only what an operation itself asks is asked.
    """

    planned: bool
    answers: Answers = field(default_factory=dict)
    understood: dict[Question[Any], Any] = field(default_factory=dict)
    coming: Callable[[], Answers] | None = None
    sparingly: int = 0


_hosts: WeakKeyDictionary[Host, _Known] = WeakKeyDictionary()
# Which questions each operation has asked while it was planned, by pyinfra's name for it, in the operations' order.
_planned: WeakKeyDictionary[Host, dict[str, dict[Question[Any], None]]] = WeakKeyDictionary()
_foreseen: list[Foreseen] = []


def foresee(questions: Foreseen, meanwhile: Callable[[Host], None] = lambda host: None) -> None:
    """
    Have the questions that this function names for a host asked together with the first one.

    The host at work is asked now. meanwhile: what there is to do on this machine while it looks.
    """
    _foreseen[:] = [questions]
    ask_ahead()
    meanwhile(host_at_work())


def ask_ahead(*questions: Question[Any]) -> None:
    """
    Ask these, and all foreseen ones that are open, but do not wait for the answers: who asks later will.

    Returns when the command is on its way to the host at work. Does nothing where the connector cannot tell that.
    """
    at_work = host_at_work()
    known, sent = _known(at_work), getattr(at_work.connector, "sent", None)
    open_ones = Batch.of((*_still_open(at_work, known), *(each for each in questions if each not in known.answers)))
    if sent and open_ones and not known.coming:
        sent.clear()
        pool = ThreadPoolExecutor(1)
        asking = pool.submit(_answers_in_a_thread, _here(), at_work, open_ones)
        asking.add_done_callback(lambda _: sent.set())
        pool.shutdown(wait=False)
        known.coming = asking.result
        sent.wait()


def ask(question: Question[T]) -> T:
    """
    The present answer of the host at work. Whoever asks next gets the same object, so nobody changes it.

    Raises CouldNotLook as the script says, and FactProcessError if the server did not answer the question.
    """
    at_work = host_at_work()
    known = _known(at_work)
    if (operation := at_work.current_op_hash) and not state.is_executing:
        _planned.setdefault(at_work, {}).setdefault(operation, {})[question] = None
    if known.coming and question not in known.answers:
        coming, known.coming = known.coming, None
        known.answers |= coming()
    if question not in known.answers:
        others = _own(at_work, known) if known.sparingly > 0 else _still_open(at_work, known)
        known.sparingly -= 1
        known.answers |= _answers_to(at_work, Batch.of((*others, question)))
    lines = known.answers[question]
    if lines is None:
        raise FactProcessError(f"the server did not answer {question.fact.script}; run with -vv to see its output")
    # A long answer, such as every rule of a firewall, is asked for by several operations.
    if question not in known.understood:
        known.understood[question] = question.fact().process(lines)
    understood: T = known.understood[question]
    return understood


def travelling(questions: Iterable[Question[Any]]) -> dict[Question[Any], Question[Any]]:
    """The question that travels for each of these: one for all that are of the same joint fact."""
    batch = Batch.of(questions)
    arguments: dict[type[Fact[Any]], dict[str, None]] = {}
    for each in batch:
        arguments.setdefault(each.fact, {}).update(dict.fromkeys(each.arguments))
    return {each: each.fact.question(*arguments[each.fact]) if each.fact.joint else each for each in batch}


def forget() -> None:
    """Something on the host at work may have changed: whatever it answered is asked anew when it is needed."""
    _hosts[host_at_work()] = _Known(planned=not state.is_executing, sparingly=SPARINGLY)


def host_at_work() -> Host:
    """The host itself: pyinfra's `host` is one object that stands for all of them, and cannot be a key."""
    at_work: Host = ctx_host.get()  # type: ignore[no-untyped-call]
    return at_work


def _answers_to(of: Host, batch: Questions) -> Answers:
    sent = travelling(batch)
    questions = Batch.of(sent.values())
    answers = of.get_fact(Batch, questions=questions)
    lines = {each: answers.get(number) for number, each in enumerate(questions)}
    return {each: _lines_about(each, lines[sent[each]]) for each in batch}


def _lines_about(question: Question[Any], lines: list[str] | None) -> list[str] | None:
    if lines is None or not question.fact.joint:
        return lines
    return question.fact.about(question.arguments, lines)


def _here() -> list[tuple[ContextManager, Any]]:
    """What pyinfra is at work with. Its contexts belong to one thread each."""
    return [(context, context.get()) for context in (ctx_state, ctx_config, ctx_host)]  # type: ignore[no-untyped-call]


def _answers_in_a_thread(here: list[tuple[ContextManager, Any]], of: Host, batch: Questions) -> Answers:
    for context, value in here:
        context.set(value)  # type: ignore[no-untyped-call]
    return _answers_to(of, batch)


def _known(of: Host) -> _Known:
    known = _hosts.get(of)
    # Between plan and run a person decides, which may take an hour.
    stale = known is not None and known.planned and state.is_executing and state.check_for_changes
    if known is None or stale:
        known = _hosts[of] = _Known(planned=not state.is_executing)
    return known


def _still_open(of: Host, known: _Known) -> Iterator[Question[Any]]:
    behind = _behind(of)
    for questions in _foreseen:
        yield from (each for each in questions(of) if each not in known.answers and each not in behind)


def _own(of: Host, known: _Known) -> Iterator[Question[Any]]:
    """What the operation at work has asked while it was planned, and is open."""
    asked = _planned.get(of, {}).get(of.current_op_hash or "", {}) if state.is_executing else {}
    return (each for each in asked if each not in known.answers)


def _behind(of: Host) -> set[Question[Any]]:
    """The questions that no operation of this run will ask any more; none where that is not known."""
    planned = _planned.get(of, {})
    if not state.is_executing or of.current_op_hash not in planned:
        return set()
    place, asked = list(planned).index(of.current_op_hash), list(planned.values())
    return set().union(*asked[:place]) - set().union(*asked[place:])


class Questions(tuple[Question[Any], ...]):
    """Questions that travel together. pyinfra -v shows the arguments of a fact: a few words are enough."""

    @override
    def __repr__(self) -> str:
        return f"{len(self)} questions"

    __str__ = __repr__


class Batch(FactBase[dict[int, list[str]]]):
    """
    Many questions in one remote command. The answer: lines by the number of the question, without those not answered.

    Each line of an answer begins with MARK and the number; the last is "end" with the script's exit code. What has no
    such beginning was printed by somebody else, a login shell for example, and is skipped.
    """

    @staticmethod
    def of(questions: Iterable[Question[Any]]) -> Questions:
        """These questions, each once, in their order."""
        return Questions(dict.fromkeys(questions))

    @override
    def command(self, questions: Questions) -> StringCommand:
        asked = [
            shell.Asked(each.fact.script, each.arguments, each.fact.before, each.fact.shared, each.fact.inside)
            for each in questions
        ]
        return shell.questions(asked, MARK)

    @staticmethod
    @override
    def default() -> dict[int, list[str]]:
        return {}

    @override
    def process(self, output: Iterable[str]) -> dict[int, list[str]]:
        answers: dict[int, list[str]] = {}
        ended: set[int] = set()
        for line in output:
            mark, _, rest = line.partition(" ")
            number, _, said = rest.partition(" ")
            if mark != MARK or not number.isdecimal():
                continue
            if said.startswith("end "):
                ended |= {int(number)} if said == "end 0" else set()
            else:
                answers.setdefault(int(number), []).append(said)
        return {number: answers.get(number, []) for number in ended}
