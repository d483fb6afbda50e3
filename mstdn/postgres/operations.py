"""The database moves into a new data directory, while the old one stays as it is until the new one serves."""

from __future__ import annotations

import shlex
import time

from pyinfra import host, state

from mstdn.asking import ask
from mstdn.backup.facts import BackupState
from mstdn.database.facts import Installed, StoresAtWork
from mstdn.database.stores import postgres_is_unknown
from mstdn.docker.engine import CONTAINER
from mstdn.fact import CouldNotLook
from mstdn.images.facts import ImageStates
from mstdn.images.references import all_images
from mstdn.layout import MASTODON_PROJECT, POSTGRES_MOVE, MastodonLayout
from mstdn.operation import announce, operation
from mstdn.postgres.facts import UNIT, DataDirectories, Directories
from mstdn.postgres.rules import REMOVE, Move, move, obstacle, reasons
from mstdn.preflight.looking import look
from mstdn.refusal import refuse
from mstdn.settings import Settings
from mstdn.shell import Commands, script, text_of
from mstdn.timers.following import ENDED, followed

# What a move that was killed has left is put in order without waiting for whoever works on the server.
PROGRAM = (ENDED, CONTAINER, "postgres/put_in_order", "connection", "lock", "timers/growth", "postgres/upgrade")


@operation
def postgres_may_move(settings: Settings) -> Commands:
    """
    Refuse, before the first change, what stands in the way of a move and what preflight finds besides.

    An image that cannot read the data directory is no reason to refuse, because that is what the move is for.
    """
    errors = [each.text for each in look(settings, time.time(), postgres_moves=True) if each.level == "error"]
    if errors:
        yield from refuse("\n".join(errors))
        return
    todo, found = _todo(settings)
    if text := _obstacle(settings, todo, found):
        yield from refuse(text)
        return
    host.noop(todo.value)


@operation
def moved_database(settings: Settings, timeout_seconds: int) -> Commands:
    """
    Ensure that the data directory is one of the PostgreSQL that the settings name, sorted by its rules.

    + timeout_seconds: for containers to become healthy

    The work is that of a unit of the server: it goes on without this connection, and is joined by the next run.
    """
    layout, image = MastodonLayout(settings.mastodon_root), settings.postgres_image
    todo, found = _todo(settings)
    if text := _obstacle(settings, todo, found):
        yield from refuse(text)
        return
    if todo is Move.UNKNOWN and state.is_executing:
        yield from refuse(postgres_is_unknown(found.major, image) or f"Nobody knows which PostgreSQL {image} has.")
        return
    if todo is Move.NOTHING:
        host.noop(f"PostgreSQL {found.major} made the database, and {image} has the same release")
        return
    if todo is Move.CLEAN_UP:
        announce("the remains of a move that was cut off are removed")
        remains = (f"{found.real}.new", f"{found.real}.dumps", layout.postgres_upgrade)
        yield script("postgres/clean_up", POSTGRES_MOVE, *remains)
        return
    announce(*reasons(todo, found, image, _said(settings), _collation()))
    if todo is Move.UNKNOWN:
        return
    if not found.working:
        yield script("database/wait_for_migration", MASTODON_PROJECT, told=True)
    program = "".join(map(text_of, PROGRAM))
    told = (layout.root, image, layout.postgres_upgrade, str(timeout_seconds))
    # Whatever ended the unit: Mastodon starts again, with the data directory that is in place.
    afterwards = shlex.join(["/bin/sh", f"/run/{POSTGRES_MOVE}.program", *told])
    yield followed(UNIT, "The move of the database", afterwards, *told, program=program)


@operation
def old_data_directory(settings: Settings) -> Commands:
    """Keep the data directory from before the last move, or remove it if the settings say so."""
    found = ask(DataDirectories.under(settings.mastodon_root, size=True))
    path = f"{found.real}.before"
    if not found.before:
        host.noop("there is no other data directory")
        return
    if settings.postgres_old_directory == "keep":
        announce(f"{path} is kept (PostgreSQL {found.before}, {found.before_mib} MiB). To remove it: {REMOVE}")
        host.noop(f"{path} is kept")
        return
    if found.under or not found.major:
        yield from refuse(f"A move of the database is under way, so {path} stays. Finish it first.")
        return
    announce(f"{path} is removed (PostgreSQL {found.before}, {found.before_mib} MiB)")
    yield script("files/remove", path)


def _todo(settings: Settings) -> tuple[Move, Directories]:
    found = ask(DataDirectories.under(settings.mastodon_root, size=True))
    return move(found, settings.postgres_image, _said(settings), _collation()), found


def _obstacle(settings: Settings, todo: Move, found: Directories) -> str | None:
    layout, restoring = MastodonLayout(settings.mastodon_root), ask(BackupState.of_the_server()).restoring
    installed = ask(Installed.of(layout.installed, layout.database))
    image, release = settings.postgres_image, settings.mastodon_version
    if settings.postgres_old_directory == "remove" and todo in (Move.MAJOR, Move.COLLATION) and found.before:
        return "First remove the old data directory, with the postgres_image that runs now; then move the database."
    return obstacle(todo, found, installed, restoring, release, image, _said(settings))


def _said(settings: Settings) -> str:
    """Which PostgreSQL the image says that it has, "" as long as it is not on the server."""
    try:
        versions = ask(ImageStates.of(all_images(settings))).versions
    except CouldNotLook:
        return ""
    return versions.get(settings.postgres_image, {}).get("PG_MAJOR", "")


def _collation() -> tuple[str, str] | None:
    try:
        return ask(StoresAtWork.of(MASTODON_PROJECT)).collation
    except CouldNotLook:
        return None
