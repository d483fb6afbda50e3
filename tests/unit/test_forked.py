"""Runs of pyinfra that the tests begin: killed as a person kills one, ended when they take too long, and told apart."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

import pytest

from tests import forked

WAITS = """
import os, subprocess, sys
print("in a session of its own:", os.getsid(0) == os.getpid(), file=sys.stderr, flush=True)
subprocess.run(["sleep", "60"])
"""


@pytest.fixture(name="surroundings")
def _surroundings(tmp_path: Path) -> forked.Surroundings:
    (tmp_path / "deploy.py").write_text(WAITS)
    # With what begins gevent's event loop when it is imported, as most runs have it.
    return forked.Surroundings(("mstdn.verify.visitor",), tmp_path, dict(os.environ), seconds=20)


def test_one_that_is_killed_leaves_nothing_that_holds_its_output(surroundings: forked.Surroundings) -> None:
    run = forked.begin(["@local", "deploy.py"], surroundings)
    said = ""
    while "of its own" not in said:
        line = run.stdout.readline()
        assert line, said
        said += line
    assert run.returncode is None
    run.kill()
    # Would not end as long as "sleep" had it open.
    run.communicate(timeout=10)
    assert run.returncode == -signal.SIGKILL
    assert "in a session of its own: True" in said


def test_one_that_takes_too_long_is_ended(surroundings: forked.Surroundings) -> None:
    ended = forked.pyinfra(["@local", "deploy.py"], dataclasses.replace(surroundings, seconds=1))
    assert ended.returncode == -signal.SIGALRM


def test_outputs_are_told_apart_where_it_is_waited_for(surroundings: forked.Surroundings) -> None:
    ended = forked.pyinfra(["--version"], surroundings)
    assert (ended.returncode, ended.stderr) == (0, "") and ended.stdout.startswith("pyinfra: v")
