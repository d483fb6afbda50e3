"""What acme-companion wrote, as the script prints it."""

from __future__ import annotations

from mstdn.proxy.facts import CompanionLog
from tests.harness import read


def test_the_companions_lines_are_read_as_they_are() -> None:
    output = "line [Sun Nov 23] Creating/renewal social.example.org certificates...\nline \nline   at: x\n"
    assert read(CompanionLog, output) == [
        "[Sun Nov 23] Creating/renewal social.example.org certificates...",
        "",
        "  at: x",
    ]


def test_without_a_companion_there_are_none() -> None:
    assert read(CompanionLog, "") == []
