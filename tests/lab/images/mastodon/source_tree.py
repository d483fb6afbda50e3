"""
The source tree of one release: what is at its tag in the lab's mastodon/mastodon, and in /opt/mastodon of its image.

The files come from source/, with @NAMES@ filled in; migrations and schema are written from releases.py.

    python3 -m tests.lab.images.mastodon.source_tree v4.7.5 DIRECTORY
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

from .releases import RELEASE, Migration, Task, migrations_up_to

_TEMPLATES = Path(__file__).with_name("source")

_NEVER_LISTENS = "# This release hangs on purpose before it listens.\nbefore_listen { sleep }"


@dataclass(frozen=True)
class SourceFile:
    """One file of the tree; `mode` as git writes it: 100644, 100755, or 120000 for a link to `content`."""

    mode: str
    content: bytes


def source_tree(tag: str) -> dict[str, SourceFile]:
    """Every file of a release by its path. Raises KeyError for an unknown tag."""
    tree = {
        path.relative_to(_TEMPLATES).as_posix(): _filled_in(path, _names(tag))
        for path in sorted(_TEMPLATES.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
    migrations = migrations_up_to(tag)
    for migration in migrations:
        directory = "db/post_migrate" if migration.post else "db/migrate"
        tree[f"{directory}/{migration.version}_{_snake_case(migration.name)}.rb"] = _text(_migration(migration))
    tree["db/schema.rb"] = _text(_schema(migrations))
    return tree


def write_source_tree(tag: str, directory: Path) -> None:
    """Write a release's files below a directory; files of the same names are replaced."""
    for name, source_file in source_tree(tag).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if source_file.mode == "120000":
            path.symlink_to(source_file.content.decode())
        else:
            path.write_bytes(source_file.content)
            path.chmod(0o755 if source_file.mode == "100755" else 0o644)


def _names(tag: str) -> dict[str, str]:
    release = RELEASE[tag]
    major, minor, patch = release.numbers
    return {
        "TAG": tag,
        "NUMBER": tag.removeprefix("v"),
        "MAJOR": str(major),
        "MINOR": str(minor),
        "PATCH": str(patch),
        "PUMA": "" if release.listens else _NEVER_LISTENS,
    }


def _filled_in(path: Path, names: dict[str, str]) -> SourceFile:
    if path.is_symlink():
        return SourceFile("120000", str(path.readlink()).encode())
    content = path.read_bytes()
    for name, value in names.items():
        content = content.replace(f"@{name}@".encode(), value.encode())
    return SourceFile("100755" if path.parent.name == "bin" else "100644", content)


def _text(content: str) -> SourceFile:
    return SourceFile("100644", content.encode())


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _heredoc(sql: str, columns: int) -> str:
    body = indent(dedent(sql).strip(), "  ")
    return indent(f"execute <<~SQL\n{body}\nSQL\n", " " * columns)


def _migration(migration: Migration) -> str:
    steps = "".join(f"    {step.value}\n" if isinstance(step, Task) else _heredoc(step, 4) for step in migration.steps)
    preamble = "" if migration.in_transaction else "  disable_ddl_transaction!\n\n"
    if migration.needs_environment:
        preamble += f"  {migration.needs_environment} = ENV.fetch('{migration.needs_environment}')\n\n"
    return (
        "# frozen_string_literal: true\n\n"
        f"class {migration.name} < ActiveRecord::Migration[8.0]\n"
        f"{preamble}  def up\n{steps}  end\nend\n"
    )


def _schema(migrations: tuple[Migration, ...]) -> str:
    statements = "".join(
        _heredoc(step, 2)
        for migration in migrations
        if migration.in_schema
        for step in migration.steps
        if isinstance(step, str)
    )
    return f"ActiveRecord::Schema[8.1].define(version: {migrations[-1].version}) do\n{statements}end\n"


if __name__ == "__main__":
    write_source_tree(sys.argv[1], Path(sys.argv[2]))
