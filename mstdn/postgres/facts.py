"""Facts about the database's data directory, and about a move out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question
from mstdn.layout import POSTGRES_MOVE, MastodonLayout

UNIT = f"{POSTGRES_MOVE}.service"


@dataclass(frozen=True)
class Directories:
    """
    `major`: the release that made the database, "17"; "" without one. `real`: where it lies, without links; `mounted`:
    a file system is mounted there. `tablespaces`: of its own. `before`: the release of the directory that was kept
    aside, "" without one, and `before_mib` its size. `under`: the note of a move that is under way, by key. `working`:
    its unit is at work. `size_mib` and `free_mib`: of the database and of its disk, 0 if nobody asked for it.
    """

    major: str = ""
    real: str = ""
    mounted: bool = False
    tablespaces: tuple[str, ...] = ()
    before: str = ""
    before_mib: int = 0
    under: dict[str, str] = field(default_factory=dict)
    working: bool = False
    size_mib: int = 0
    free_mib: int = 0


class DataDirectories(Fact[Directories]):
    """What a move of the database would meet."""

    script = "postgres/look"

    @classmethod
    def under(cls, root: str, *, size: bool = False) -> Question[Directories]:
        """root: of the instance. size: whether to look at sizes as well."""
        return cls.question(root, MastodonLayout(root).postgres_upgrade, UNIT, *(["size"] if size else []))

    @override
    def read(self, lines: Lines) -> Directories:
        before, _, before_kib = lines.get("before", " 0").partition(" ")
        return Directories(
            major=lines.get("database"),
            real=lines.get("real"),
            mounted="mounted" in lines,
            tablespaces=tuple(lines.all("tablespace")),
            before=before,
            before_mib=int(before_kib) // 1024,
            under={key: value for key, _, value in (line.partition(" ") for line in lines.all("under"))},
            working="working" in lines,
            size_mib=int(lines.get("size", "0")) // 1024,
            free_mib=int(lines.get("free", "0")) // 1024,
        )
