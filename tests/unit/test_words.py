"""What operators read is written in the field's words: docs/architecture.md, "Words"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import ROOT

# Words that mean something to whoever wrote them only, or that readers from elsewhere stumble over.
PRIVATE = re.compile(r"\b(alone|trouble|hand out|last words|said nothing|settles?)\b", re.IGNORECASE)


def texts_of(file: Path) -> Iterator[str]:
    """Every string of a program but its docstrings, which are for people who change it."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = set()
    # Whatever holds a docstring comes before it.
    for each in ast.walk(ast.parse(file.read_text())):
        if isinstance(each, documented) and each.body and isinstance(each.body[0], ast.Expr):
            docstrings.add(id(each.body[0].value))
        elif isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in docstrings:
            yield each.value


def test_what_the_suite_says_has_no_private_words() -> None:
    files = [*(ROOT / "mstdn").rglob("*.py"), *(ROOT / "tasks").glob("*.py")]
    found = [f"{file.relative_to(ROOT)}: {text}" for file in files for text in texts_of(file) if PRIVATE.search(text)]
    assert found == []


# The tables of docs/reliability.md are written by what was tried.
PAGES = [ROOT / "README.md", *sorted({*ROOT.glob("docs/*.md")} - {ROOT / "docs/reliability.md"})]
OPENED_FIRST = [ROOT / "group_data/mastodon.example.py", ROOT / "deploy.py"]


@pytest.mark.parametrize("page", [*PAGES, *OPENED_FIRST], ids=lambda page: page.name)
def test_what_operators_open_has_none_either(page: Path) -> None:
    assert PRIVATE.search(page.read_text()) is None


def test_what_runs_on_a_server_has_none_either() -> None:
    scripts = [*(ROOT / "mstdn").rglob("*.sh")]
    assert [str(each.relative_to(ROOT)) for each in scripts if PRIVATE.search(each.read_text())] == []


@pytest.mark.parametrize("task", sorted((ROOT / "tasks").glob("*.py")), ids=lambda task: task.name)
def test_a_task_says_how_it_is_run(task: Path) -> None:
    assert re.search(rf"^Run( by itself| by name)?:  pyinfra \S+ tasks/{task.name}", task.read_text(), re.MULTILINE)
