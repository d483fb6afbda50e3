"""Whether the database has to move into a new data directory, and whether it may. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

from mstdn.database.stores import postgres_in_tag
from mstdn.finding import Finding
from mstdn.postgres.facts import Directories

VERB = "pyinfra inventory.py tasks/postgres_upgrade.py"
REMOVE = f"{VERB} --data postgres_old_directory=remove"
# Left free beside what a move needs.
LEAST_MIB = 512


class Move(Enum):
    """What has to be done with the database."""

    NOTHING = "the database lies as the settings want it"
    UNKNOWN = "the image has to be pulled before it says which PostgreSQL it has"
    MAJOR = "the settings name another major release"
    COLLATION = "its indexes were sorted by another Debian's rules"
    GO_ON = "a move was begun"
    CLEAN_UP = "a move was begun and is no longer wanted"


def wanted_major(image: str, said: str) -> str:
    """
    The major release of PostgreSQL that the image has, "" if nobody knows yet.

    said: by the image itself (PG_MAJOR), "" where it is not on the server.
    """
    return said or postgres_in_tag(image)


def move(found: Directories, image: str, said: str, collation: tuple[str, str] | None) -> Move:
    """collation: the versions of the rules by which the indexes were sorted and by which PostgreSQL sorts now."""
    wanted, phase = wanted_major(image, said), found.under.get("phase", "")
    if phase == "switching" or found.working:
        return Move.GO_ON
    if found.major and not wanted:
        return Move.UNKNOWN
    if found.major and wanted != found.major:
        return Move.MAJOR
    if collation:
        return Move.COLLATION
    return Move.CLEAN_UP if phase else Move.NOTHING


def needed_mib(found: Directories) -> int:
    """Free space for a dump, which is compressed and has no indexes, and for a second data directory."""
    return found.size_mib * 3 // 2 + LEAST_MIB


def obstacle(
    todo: Move, found: Directories, installed: Mapping[str, str], restoring: str, release: str, image: str, said: str
) -> str | None:
    """
    Why the database must not move now, with what to do; None if it may.

    installed: what the server notes (Installed). restoring: the snapshot of a restore under way. release: of Mastodon,
    and image, as the settings have them. said: PG_MAJOR of the image, "" where it is not on the server.
    """
    at = installed.get("MASTODON_VERSION", "")
    if not at:
        return "No instance is installed on this server. Deploy it: pyinfra inventory.py deploy.py"
    if "NEXT_VERSION" in installed or release != at:
        return (
            f"Mastodon {at} is installed, and mastodon_version is {release}: one thing after the other. Finish the "
            "upgrade of Mastodon first (pyinfra inventory.py deploy.py, with the postgres_image that was set before), "
            f'or set mastodon_version = "{at}".'
        )
    if restoring:
        return f"A restore of {restoring} is under way. Finish it first: pyinfra inventory.py tasks/restore.py"
    if todo is Move.GO_ON:
        noted = found.under.get("image", image)
        if noted != image:
            return (
                f'The database is on its way to {noted}, and postgres_image is "{image}". Set postgres_image = '
                f'"{noted}" and run again: {VERB}'
            )
        return None
    if todo in (Move.NOTHING, Move.CLEAN_UP, Move.UNKNOWN):
        return None
    wanted = wanted_major(image, said)
    if todo is Move.MAJOR and int(wanted) < int(found.major.split(".")[0]):
        return (
            f'The database was made by PostgreSQL {found.major}, and postgres_image = "{image}" is {wanted}: an older '
            f"one cannot load what a newer one dumps. Set {found.major} or newer."
        )
    if found.mounted:
        return (
            f"A file system is mounted on {found.real}, and what is mounted cannot change its place. In a quiet "
            "moment: stop the database (docker compose stop in its directory), move the files into a directory of that "
            "disk, such as /mnt/database/data, mount the disk on /mnt/database, and make a link of the old name to it."
        )
    if found.tablespaces:
        return (
            f"The database has tablespaces outside of its directory ({', '.join(found.tablespaces)}), which this "
            "cannot move. Bring their tables back into pg_default (ALTER DATABASE … SET TABLESPACE pg_default), and "
            "drop them."
        )
    if found.before:
        return (
            f"{found.real}.before, the data directory from before the last move (PostgreSQL {found.before}, "
            f"{found.before_mib} MiB), is still kept. Remove it if nothing is missing: {REMOVE}"
        )
    if found.free_mib < needed_mib(found):
        return (
            f"The disk of {found.real} has {found.free_mib} MiB free, and the move needs {needed_mib(found)}: the "
            f"database of {found.size_mib} MiB is dumped, and loaded into a second directory. Make room (docker image "
            "prune --all, which leaves what runs; journalctl --vacuum-size=100M), or enlarge the disk."
        )
    return None


def reasons(todo: Move, found: Directories, image: str, said: str, collation: tuple[str, str] | None) -> Iterator[str]:
    """What a plan says."""
    if todo is Move.UNKNOWN:
        yield f"which PostgreSQL {image} has is known once it is on the server"
        return
    if todo is Move.MAJOR:
        yield f"the database goes from PostgreSQL {found.major} to {wanted_major(image, said)} ({image})"
    elif todo is Move.COLLATION and collation:
        yield f"the database is made anew by {image}: {sorted_otherwise(collation)}"
    elif todo is Move.GO_ON:
        yield "a move of the database was begun: it is finished"
    if found.under.get("phase") != "switching":
        yield (
            f"visitors get the page that asks them to wait (503 with Retry-After) while {found.size_mib} MiB are "
            "dumped and loaded; the old data directory is kept"
        )
    else:
        yield (
            "if the old data directory was written to since it was dumped, as after a reboot, it is dumped once more, "
            "and visitors wait meanwhile"
        )


def sorted_otherwise(collation: tuple[str, str]) -> str:
    """collation: the versions of then and of now."""
    then, now = collation
    return (
        f"its indexes were sorted by the rules of version {then} of the C library, and its image has {now}, so that "
        "rows may not be found or be there twice"
    )


def collation_findings(collation: tuple[str, str] | None) -> Iterator[Finding]:
    """The warning of preflight."""
    if collation:
        yield Finding(
            "warning", f"The database was moved under another Debian: {sorted_otherwise(collation)}. Mend it: {VERB}"
        )


def switching_findings(phase: str) -> Iterator[Finding]:
    """phase: of a move that is under way, as its note says, "" without one."""
    if phase == "switching":
        yield Finding(
            "error",
            "A move of the database was cut off while its data directories changed places. Nothing is lost; finish it: "
            f"{VERB}",
        )
