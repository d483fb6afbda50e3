"""Facts about backups."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question
from mstdn.layout import BACKUP_NOTE, RESTORE_NOTE


@dataclass(frozen=True)
class Backups:
    """
    `programs`: of Debian's packages that backups need, which are there. `location`, `snapshot`, `time`: where the last
    backup of this server is, what it is called and when it was made, in seconds since the epoch; "" and 0 without one.
    `restoring`: the snapshot of a restore that is under way, "" for none.
    """

    programs: frozenset[str] = frozenset()
    location: str = ""
    snapshot: str = ""
    time: int = 0
    restoring: str = ""


class BackupState(Fact[Backups]):
    """What the server knows of its backups; the repository is not asked."""

    script = "backup/state"

    @classmethod
    def of_the_server(cls) -> Question[Backups]:
        """The question."""
        return cls.question(BACKUP_NOTE, RESTORE_NOTE)

    @override
    def read(self, lines: Lines) -> Backups:
        # A note that was damaged is one of no backup.
        last = {key: value for key, _, value in (line.partition(" ") for line in lines.all("last"))}
        programs = frozenset(name for name in ("restic", "ssh") if name in lines)
        return Backups(
            programs,
            last.get("location", ""),
            last.get("snapshot", ""),
            int(time) if (time := last.get("time", "")).isdecimal() else 0,
            lines.get("restoring"),
        )
