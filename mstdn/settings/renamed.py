"""Settings that were renamed: the old name is known for one release, and says the new one."""

from __future__ import annotations

from dataclasses import dataclass

from mstdn.problems import Problem


@dataclass(frozen=True)
class Renamed:
    """`new`: today's name. `since`: the version of the suite that brought it. `instead`: what to type."""

    new: str
    since: str
    instead: str


RENAMED: dict[str, Renamed] = {}


def renamed(key: str) -> Problem:
    """What to say of a setting under its old name."""
    today = RENAMED[key]
    return Problem(key, f"since {today.since} it is called {today.new}", today.instead)
