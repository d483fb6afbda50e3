"""Whether the operator's values stand where an update does not touch them, and pyinfra reads them for this server."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from mstdn import operator_files
from mstdn.problems import Problem
from mstdn.settings.group_data import all_py
from mstdn.settings.model import FIELDS

DEFAULTS = "group_data/all.py"
OWN_VALUES = "group_data/mastodon.py"


def misplaced_values(groups: Collection[str], unset: Collection[str]) -> Iterator[Problem]:
    """
    What the operator has to move.

    groups: of the host, in its inventory. unset: the names of the settings that must be set and are not.
    """
    suite, directory = operator_files.SUITE_DIRECTORY, operator_files.inventory_directory()
    if lines := _changed_defaults(suite / DEFAULTS):
        remedy = f"move these lines to {operator_files.values_file()}, then: git checkout {DEFAULTS}"
        yield Problem(
            DEFAULTS,
            "it is the suite's own file of defaults, which an update replaces, and it was changed here",
            "\n".join([remedy, *(f"             {line}" for line in lines)]),
        )
    if unset and "mastodon" not in groups and (directory / OWN_VALUES).exists():
        yield Problem(
            OWN_VALUES,
            "it is not read, because this server is not in the group mastodon",
            "name the server in inventory.py, in the list mastodon, and run: pyinfra inventory.py ...",
        )
    if directory != suite:
        for group in groups:
            if group != "all" and (suite / "group_data" / f"{group}.py").is_file():
                yield Problem(
                    f"group_data/{group}.py",
                    f"pyinfra reads it for every inventory, so also for {directory / 'inventory.py'}",
                    "move it, with inventory.py and secrets.env, to an instances/<name>/ of its own: docs/updating.md",
                )


@cache
def _changed_defaults(file: Path) -> list[str]:
    """The statements of group_data/all.py that the suite did not write, each in one line."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return []
    # As a rule; to understand both takes longer.
    if text == (suites := all_py()):
        return []
    ours = set(map(ast.unparse, _statements(suites)))
    return [_line(statement) for statement in _statements(text) if ast.unparse(statement) not in ours]


def _statements(text: str) -> list[ast.stmt]:
    return [node for node in ast.parse(text).body if not isinstance(node, ast.Expr)]


def _line(statement: ast.stmt) -> str:
    """The statement, without a value that may be a secret: of a variable, or of what is no setting at all."""
    text = ast.unparse(statement)
    name, equals, _ = text.partition(" = ")
    if name == "_sudo" or (name in FIELDS and name != "mastodon_environment"):
        return text
    return f"{name} = ..." if equals and name.isidentifier() else f"{text.splitlines()[0].split('=')[0]} ..."
