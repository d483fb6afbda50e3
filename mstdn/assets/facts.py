"""Facts about published assets."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question


@dataclass
class Assets:
    """`current` and `previous` name directories ("" if there is none)."""

    current: str = ""
    previous: str = ""
    complete: bool = False


class PublishedAssets(Fact[Assets]):
    """What is published in a directory of the server."""

    script = "assets/state"

    @classmethod
    def under(cls, root: str) -> Question[Assets]:
        """root: the directory that the inner nginx serves."""
        return cls.question(root)

    @override
    def read(self, lines: Lines) -> Assets:
        return Assets(lines.get("current"), lines.get("previous"), "complete" in lines)
