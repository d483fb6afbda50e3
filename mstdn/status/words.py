"""Lengths of time and sizes as people read them. Pure."""

from __future__ import annotations

from mstdn.status.limits import DAY, GIB, MIB


def ago(seconds: float) -> str:
    """A length of time in its largest unit: "3 days"."""
    for unit, length in (("day", DAY), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{max(0, int(seconds))} s"


def gigabytes(kib: float) -> str:
    """KiB as people read them: "12.3 GiB"."""
    return f"{kib / GIB:.1f} GiB" if kib >= GIB else f"{kib / MIB:.0f} MiB"


def number(text: str) -> int:
    """A number of a note; 0 where it holds none."""
    return int(text) if text.isdecimal() else 0
