"""Disks, memory and a reboot that is due."""

from __future__ import annotations

import pytest

from mstdn.status.complaint import Seen
from mstdn.status.facts import FileSystem
from mstdn.status.limits import GIB
from tests.unit.status.server import is_told_once, machine


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(
            machine(disks=(FileSystem("/", 40 * GIB, GIB // 2),)),
            "error",
            "disk",
            "512 MiB of",
            "docker system",
            id="full",
        ),
        pytest.param(
            machine(disks=(FileSystem("/", 40 * GIB, 5 * GIB),)), "warning", "disk", "5.0 GiB", "docker", id="filling"
        ),
        pytest.param(
            machine(disks=(FileSystem("/", 40 * GIB, 20 * GIB, 99),)), "error", "disk", "99 % of its", "", id="inodes"
        ),
        pytest.param(machine(swap=0, free=0), "error", "memory", "no swap", "deploy.py", id="no swap"),
        pytest.param(
            machine(available=50_000, free=1000), "error", "memory", "are full", "swap_size_mib", id="memory full"
        ),
        pytest.param(machine(killed=2), "warning", "memory", "ended 2 programs", "journalctl --dmesg", id="killed"),
        pytest.param(machine(reboot=True), "warning", "machine", "reboot", "quiet moment", id="reboot"),
    ],
)
def test_what_is_wrong_with_the_machine_is_told_once_with_its_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    is_told_once(seen, level, about, words, remedy)
