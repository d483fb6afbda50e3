"""
How far the database is on its way to a release, and what has to be done next. Pure.

An instance moves to a new release in two phases: what the old release can live with runs while that one serves, the
rest once the new one serves. Between them the server notes NEXT_VERSION and MIGRATIONS: "none" came with the release,
those that the old one can live with have run ("before"), the others have "begun", and all have run ("after"). While
the databases of before and after change places, it is "returning".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from mstdn.finding import Finding
from mstdn.storage.disks import Disk

# Left free beside what an upgrade needs of a disk.
LEAST_MIB = 256

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
    TOO_LATE = "it was on its way to another release, and this one could not live with what was done"
    RETURNING = "its way back to the release before was interrupted"
    MIGRATE = "it is the one of the release before"
    IMPOSSIBLE = "there was one, and it is gone"


class Work(Enum):
    """What the unit of deployments does, which goes on when its run has lost the connection."""

    NONE = "nothing of an earlier run goes on"
    AT_WORK = "an earlier run has begun what goes on"
    FAILED = "what an earlier run had begun has failed"


class Completion(Enum):
    """What has to be done once a release serves."""

    NOTHING = "no migration waits"
    NOTE = "the release brought no migrations; it only has to be noted"
    MIGRATE = "some migrations waited for it"
    RENEW = "they have run, and programs that started before still know the columns of before"


def preparation(installed: Mapping[str, str], release: str) -> Preparation:
    """What a database of this state (Installed) needs before `release` can start."""
    at, target = installed.get("MASTODON_VERSION"), installed.get("NEXT_VERSION")
    if at is None:
        return Preparation.CREATE_ANEW if "DATABASE" in installed else Preparation.CREATE
    if "DATABASE" not in installed:
        return Preparation.IMPOSSIBLE
    if installed.get("MIGRATIONS") == "returning":
        return Preparation.RETURNING
    if release == (target or at):
        return Preparation.NOTHING
    if installed.get("MIGRATIONS") in ("begun", "after"):
        return Preparation.TOO_LATE
    return Preparation.GIVE_UP if release == at else Preparation.MIGRATE


def work(installed: Mapping[str, str]) -> Work:
    """What goes on, from the state of the unit as Installed has it."""
    state = installed.get("WORK", "")
    if state in ("activating", "active", "deactivating"):
        return Work.AT_WORK
    return Work.FAILED if state == "failed" else Work.NONE


def completion(installed: Mapping[str, str], release: str) -> Completion:
    """What a database of this state (Installed) needs once `release` serves. A new database came complete."""
    if installed.get("MASTODON_VERSION", release) == release:
        return Completion.NOTHING
    return {"none": Completion.NOTE, "after": Completion.RENEW}.get(installed.get("MIGRATIONS", ""), Completion.MIGRATE)


def going_back(release: str, dumps: Iterable[str]) -> str:
    """How to get back to `release` once the database has left it; dumps: the releases of which there is one."""
    if release not in dumps:
        return f"Only a backup brings {release} back."
    return (
        f"To go back to {release}, to the moment before the upgrade, losing all that happened since: "
        f"pyinfra inventory.py tasks/rollback.py --data rollback_to={release}"
    )


def room_findings(size_mib: int, disks: Iterable[Disk], root: str) -> Iterator[Finding]:
    """
    Whether there is room for what an upgrade needs: a dump under `root`, and indexes that are built anew.

    size_mib: of the database. Each of the two takes half of that at most: the dump is compressed and has no indexes.
    """
    free = {disk.path: disk for disk in disks}
    there = [disk for disk in (free.get(root), free.get(f"{root}/database")) if disk]
    for mount in dict.fromkeys(disk.mount for disk in there):
        on_it = [disk for disk in there if disk.mount == mount]
        needed = size_mib * len(on_it) // 2 + LEAST_MIB
        if on_it[0].free_mib < needed:
            yield Finding(
                "error",
                f"{mount} has {on_it[0].free_mib} MiB free, and the upgrade needs {needed}: the database of {size_mib} "
                "MiB is dumped first, and its indexes may be built anew. Make room (docker image prune --all, which "
                "leaves what runs; journalctl --vacuum-size=100M; apt-get clean), or enlarge the disk.",
            )
