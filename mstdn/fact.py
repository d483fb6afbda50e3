"""
What the suite knows of a server.

A fact is one script of a component and the way its lines are read. The script prints lines "key value"; it never
writes, starts or nudges anything. Three answers are possible: something is so, it is not so, and it could not be looked
at, for which the script prints "unknown" and the reason (nobody can ask a Docker Engine that does not run what it
holds).

A fact takes its arguments in `of(…)`, which makes a Question of them; ask(question) answers it (mstdn/asking.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pyinfra.api import FactBase, StringCommand
from pyinfra.api.exceptions import FactProcessError
from typing_extensions import override

from mstdn import shell

T = TypeVar("T")

UNKNOWN = "unknown"
# Finds what systemd knows of units, for all questions that are about them.
UNITS = "units"


class CouldNotLook(Exception):  # noqa: N818 (it is an answer, not an error)
    """The third answer: neither yes nor no. Its text says why, as the end of "this cannot be looked at: …"."""


class Lines:
    """The lines that a script printed, read by their keys. Every error of reading is a ValueError or KeyError."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._values: dict[str, list[str]] = {}
        for line in lines:
            key, _, value = line.partition(" ")
            self._values.setdefault(key, []).append(value)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def all(self, key: str) -> list[str]:
        """What follows the key in each line that begins with it, in their order."""
        return self._values.get(key, [])

    def words(self, key: str) -> list[list[str]]:
        """The same, split at white space."""
        return [value.split() for value in self.all(key)]

    def one(self, key: str) -> str:
        """What follows the key in its first line. Raises KeyError without one."""
        return self._values[key][0]

    def get(self, key: str, default: str = "") -> str:
        """What follows the key in its first line, or `default`."""
        return self._values.get(key, [default])[0]


class Fact(FactBase[T], Generic[T]):
    """
    One question about a server: `script` asks it, read() understands the answer. `before`: scripts whose texts go
    before it. `shared`: those that find, once for all questions of a batch that name them and in this order, what each
    of them would otherwise find for itself; they keep that in variables. `joint`: each line of the answer is about one
    argument, so that several questions of a batch are asked as one, with the arguments of all. `inside`: it starts a
    program in a container, which takes longer than most scripts, so that it goes first.
    """

    script: ClassVar[str] = ""
    before: ClassVar[tuple[str, ...]] = ()
    shared: ClassVar[tuple[str, ...]] = ()
    joint: ClassVar[bool] = False
    inside: ClassVar[bool] = False

    @override
    def command(self, *arguments: str) -> StringCommand:
        return shell.question(self.script, *arguments, before=self.before)

    @override
    def process(self, output: Iterable[str]) -> T:
        """
        The answer in these lines.

        Raises CouldNotLook if the script could not look, and FactProcessError, the only exception that pyinfra contains
        to one host, if the lines are something else than the script prints.
        """
        lines = Lines(output)
        if UNKNOWN in lines:
            raise CouldNotLook(lines.one(UNKNOWN))
        try:
            return self.read(lines)
        # RuntimeError is what a generator makes of a next() that found nothing; OSError is wrong with a packed text.
        except (
            ArithmeticError,
            AttributeError,
            EOFError,
            LookupError,
            OSError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            raise FactProcessError(f"{self.script} answered something unexpected: {error!r}") from error

    def read(self, lines: Lines) -> T:
        """What the lines say. Any error of reading may be raised as it comes."""
        raise TypeError(f"{type(self).__name__} does not say how it is read")

    @classmethod
    def about(cls, arguments: tuple[str, ...], lines: Iterable[str]) -> list[str]:
        """Those of the lines that are about these arguments. For facts that are `joint`."""
        raise TypeError(f"{cls.__name__} does not say what a line is about")

    @classmethod
    def question(cls, *arguments: str) -> Question[T]:
        """The question with these arguments of the script."""
        return Question(cls, arguments)


@dataclass(frozen=True)
class Question(Generic[T]):
    """A fact and the arguments of its script."""

    fact: type[Fact[T]]
    arguments: tuple[str, ...]
