"""Facts about units of systemd."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question


@dataclass(frozen=True)
class Unit:
    """
    `loaded`: systemd knows its file. `enabled`: it comes back after a reboot. `active`: a timer waits, a service works.
    """

    name: str
    loaded: bool
    enabled: bool
    active: bool


@dataclass(frozen=True)
class UnitStates:
    """`units` by name. `stale`: a file is newer than what systemd has read of it."""

    units: dict[str, Unit] = field(default_factory=dict)
    stale: bool = False


class Units(Fact[UnitStates]):
    """What systemd knows of some units."""

    script = "timers/state"

    @classmethod
    def of(cls, names: Iterable[str]) -> Question[UnitStates]:
        """names: of the units, with what follows their dot."""
        return cls.question(*names)

    @override
    def read(self, lines: Lines) -> UnitStates:
        found = (
            Unit(name, loaded == "loaded", enabled == "enabled", active in ("active", "activating"))
            for name, loaded, enabled, active in lines.words("unit")
        )
        return UnitStates({each.name: each for each in found}, "stale" in lines)
