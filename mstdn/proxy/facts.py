"""Facts about the proxy."""

from __future__ import annotations

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Lines, Question


class CompanionLog(EngineFact[list[str]]):
    """The last lines that acme-companion wrote; none without it."""

    script = "proxy/companion_log"

    @classmethod
    def last_lines(cls) -> Question[list[str]]:
        """The question without arguments."""
        return cls.question()

    @override
    def read(self, lines: Lines) -> list[str]:
        return lines.all("line")
