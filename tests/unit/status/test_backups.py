"""Backups, drills and restores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mstdn.status.complaint import Seen
from mstdn.status.limits import DAY
from mstdn.status.rules import complaints
from mstdn.status.screen import text
from tests.unit.status.server import NAME, NOW, WANTED, is_told_once, machine, noted


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(machine(noted={}), "error", "backup", "No backup", "tasks/backup.py", id="no backup"),
        pytest.param(
            noted("restoring", begun="1"), "error", "restore", "not finished", "tasks/restore.py", id="restore"
        ),
        pytest.param(
            noted("backup", time=str(NOW - 3 * DAY)),
            "error",
            "backup",
            "3 days old",
            "tasks/backup.py",
            id="old backup",
        ),
        pytest.param(
            noted("backup-result", result="failed", why="the repository is locked"),
            "error",
            "backup",
            "repository is locked",
            "journalctl --unit mstdn-backup",
            id="a backup failed",
        ),
        pytest.param(
            noted("drill-result", time=str(NOW - 30 * DAY), result="ok"),
            "error",
            "drill",
            "30 days ago",
            "tasks/drill.py",
            id="old drill",
        ),
    ],
)
def test_what_is_wrong_with_backups_is_told_once_with_its_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    is_told_once(seen, level, about, words, remedy)


def test_where_backups_are_off_that_is_said_and_is_not_wrong() -> None:
    off = replace(WANTED, backups=False)
    (found,) = complaints(machine(noted={}), off)
    assert (found.level, found.about) == ("warning", "backup") and "backup_repository" in found.remedy
    assert "backup       off" in text("server", NAME, machine(noted={}), off, (found,))
