"""The tables of docs/reliability.md, each written by the test run that proves it, into a section of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness import ROOT

PAGE = ROOT / "docs/reliability.md"


@dataclass(frozen=True)
class Row:
    """What was tried, what the run says or does about it, and whether all of that was seen."""

    name: str
    answer: str
    holds: bool


def write(section: str, rows: Sequence[Row], columns: tuple[str, str], page: Path = PAGE) -> None:
    """
    Replace the table in a section of the page, which begins and ends with marks of its name.

    columns: the titles of name and answer. Raises ValueError if the page has no such section.
    """
    begin, end = f"<!-- {section}: begin -->\n", f"<!-- {section}: end -->\n"
    text = page.read_text()
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{page} has no section {section}")
    page.write_text(f"{head}{begin}{table(rows, columns)}{end}{tail}")


def table(rows: Sequence[Row], columns: tuple[str, str]) -> str:
    """The rows as a table in Markdown, with how many of them hold above it."""
    held = sum(row.holds for row in rows)
    lines = [f"**{held} of {len(rows)}**", "", f"| | {columns[0]} | {columns[1]} | |", "| --- | --- | --- | --- |"]
    for number, row in enumerate(rows, 1):
        cells = (str(number), row.name, row.answer, "yes" if row.holds else "**no**")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
