"""Facts about what there is to remove."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Fact, Lines, Question


@dataclass(frozen=True)
class Remains:
    """
    `there`: those of the paths of the question that exist. `proxy`: what lies in proxy_root, three levels deep, by its
    path relative to it: "d" for a directory, "f" for a file, "l" for a link.
    """

    there: frozenset[str] = frozenset()
    proxy: tuple[tuple[str, str], ...] = ()


class FilesThere(Fact[Remains]):
    """Which directories and files of the suite there are."""

    script = "uninstall/look"

    @classmethod
    def of(cls, proxy_root: str, paths: Iterable[str]) -> Question[Remains]:
        """proxy_root: directory that others may have files in. paths: to look for."""
        return cls.question(proxy_root, *paths)

    @override
    def read(self, lines: Lines) -> Remains:
        entries = (each.partition(" ") for each in lines.all("proxy"))
        return Remains(frozenset(lines.all("there")), tuple((path, kind) for kind, _, path in entries))


class NetworksThere(EngineFact[dict[str, str]]):
    """Every network of the engine by its name, with the Compose project that made it, "-" without one."""

    script = "uninstall/networks"

    @classmethod
    def all(cls) -> Question[dict[str, str]]:
        """The question without arguments."""
        return cls.question()

    @override
    def read(self, lines: Lines) -> dict[str, str]:
        return dict(lines.words("network"))
