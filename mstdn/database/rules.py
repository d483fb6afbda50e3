"""
How far the database is on its way to a release, and what has to be done next. Pure.

An instance moves to a new release in two phases: what the old release can live with runs while that one serves, the
rest once the new one serves. Between them the server notes NEXT_VERSION and MIGRATIONS.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

# How long a migration may wait for a lock, in seconds, attempt by attempt. Meanwhile every query on that table waits
# behind it, so the first attempts are short; an index that is built beside the traffic waits for older transactions and
# needs the longer ones.
LOCK_TIMEOUTS_SECONDS = (5, 10, 20)


class Preparation(Enum):
    """What has to be done before a release can start."""

    NOTHING = "the database is ready"
    CREATE = "there is none yet"
    CREATE_ANEW = "its making was cut short"
    GIVE_UP = "it was on its way to another release, and this one can live with what was done"
    MIGRATE = "it is the one of the release before"
    IMPOSSIBLE = "there was one, and it is gone"


class Completion(Enum):
    """What has to be done once a release serves."""

    NOTHING = "no migration waits"
    NOTE = "the release brought no migrations; it only has to be noted"
    MIGRATE = "some migrations waited for it"


def preparation(installed: Mapping[str, str], release: str) -> Preparation:
    """What a database of this state (Installed) needs before `release` can start."""
    at, target = installed.get("MASTODON_VERSION"), installed.get("NEXT_VERSION")
    if at is None:
        return Preparation.CREATE_ANEW if "DATABASE" in installed else Preparation.CREATE
    if "DATABASE" not in installed:
        return Preparation.IMPOSSIBLE
    if release == (target or at):
        return Preparation.NOTHING
    return Preparation.GIVE_UP if release == at else Preparation.MIGRATE


def completion(installed: Mapping[str, str], release: str) -> Completion:
    """What a database of this state (Installed) needs once `release` serves. A new database came complete."""
    if installed.get("MASTODON_VERSION", release) == release:
        return Completion.NOTHING
    return Completion.NOTE if installed.get("MIGRATIONS") == "none" else Completion.MIGRATE
