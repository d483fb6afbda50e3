"""Facts about the kernel."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question


@dataclass(frozen=True)
class Setting:
    """`now`: what the kernel uses, "" where it has no such setting. `after`: what our file says, "" without one."""

    now: str = ""
    after: str = ""


class KernelSetting(Fact[Setting]):
    """One setting of the kernel, now and after a reboot."""

    script = "kernel/state"

    @classmethod
    def of(cls, name: str, file: str) -> Question[Setting]:
        """name: as sysctl writes it, "vm.overcommit_memory". file: that gives it its value when the server boots."""
        return cls.question(name, file)

    @override
    def read(self, lines: Lines) -> Setting:
        return Setting(lines.get("now").strip(), lines.get("after").strip())
