"""The scripts on the database, with a stand-in for docker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import calls_in, run_script, stand_in


@pytest.mark.parametrize(
    ("files", "stays"),
    [
        pytest.param(["PG_VERSION", "base/1/112", "base/5/112"], False, id="initdb was cut short"),
        pytest.param(["PG_VERSION", "base/1/112", "postmaster.opts"], True, id="a server ran on it"),
        pytest.param(["PG_VERSION", "base/1/112", "base/16384/112"], True, id="a copy without postmaster.opts"),
    ],
)
def test_only_a_database_that_cannot_hold_anything_is_discarded(tmp_path: Path, files: list[str], stays: bool) -> None:
    data = tmp_path / "database"
    for file in files:
        (data / file).parent.mkdir(parents=True, exist_ok=True)
        (data / file).touch()
    answer = run_script("database/discard", tmp_path, data, path=stand_in(tmp_path, "docker", ""))
    assert answer.returncode == 0, answer.stderr
    assert [(data / file).exists() for file in files] == [stays] * len(files)
    assert (tmp_path / "calls").exists() is not stays
