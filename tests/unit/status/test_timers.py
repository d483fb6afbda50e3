"""Units of systemd."""

from __future__ import annotations

import pytest

from mstdn.status.complaint import Seen
from mstdn.status.facts import Unit
from tests.unit.status.server import is_told_once, machine


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(
            machine(units=(Unit("mstdn-backup.service", "loaded", "failed", "exit-code"),)),
            "error",
            "timers",
            "failed (exit-code)",
            "systemctl start mstdn-backup",
            id="a unit",
        ),
        pytest.param(
            machine(units=(Unit("mstdn-deploy.service", "loaded", "failed", "exit-code"),)),
            "error",
            "timers",
            "failed (exit-code)",
            "then: pyinfra inventory.py deploy.py",
            id="a deployment",
        ),
        pytest.param(
            machine(units=(Unit("mstdn-backup.timer", "loaded", "inactive", ""),)),
            "error",
            "timers",
            "does not wait",
            "deploy.py",
            id="a timer",
        ),
    ],
)
def test_a_unit_that_is_not_in_order_is_told_once_with_its_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    is_told_once(seen, level, about, words, remedy)
