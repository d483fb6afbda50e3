"""What is said of files, and of what is in their place."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.finding import Finding


def in_the_way(path: str, found: str = "something else", wanted: str = "regular file") -> str:
    """What is said of something that would be lost if the suite wrote its own in that place."""
    return f"{path} exists and is {found} instead of a {wanted}: look at it, move it away, run again."


def findings(blocked: list[str]) -> Iterator[Finding]:
    """blocked: paths of what is no file, and in the place of one that the suite reads and writes."""
    for path in blocked:
        yield Finding("error", in_the_way(path))
