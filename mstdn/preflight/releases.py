"""Which release of Mastodon may follow which. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from mstdn.database.rules import going_back
from mstdn.kinds.images import release_numbers
from mstdn.versions import NEWEST_PATCHES

NEWEST_PATCH = {release_numbers(release)[:2]: release for release in NEWEST_PATCHES}

# The minor release of a major one from which on the next major one may follow. Source: the notes of 4.7.0 call it
# required for a migration to 5.0 without downtime; upstream's main is called 4.8.0-alpha.1 since (mastodon#40164).
READY_FOR_NEXT_MAJOR = {4: 7}


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
