"""Facts about swap."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question

SWAPPINESS_FILE = "/etc/sysctl.d/60-mastodon-swap.conf"


@dataclass
class Swap:
    """
    `path`: of the swap file without symbolic links, as the kernel calls it. `file_system`: on which it lies or will
    lie, as stat -f calls it. `obstacle`: what is there instead of a regular file ("directory"), "" where nothing is.
    `foreign`: a file is there that nobody uses as swap, and that holds something else.
    `active`: KiB in use by path. The kernel counts a swap file one page short of its size.
    `file_bytes` and `file_mode` ("600") are of the file asked for, None without it.
    `swappiness` is what the kernel uses now, `persisted` what it will use after a reboot ("" if not said).
    """

    active: dict[str, int] = field(default_factory=dict)
    file_bytes: int | None = None
    file_mode: str | None = None
    file_user: str | None = None
    in_fstab: bool = False
    swappiness: str = ""
    persisted: str = ""
    path: str = ""
    file_system: str = ""
    obstacle: str = ""
    foreign: bool = False


class SwapState(Fact[Swap]):
    """Everything about one swap file, and which other swap is active."""

    script = "swap/state"

    @classmethod
    def of(cls, path: str) -> Question[Swap]:
        """path: of the swap file."""
        return cls.question(path, SWAPPINESS_FILE)

    @override
    def read(self, lines: Lines) -> Swap:
        swap = Swap(
            path=lines.get("real"),
            file_system=lines.get("system"),
            obstacle=lines.get("obstacle"),
            foreign="foreign" in lines,
            in_fstab="fstab" in lines,
            swappiness=lines.get("swappiness").strip(),
            persisted=lines.get("persisted").strip(),
        )
        for each in lines.all("active"):
            size, path = each.split(" ", 1)
            swap.active[path] = int(size)
        for size, mode, user in lines.words("file"):
            swap.file_bytes, swap.file_mode, swap.file_user = int(size), mode, user
        return swap
