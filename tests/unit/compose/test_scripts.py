"""The scripts on Compose projects, with a stand-in for docker."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.harness import calls_in, run_script, stand_in


@pytest.mark.parametrize(
    ("changed", "stamps"),
    [
        pytest.param("", ["stamp one", "stamp two"], id="nothing"),
        pytest.param("compose.yaml", ["stamp ", "stamp two"], id="what containers are made from"),
        pytest.param("nginx.conf", ["stamp one", "stamp "], id="what they can load anew"),
    ],
)
@pytest.mark.parametrize("lost", [False, True])
def test_a_stamp_counts_until_one_of_its_files_changes(
    tmp_path: Path, changed: str, stamps: list[str], lost: bool
) -> None:
    for age, name in ((300, "compose.yaml"), (300, "nginx.conf"), (200, "applied"), (200, "loaded")):
        (tmp_path / name).write_text({"applied": "one", "loaded": "two"}.get(name, ""))
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    if changed and lost:
        (tmp_path / changed).unlink()
    elif changed:
        os.utime(tmp_path / changed)
    paths = [tmp_path / name for name in ("applied", "loaded", "compose.yaml", "--", "nginx.conf")]
    arguments = ["--" if path.name == "--" else path for path in paths]
    assert run_script("compose/state", "no-such-project", *arguments).stdout.splitlines() == stamps


def bring_up(directory: Path, *, exit_code: int, states: list[str]) -> subprocess.CompletedProcess[str]:
    """The script, with a Compose that ends with `exit_code` and leaves containers in these states."""
    said = "".join(f"{state} 0 false {number}\\n" for number, state in enumerate(states))
    path = stand_in(
        directory,
        "docker",
        f"""case "$1 $2" in
        "compose up") echo 'what Compose says'; exit {exit_code} ;;
        "ps --all") echo {" ".join(map(str, range(len(states))))} ;;
        "inspect --format") case $3 in *compose.service*) printf '{said}' ;; esac ;;
        logs\\ *) echo 'last words of the container' ;;
        esac\n""",
    )
    return run_script("compose/up", "mstdn", directory, "20", path=path)


def test_a_project_whose_containers_are_all_healthy_is_up(tmp_path: Path) -> None:
    answer = bring_up(tmp_path, exit_code=0, states=["db running healthy", "web running healthy"])
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("state", ["running starting", "running unhealthy", "restarting healthy", "exited healthy"])
@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_container_that_is_not_healthy_is_shown_whatever_compose_says(
    tmp_path: Path, exit_code: int, state: str
) -> None:
    answer = bring_up(tmp_path, exit_code=exit_code, states=["db running healthy", f"web {state}"])
    assert answer.returncode == 1
    status, health = state.split()
    assert f"web is {status} ({health})" in answer.stderr and "last words of the container" in answer.stderr
    assert "db is" not in answer.stderr


def test_what_compose_says_is_shown_when_it_makes_no_container(tmp_path: Path) -> None:
    answer = bring_up(tmp_path, exit_code=14, states=[])
    assert answer.returncode != 0 and "what Compose says" in answer.stderr


def test_a_failure_of_compose_is_one_even_if_all_containers_are_healthy(tmp_path: Path) -> None:
    answer = bring_up(tmp_path, exit_code=14, states=["db running healthy"])
    assert answer.returncode == 14 and "what Compose says" in answer.stderr
