"""The tables of docs/reliability.md: rows of different runs come together, and only those of one suite."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e import reliability
from tests.e2e.reliability import Row, of_part, record

NAMES = ["a", "b", "c", "d", "e"]
PAGE = "# Page\n<!-- rows: begin -->\nold\n<!-- rows: end -->\nend\n"


@pytest.fixture(name="page")
def _page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    monkeypatch.setattr(reliability, "STATE", tmp_path)
    monkeypatch.setattr(reliability.write, "__defaults__", (page,))
    return page


def tried(part: str, *, holds: bool = True) -> None:
    rows = [Row(name, f"does {name}", holds) for name in of_part(NAMES, part)]
    record("rows", NAMES, rows, ("What", "How"))


def test_every_row_belongs_to_one_part() -> None:
    assert of_part(NAMES, "1/1") == NAMES
    assert sorted(of_part(NAMES, "1/2") + of_part(NAMES, "2/2")) == NAMES
    assert of_part(NAMES, "3/3") == ["c"]


def test_the_last_part_writes_the_table_in_the_order_of_its_rows(page: Path) -> None:
    tried("2/2")
    assert page.read_text() == PAGE
    tried("1/2", holds=False)
    text = page.read_text()
    assert "**2 of 5**" in text and "old" not in text and text.endswith("<!-- rows: end -->\nend\n")
    assert [line.split(" | ")[1] for line in text.splitlines() if line.startswith(("| 1", "| 2", "| 5"))] == [
        "a",
        "b",
        "e",
    ]


def test_a_row_that_is_tried_again_takes_the_place_of_what_was(page: Path) -> None:
    tried("1/2", holds=False)
    tried("2/2")
    tried("1/5")
    assert "**3 of 5**" in page.read_text()


def test_what_is_deployed_is_the_suite_and_a_test_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for name in ("deploy.py", "mstdn/a.sh", "tests/a.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    subprocess.run(["git", "-C", str(tmp_path), "add", "."], check=True)
    monkeypatch.setattr(reliability, "ROOT", tmp_path)
    before = reliability._suite()
    (tmp_path / "tests/a.py").write_text("#")
    assert reliability._suite() == before
    (tmp_path / "mstdn/a.sh").write_text("#")
    changed = reliability._suite()
    assert changed != before
    (tmp_path / "mstdn/a.sh").unlink()
    assert reliability._suite() not in (before, changed)


def test_parts_of_different_suites_make_no_table(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability, "_suite", lambda: "one")
    tried("1/2")
    monkeypatch.setattr(reliability, "_suite", lambda: "another")
    tried("2/2")
    assert page.read_text() == PAGE
    tried("1/2")
    assert "**5 of 5**" in page.read_text()
