"""Facts about where directories lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question
from mstdn.layout import SYSTEM_PLACES


@dataclass(frozen=True)
class Place:
    """
    A directory. `real`: its path without symbolic links; `mount`: where the file system is mounted on which it lies.
    `astray`: it is a link that leads nowhere. `read_only`: nothing can be written there.
    """

    directory: str
    real: str
    mount: str
    astray: bool = False
    read_only: bool = False


@dataclass(frozen=True)
class FileSystem:
    """
    What is mounted somewhere. `source`: "/dev/sdb1", or "/dev/vda1[/data/m]" for a directory of another mount.
    `uuid`: "" where it has none.
    """

    source: str
    uuid: str = ""


@dataclass(frozen=True)
class Note:
    """
    What the suite noted outside of the instance's directories when it was installed. `since`: the day, "2026-11-25".

    `mounts`: by directory, where it lay and on what, without those that lay on the system's own disk.
    """

    domain: str
    root: str
    since: str
    mounts: Mapping[str, tuple[str, FileSystem]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The note as a file."""
        lines = [f"{path} {mount} {found.source} {found.uuid or '-'}" for path, (mount, found) in self.mounts.items()]
        return "\n".join(
            [
                "# Written by the suite: which instance is installed here, and on which file systems it lies.",
                "# It is kept here because the instance's own directory may be on a volume that is not mounted.",
                f"LOCAL_DOMAIN={self.domain}",
                f"MASTODON_ROOT={self.root}",
                f"SINCE={self.since}",
                *(f"MOUNT={line}" for line in sorted(lines)),
                "",
            ]
        )


@dataclass(frozen=True)
class Storage:
    """
    `places`: directories of the instance; `system`: those of SYSTEM_PLACES. `instance`: an instance is installed in
    mastodon_root. `certificate`: proxy_root has one of the site.
    `note`: the suite's, None without one. `mounts`: what is mounted now but for the system's own disk, by place.
    `backups_in`: the instance's directory in which the directory of backups lies, "" where it lies apart.
    """

    places: tuple[Place, ...] = ()
    mounts: Mapping[str, FileSystem] = field(default_factory=dict)
    instance: bool = False
    certificate: bool = False
    note: Note | None = None
    backups_in: str = ""
    system: tuple[Place, ...] = ()


class Places(Fact[Storage]):
    """Where directories lie, and what was noted of that."""

    script = "storage/state"

    @classmethod
    def of(
        cls, note: str, root: str, proxy: str, domain: str, directories: Iterable[str], *, backups: str = ""
    ) -> Question[Storage]:
        """
        note: path of the suite's note. root, proxy: mastodon_root and proxy_root. domain: of the site. backups: their
        directory, where they are on this server.
        """
        return cls.question(note, root, proxy, domain, backups, *directories)

    @override
    def read(self, lines: Lines) -> Storage:
        astray = set(lines.all("astray"))
        found = (text.split("\t") for text in lines.all("place"))
        places = [Place(path, real, mount, path in astray, bool(ro)) for path, real, mount, *ro in found]
        above = set(lines.all("above"))
        inside = (text.partition(" ") for text in lines.all("inside"))
        return Storage(
            places=tuple(place for place in places if place.directory not in SYSTEM_PLACES),
            system=tuple(place for place in places if place.directory in SYSTEM_PLACES),
            mounts={mount: FileSystem(source, *uuid) for mount, source, *uuid in lines.words("mount")},
            instance="instance" in lines,
            certificate="certificate" in lines,
            note=_note(lines.all("noted")) if "noted" in lines else None,
            # The first is the outermost.
            backups_in=next((path.rstrip("/") for identity, _, path in inside if identity in above), ""),
        )


def _note(lines: list[str]) -> Note:
    values = Lines(line.replace("=", " ", 1) for line in lines)
    mounts = {
        path: (mount, FileSystem(source, "" if uuid == "-" else uuid))
        for path, mount, source, uuid in (words for words in values.words("MOUNT") if len(words) == 4)
    }
    return Note(values.get("LOCAL_DOMAIN"), values.get("MASTODON_ROOT"), values.get("SINCE"), mounts)
