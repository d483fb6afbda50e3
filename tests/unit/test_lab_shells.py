"""The shells that run commands in the lab's machines, with a stand-in for docker that runs them here."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness import calls_in, stand_in
from tests.lab.commands import CommandError, Completed, LabError
from tests.lab.engine import Engine
from tests.lab.world import Machine


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> Machine:
    path = stand_in(tmp_path, "docker", 'shift 3\nexec "$@"')
    return Machine(Engine({**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}), str(tmp_path))


def shells_in(directory: Path) -> int:
    """How many were started."""
    return len([line for line in calls_in(directory) if line.startswith("docker exec")])


@pytest.mark.parametrize(
    ("command", "completed"),
    [
        ("true", Completed("", "", 0)),
        ("exit 7", Completed("", "", 7)),
        ("printf 'no newline'; printf also >&2", Completed("no newline", "also", 0)),
        ("echo one; echo two >&2; echo three\nexit 1", Completed("one\nthree\n", "two\n", 1)),
        ("cat", Completed("", "", 0)),
        ("printf '%s' 'a  \"b\" $HOME \\n'\n\n", Completed('a  "b" $HOME \\n', "", 0)),
        ("kill -9 $$", Completed("", "Killed\n", 137)),
        (": übung", Completed("", "", 0)),
    ],
)
def test_a_command_leaves_what_it_would_leave_by_itself(machine: Machine, command: str, completed: Completed) -> None:
    for _ in range(2):
        assert machine.run(command, check=False) == completed


def test_a_shell_stays_for_the_next_command_and_keeps_nothing_of_the_last(machine: Machine, tmp_path: Path) -> None:
    machine.run("cd /; set -e; export KEPT=yes; false", check=False)
    assert machine.run("pwd; echo ${KEPT-nothing}").stdout == f"{os.getcwd()}\nnothing\n"
    assert shells_in(tmp_path) == 1


def test_much_is_read_from_both_outputs(machine: Machine) -> None:
    completed = machine.run("head -c 3000000 /dev/zero | tee /dev/stderr")
    assert (len(completed.stdout), len(completed.stderr)) == (3_000_000, 3_000_000)


def test_what_stays_in_the_background_keeps_nobody_waiting(machine: Machine) -> None:
    assert machine.run("sleep 30 >/dev/null 2>&1 & echo begun").stdout == "begun\n"


def test_a_machine_that_goes_down_meanwhile_ends_the_command_and_the_next_one_finds_another_shell(
    machine: Machine, tmp_path: Path
) -> None:
    completed = machine.run("echo begun; kill -9 $PPID $$", check=False)
    assert completed == Completed("begun\n", "", -9)
    assert machine.run("echo again").stdout == "again\n"
    assert shells_in(tmp_path) == 2


def test_several_at_once_have_a_shell_each(machine: Machine) -> None:
    with ThreadPoolExecutor(4) as pool:
        said = pool.map(lambda number: machine.run(f"sleep 0.1; echo {number}").stdout, range(8))
    assert list(said) == [f"{number}\n" for number in range(8)]


def test_a_failure_is_told_with_the_command_and_what_it_said(machine: Machine) -> None:
    with pytest.raises(CommandError, match=r"Exit code 3 \(why\) of: .*exit 3\nwhy"):
        machine.run("echo why >&2; exit 3")


def test_a_command_that_does_not_end_is_given_up(machine: Machine) -> None:
    with pytest.raises(LabError, match="No end after 1 s: sleep 20"):
        machine.run("sleep 20", timeout=1)
    assert machine.run("echo on").stdout == "on\n"
