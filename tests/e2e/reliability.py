"""
The tables of docs/reliability.md, each written by the test run that proves it, into a section of its own.

The rows of one table may be tried on several servers and in several runs. What came of each is kept in the lab's state;
the run after which all are there, of the same suite, writes the table. A suite is what is deployed, and the lab that it
is deployed in: a row whose own test was wrong is tried again alone.
"""

from __future__ import annotations

import fcntl
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
TRIED = ("deploy.py", "config.py", "files", "group_data", "mstdn", "tasks", "templates", "tests/lab")
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


def record(section: str, names: Sequence[str], rows: Sequence[Row], columns: tuple[str, str]) -> None:
    """
    Keep what came of these rows, and write the table if all of them are known.

    names: of all rows of the table, in their order.
    """
    directory = STATE / "reliability"
    directory.mkdir(parents=True, exist_ok=True)
    suite = _suite()
    # Servers may come to their end at the same time.
    with (directory / f"{section}.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        before = json.loads(file.read() or "{}")
        known = before["rows"] if before.get("suite") == suite else {}
        known |= {row.name: astuple(row) for row in rows}
        file.truncate(0)
        file.write(json.dumps({"suite": suite, "rows": known}))
        if known.keys() >= set(names):
            write(section, [Row(*known[name]) for name in names], columns)


def _suite() -> str:
    """A checksum of what is deployed and of the lab, as they stand here."""
    listed = subprocess.run(["git", "ls-files", "-z", "--", *TRIED], cwd=ROOT, capture_output=True, check=True)
    digest = hashlib.sha256()
    for name in sorted(filter(None, listed.stdout.decode().split("\0"))):
        path = ROOT / name
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ''}\0".encode())
    return digest.hexdigest()


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
