"""What is wrong with the operator's input, told so that it can be put right without reading code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """
    One thing to put right.

    subject: the setting, file or host at fault. wrong: a sentence fragment. instead: what to type or do.
    seen: the value as Python writes it, or None where there is none or it could be a secret.
    """

    subject: str
    wrong: str
    instead: str
    seen: str | None = None

    def __str__(self) -> str:
        seen = [] if self.seen is None else [f"    seen:    {self.seen}"]
        return "\n".join([f"  {self.subject}", f"    wrong:   {self.wrong}", *seen, f"    instead: {self.instead}"])


def report(title: str, problems: Iterable[Problem]) -> str:
    """The title and every problem below it, as one text for one DeployError."""
    return "\n\n".join([title, *map(str, problems)])
