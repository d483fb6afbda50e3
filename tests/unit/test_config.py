"""What config.py does before pyinfra reads the inventory, in a pyinfra of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import ROOT


@pytest.mark.parametrize(("asked_for", "kept"), [("", True), ("1", False)])
def test_what_python_compiles_of_the_suite_is_kept_for_the_next_run(tmp_path: Path, asked_for: str, kept: bool) -> None:
    for name in ("config.py", "inventory.py", "group_data", "mstdn"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for directory in tmp_path.rglob("__pycache__"):
        shutil.rmtree(directory)
    subprocess.run(
        [Path(sys.executable).with_name("pyinfra"), "inventory.py", "debug-inventory"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        | {"PYTHONDONTWRITEBYTECODE": asked_for},
        check=True,
        capture_output=True,
    )
    compiled = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.pyc")}
    assert compiled == ({"mstdn"} if kept else set())
