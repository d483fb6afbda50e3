"""
What a run brings a host before whatever comes after: files, the engine, a database.

A plan is made while none of it is there yet. Whoever needs one of them asks here first, and the server only where the
answer is no, as in a run of one file of tasks/ by itself.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from pyinfra.api import Host

from mstdn.asking import host_at_work

ENGINE = "the engine, git and curl"
DATABASE = "the database"

# Beside these two: paths of files.
_brought: WeakKeyDictionary[Host, set[str]] = WeakKeyDictionary()


def brings(*things: str) -> None:
    """Say that this run brings the host at work these: ENGINE, DATABASE or paths of files."""
    _brought.setdefault(host_at_work(), set()).update(things)


def is_brought(thing: str) -> bool:
    """Whether this run brings it, as far as the run has come."""
    return thing in _brought.get(host_at_work(), set())
