"""Who waits for whom in the lab."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tests.lab import lab


def has_to_wait(for_it: Path, kind: int) -> bool:
    """Whether somebody else would have to, who wants the lock of this file now."""
    with for_it.open() as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@pytest.fixture(name="state")
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lab, "STATE", tmp_path)
    monkeypatch.setattr(lab, "LOCK", tmp_path / "lock")
    return tmp_path


def test_the_same_server_is_for_one_at_a_time_and_the_lab_stays_while_it_lasts(state: Path) -> None:
    with lab._only_this("server2"):
        assert has_to_wait(state / "server2.lock", fcntl.LOCK_EX)
        assert has_to_wait(state / "lock", fcntl.LOCK_EX)
        assert not has_to_wait(state / "lock", fcntl.LOCK_SH)
        assert not (state / "server3.lock").exists()
    assert not has_to_wait(state / "server2.lock", fcntl.LOCK_EX)
    assert not has_to_wait(state / "lock", fcntl.LOCK_EX)


def test_while_the_lab_goes_down_servers_wait(state: Path) -> None:
    with lab._lock(state / "lock"):
        assert has_to_wait(state / "lock", fcntl.LOCK_SH)
