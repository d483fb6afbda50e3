"""
The tables of docs/reliability.md, each written by the test run that proves it, into a section of its own.

The rows of one table may be tried in several parts, on a server each. What came of a part is kept in the lab's state;
the run that finds all parts there, of the same suite, writes the table.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TypeVar

from tests.harness import ROOT
from tests.lab.addresses import STATE

PAGE = ROOT / "docs/reliability.md"
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """What was tried, what the run says or does about it, and whether all of that was seen."""

    name: str
    answer: str
    holds: bool


def of_part(rows: Sequence[T], part: str) -> list[T]:
    """Those of the rows that belong to a part: "2/3" is every third one, beginning with the second."""
    number, parts = map(int, part.split("/"))
    return list(rows[number - 1 :: parts])


def record(section: str, names: Sequence[str], rows: Sequence[Row], columns: tuple[str, str], part: str) -> None:
    """
    Keep what came of the rows of this part, and write the table if those of all parts are there.

    names: of all rows of the table, in their order.
    """
    directory = STATE / "reliability"
    directory.mkdir(parents=True, exist_ok=True)
    found = {"suite": _suite(), "rows": [astuple(row) for row in rows]}
    (directory / f"{section}-{part.replace('/', '-of-')}.json").write_text(json.dumps(found))
    parts = (json.loads(file.read_text()) for file in directory.glob(f"{section}-*-of-{part.rpartition('/')[2]}.json"))
    tried = {row[0]: Row(*row) for each in parts if each["suite"] == found["suite"] for row in each["rows"]}
    if tried.keys() >= set(names):
        write(section, [tried[name] for name in names], columns)


def _suite() -> str:
    """What is tried: the commit, and a checksum of what was changed since, but for the pages."""
    changed = subprocess.run(["git", "diff", "HEAD", "--", ".", ":!docs"], cwd=ROOT, capture_output=True, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    return f"{commit.stdout.strip()} {hashlib.sha256(changed.stdout).hexdigest()[:12]}"


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
