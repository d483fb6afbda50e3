"""Facts about the way back."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question
from mstdn.layout import PROGRAM_SETTINGS, RESTORE_NOTE


@dataclass(frozen=True)
class Way:
    """
    `instance`, `keys`: what is here. `restoring`: the note of a restore that is under way, by key: "snapshot", and how
    far it is. `free_kib`: in mastodon_root; `elsewhere`: that and the mount of "database" and "media", where they lie
    on another disk. `snapshot`: the one that was asked for, "" if there is none. `manifest`: what
    it says of itself. `refused`: restic's own words, "" where it answered.
    """

    instance: bool = False
    keys: bool = False
    restoring: dict[str, str] = field(default_factory=dict)
    free_kib: int = 0
    elsewhere: dict[str, tuple[int, str]] = field(default_factory=dict)
    snapshot: str = ""
    manifest: dict[str, str] = field(default_factory=dict)
    refused: str = ""


class WayBack(Fact[Way]):
    """What a restore would meet."""

    script = "restore/look"

    @classmethod
    def of(cls, snapshot: str, root: str, repository: str) -> Question[Way]:
        """snapshot, repository: the settings. root: mastodon_root."""
        return cls.question(snapshot, RESTORE_NOTE, root, PROGRAM_SETTINGS, repository)

    @override
    def read(self, lines: Lines) -> Way:
        return Way(
            instance="instance" in lines,
            keys="keys" in lines,
            restoring=_pairs(lines.all("restoring")),
            free_kib=int(lines.get("free", "0")),
            elsewhere={
                part: (int(kib), mount) for part, kib, mount in (line.split(" ", 2) for line in lines.all("elsewhere"))
            },
            snapshot=lines.get("snapshot"),
            manifest=_pairs(lines.all("manifest")),
            refused=lines.get("refused"),
        )


def _pairs(lines: list[str]) -> dict[str, str]:
    return {key: value for key, _, value in (line.partition(" ") for line in lines)}
