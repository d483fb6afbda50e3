"""tests/lab/venv.sh where the environment is a link: whoever made it may share what it leads to."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.harness import ROOT, stand_in

# Makes what the script needs of an environment, as its modules do.
PYTHON = r"""
case "$1 $2" in "-m venv") mkdir "$3" "$3/bin" && printf '#!/bin/sh\n' >"$3/bin/pip" && chmod +x "$3/bin/pip" ;; esac
"""


def make_environment(tmp_path: Path, directory: str) -> None:
    programs = stand_in(tmp_path, "python3", PYTHON)
    subprocess.run(
        [ROOT / "tests/lab/venv.sh", "lock", directory],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
        check=True,
    )


@pytest.mark.parametrize("directory", [".venv", ".venv/"])
def test_a_link_to_an_environment_is_replaced_and_what_it_leads_to_stays(tmp_path: Path, directory: str) -> None:
    (tmp_path / "lock").write_text("new\n")
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / ".complete").write_text("old\n")
    (tmp_path / ".venv").symlink_to(shared)
    make_environment(tmp_path, directory)
    assert not (tmp_path / ".venv").is_symlink()
    assert (tmp_path / ".venv" / ".complete").read_text() == "new\n"
    assert {each.name: each.read_text() for each in shared.iterdir()} == {".complete": "old\n"}


def test_an_environment_that_agrees_with_its_lock_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("same\n")
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / ".complete").write_text("same\n")
    (tmp_path / ".venv").symlink_to(shared)
    make_environment(tmp_path, ".venv")
    assert (tmp_path / ".venv").is_symlink()
