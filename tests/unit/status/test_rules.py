"""What is wrong with a server as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mstdn.status.complaint import Seen
from mstdn.status.rules import complaints
from tests.unit.status.server import MACHINE, WANTED, WELL, is_told_once


def test_where_all_is_well_nothing_is_said() -> None:
    assert complaints(WELL, WANTED) == ()


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(Seen(machine=MACHINE), "error", "release", "No instance", "deploy.py", id="bare"),
        pytest.param(
            replace(WELL, containers=None, silent="Docker does not run"),
            "error",
            "containers",
            "Docker does not run",
            "systemctl restart docker",
            id="no engine",
        ),
    ],
)
def test_a_server_without_what_can_be_looked_at_is_told_once_with_its_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    is_told_once(seen, level, about, words, remedy)
