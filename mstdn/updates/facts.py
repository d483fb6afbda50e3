"""Facts about the system's own updates."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from mstdn.fact import UNITS, Fact, Lines, Question
from mstdn.updates.rules import PACKAGE, TIMERS


@dataclass(frozen=True)
class Updates:
    """
    `installed`: the package is. `periodic`: what apt's configuration says of daily upgrades: "1", "0", or "" for
    nothing. `masked`: timers of apt that somebody has disabled or masked.
    """

    installed: bool = False
    periodic: str = ""
    masked: tuple[str, ...] = ()


class UpdateState(Fact[Updates]):
    """Whether, and by whose will, the system keeps itself up to date."""

    script = "updates/state"
    before = (UNITS,)
    shared = (UNITS,)

    @classmethod
    def of_the_server(cls) -> Question[Updates]:
        """The question."""
        return cls.question(PACKAGE, *TIMERS)

    @override
    def read(self, lines: Lines) -> Updates:
        return Updates("installed" in lines, lines.get("periodic"), tuple(lines.all("off")))
