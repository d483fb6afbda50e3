"""Which release of Mastodon may follow which. Pure."""

from __future__ import annotations

from mstdn.kinds.values import release_numbers

# The newest patch of each maintained minor release, as known on 2026-11-19 (github.com/mastodon/mastodon/releases).
# Only named in advice: any newer patch is as good.
NEWEST_PATCH = {(4, 4): 27, (4, 5): 20, (4, 6): 9, (4, 7): 6}

# The last minor release of a major one, from which alone the next major one may be reached. Source: the notes of
# 4.7.0 call it required for a migration to 5.0 without downtime.
LAST_MINOR = {4: 7}


def refusal(installed: str, wanted: str) -> str | None:
    """
    Why `wanted` must not follow `installed`, with what may; None if it may.

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
            f'Set mastodon_version = "{installed}" or newer; only a backup brings the old release back.'
        )
    step = _next_minor(old)
    if new[:2] in (old[:2], step):
        return None
    return (
        f"{installed} is installed, and {wanted} skips a minor release, whose migrations would be missing. "
        f"Deploy {_advice(step)} next; each minor release on the way has to run once."
    )


def _next_minor(release: tuple[int, int, int]) -> tuple[int, int]:
    major, minor, _ = release
    return (major + 1, 0) if minor == LAST_MINOR.get(major) else (major, minor + 1)


def _advice(minor_release: tuple[int, int]) -> str:
    major, minor = minor_release
    patch = NEWEST_PATCH.get(minor_release)
    newest = "" if patch is None else f"v{major}.{minor}.{patch} or any newer "
    return f"{newest}v{major}.{minor}.x"
