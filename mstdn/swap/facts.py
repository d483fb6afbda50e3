"""Facts about swap."""

from dataclasses import dataclass, field

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question

SWAPPINESS_FILE = "/etc/sysctl.d/60-mastodon-swap.conf"


@dataclass
class Swap:
    """
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


class SwapState(FactBase[Swap]):
    """Everything about the swap file at `path`, and which other swap is active."""

    @override
    def command(self, path: str) -> StringCommand:
        return question("swap/state", path, SWAPPINESS_FILE)

    @staticmethod
    @override
    def default() -> Swap:
        return Swap()

    @override
    def process(self, output: list[str]) -> Swap:
        swap = Swap()
        for line in output:
            key, _, rest = line.partition(" ")
            if key == "active":
                size, _, path = rest.partition(" ")
                swap.active[path] = int(size)
            elif key == "file":
                size, mode, user = rest.split()
                swap.file_bytes, swap.file_mode, swap.file_user = int(size), mode, user
            elif key == "fstab":
                swap.in_fstab = True
            elif key == "swappiness":
                swap.swappiness = rest.strip()
            elif key == "persisted":
                swap.persisted = rest.strip()
        return swap
