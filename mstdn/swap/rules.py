"""Where a swap file can be. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.finding import Finding
from mstdn.swap.facts import Swap

# The kernel needs the blocks of the file on a disk of its own. Names as stat -f has them. Source: swapon(8), "Files".
IMPOSSIBLE = frozenset(
    (
        *("overlayfs", "zfs", "tmpfs", "ramfs", "nfs", "cifs", "smb2", "fuseblk", "aufs", "v9fs", "ceph"),
        *("bcachefs", "ecryptfs", "squashfs", "ubifs"),
    )
)


def findings(swap: Swap, path: str, size_mib: int) -> Iterator[Finding]:
    """What keeps a swap file of this size from being made at path, where one has to be made."""
    if size_mib == 0 or swap.path in swap.active or others_mib(swap) >= size_mib:
        return
    if swap.obstacle:
        yield Finding(
            "error",
            f"swap_path is {path}, which is a {swap.obstacle} and no file. Name a file that does not exist yet; swap "
            "that is active already is respected without it (swapon, and a line in /etc/fstab).",
        )
    elif swap.foreign:
        yield Finding("error", somebodys_file(swap, path))
    elif swap.file_system in IMPOSSIBLE:
        yield Finding(
            "error",
            f"{path} lies on a file system on which no swap file can be ({swap.file_system}). Set swap_path to a "
            "place on another; or add a swap partition, which is then respected; or, if the memory is enough, "
            "swap_size_mib = 0.",
        )


def somebodys_file(swap: Swap, path: str) -> str:
    """What to say where the file at `path` (the setting swap_path) is not the suite's to replace."""
    return (
        f"swap_path is {path}, and there is a file already that is no swap. The suite would put a swap file in its "
        f"place: name a file that does not exist yet, or move it away: mv {swap.path} {swap.path}.old"
    )


def others_mib(swap: Swap) -> int:
    """MiB of swap in use beside the suite's file. Rounded, because the kernel counts each a page short."""
    return round(sum(size for other, size in swap.active.items() if other != swap.path) / 1024)
