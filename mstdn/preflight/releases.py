"""Which release of Mastodon may follow which. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mstdn.database.rules import going_back
from mstdn.finding import Finding
from mstdn.kinds.images import release_numbers
from mstdn.versions import NEWEST_PATCHES

NEWEST_PATCH = {release_numbers(release)[:2]: release for release in NEWEST_PATCHES}

# The minor release of a major one from which on the next major one may follow. Source: the notes of 4.7.0 call it
# required for a migration to 5.0 without downtime; upstream's main is called 4.8.0-alpha.1 since (mastodon#40164).
READY_FOR_NEXT_MAJOR = {4: 7}


# From 4.7.0 on an account's address may be in the database once only: its migrations merge those that are there twice,
# row by row. Only those of 4.7.1 and later can be cut off and begun again. Source: the notes of 4.7.0 and 4.7.1.
ADDRESSES_ARE_UNIQUE, MERGED_SAFELY = (4, 7, 0), (4, 7, 1)


def makes_addresses_unique(installed: str, wanted: str) -> bool:
    """Whether this upgrade is the one that merges accounts of other servers that are in the database twice."""
    try:
        return release_numbers(installed) < ADDRESSES_ARE_UNIQUE <= release_numbers(wanted)
    except ValueError:
        return False


def duplicate_findings(wanted: str, duplicates: int, collation: tuple[str, str] | None) -> Iterator[Finding]:
    """
    What is in the way of an upgrade that merges accounts which are in the database twice.

    duplicates: accounts that are there more than once. collation: the versions of the rules by which the database's
    indexes were sorted and by which it sorts now, where they differ.
    """
    if collation:
        yield Finding(
            "error",
            f"{wanted} makes a unique index of all accounts, and this database's indexes were sorted by the rules of "
            f"another Debian (version {collation[0]} of the C library, now {collation[1]}): it would fail on accounts "
            "that are there twice (mastodon#40366). First have the database made anew: pyinfra inventory.py "
            f"tasks/postgres_upgrade.py, with the mastodon_version that runs now.",
        )
    if duplicates and release_numbers(wanted) < MERGED_SAFELY:
        yield Finding(
            "error",
            f"{duplicates} accounts of other servers are in the database more than once. {wanted} merges them, and "
            "cannot go on where it was cut off. Set a newer patch, such as mastodon_version = "
            f'"{NEWEST_PATCH.get(MERGED_SAFELY[:2], "v4.7.1")}", which can.',
        )
    elif duplicates:
        yield Finding(
            "warning",
            f"{duplicates} accounts of other servers are in the database more than once, and {wanted} merges them one "
            "by one, which may take hours on a large instance. The run waits for it; if it is cut off, run it again.",
        )


def refusal(installed: str, wanted: str, dumps: Iterable[str] = ()) -> str | None:
    """
    Why `wanted` must not follow `installed`, with what may; None if it may. `dumps`: the releases to which a dump of
    the database leads back.

    Upstream supports neither going back (migrations are not undone) nor skipping a minor release (docs: each one's
    migrations expect that those of the one before have run).
    """
    try:
        old = release_numbers(installed)
    except ValueError:
        return (
            f'The server notes "{installed}" as its installed release, which is none. Write the one whose containers '
            "run there into MASTODON_VERSION of state/installed.env under mastodon_root."
        )
    new = release_numbers(wanted)
    if new < old:
        return (
            f"{installed} is installed, and the database cannot go back to {wanted}. "
            f'Set mastodon_version = "{installed}" or newer. {going_back(wanted, dumps)}'
        )
    steps = _next_steps(old)
    if new[:2] in (old[:2], *steps):
        return None
    towards = steps[0] if new[0] == old[0] else steps[-1]
    return (
        f"{installed} is installed, and {wanted} skips a minor release, whose migrations would be missing. "
        f"Deploy {_advice(towards)} next; each minor release on the way has to run once."
    )


def _next_steps(release: tuple[int, int, int]) -> tuple[tuple[int, int], ...]:
    """The minor releases that may follow a release."""
    major, minor, _ = release
    ready = minor >= READY_FOR_NEXT_MAJOR.get(major, minor + 1)
    return ((major, minor + 1), *([(major + 1, 0)] if ready else []))


def _advice(minor_release: tuple[int, int]) -> str:
    major, minor = minor_release
    newest = f"{NEWEST_PATCH[minor_release]} or any newer " if minor_release in NEWEST_PATCH else ""
    return f"{newest}v{major}.{minor}.x"
