"""Facts about apt."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question


@dataclass(frozen=True)
class SourceFile:
    """A file that apt reads sources from; `mode` is octal ("0644")."""

    path: str
    mode: str
    text: str


@dataclass(frozen=True)
class Sources:
    """
    `files`: those that name the host of the repository asked for. `problems`: apt's own words on what it cannot read.
    """

    files: tuple[SourceFile, ...] = ()
    problems: tuple[str, ...] = ()


class AptSources(Fact[Sources]):
    """What apt reads of one repository, wherever it is written."""

    script = "apt/sources"

    @classmethod
    def naming(cls, host: str, own: str) -> Question[Sources]:
        """host: of the repository. own: the suite's own file; problems are looked for when others are newer."""
        return cls.question(host, own)

    @override
    def read(self, lines: Lines) -> Sources:
        files = (
            SourceFile(path, mode, base64.b64decode("".join(text)).decode(errors="replace"))
            for path, mode, *text in lines.words("source")
        )
        return Sources(tuple(files), tuple(lines.all("problem")))
