"""Free space, as the scripts of several facts print it."""

from __future__ import annotations

from dataclasses import dataclass

from mstdn.fact import Lines


@dataclass(frozen=True)
class Disk:
    """
    The file system on which `path` lies or will lie: its free space in MiB, where it is mounted, and how many files it
    can still take; None where it does not count them.
    """

    path: str
    free_mib: int
    mount: str
    free_files: int | None = None


def disks_of(lines: Lines) -> tuple[Disk, ...]:
    """Of lines "disk PATH KIB MOUNT [FILES]". Raises ValueError where one is something else."""
    return tuple(
        Disk(path, int(kib) // 1024, mount, int(files[0]) if files else None)
        for path, kib, mount, *files in lines.words("disk")
    )
