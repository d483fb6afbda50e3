"""An instance comes back from a backup, step by step; each step is finished by the next run if this one is cut off."""

from __future__ import annotations

from pyinfra import host

from mstdn.asking import ask
from mstdn.backup.programs import COMMON
from mstdn.backup.rules import OFF
from mstdn.brought import DATABASE, brings
from mstdn.compose.commands import bring_up
from mstdn.docker.facts import Containers
from mstdn.layout import DATABASE_SERVICES, MASTODON_PROJECT, RESTORE_NOTE, MastodonLayout
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.restore.facts import Way, WayBack
from mstdn.restore.rules import data_are_restored, is_resumed, made, obstacle, only_has_to_be_finished
from mstdn.settings import Settings
from mstdn.shell import Commands, script
from mstdn.timers.following import followed

UNIT = "mstdn-restore.service"


@operation
def begun_restore(settings: Settings) -> Commands:
    """
    Ensure that the wanted backup can come back here, that its keys are here, and that the restore is noted as begun.

    Refuses what cannot be, before anything of the instance is touched. Where an instance lives its keys stay until its
    database is replaced: the one is worth nothing without the other.
    """
    if not settings.backup_repository:
        yield from refuse(OFF)
        return
    way = _way_back(settings)
    if only_has_to_be_finished(way, settings.snapshot):
        host.noop("the data are restored")
        return
    if text := obstacle(way, settings):
        yield from refuse(text)
        return
    if is_resumed(way) and way.keys:
        host.noop(f"the restore of {way.snapshot} goes on")
        return
    announce(f"brings back {way.snapshot}, made {made(way)}, Mastodon {way.manifest.get('mastodon')}")
    yield script("restore/begin", way.snapshot, before=COMMON)


@operation
def restored_data(settings: Settings, timeout_seconds: int) -> Commands:
    """
    Ensure that database, jobs and media are those of the backup.

    + timeout_seconds: for the stores to become healthy

    The work is that of a unit of the server: it goes on without this connection, and is joined by the next run.
    """
    brings(DATABASE)
    layout = MastodonLayout(settings.mastodon_root)
    way = _way_back(settings)
    if data_are_restored(way):
        host.noop("the data are restored")
        return
    yield bring_up(MASTODON_PROJECT, layout.root, timeout_seconds, DATABASE_SERVICES)
    yield script("database/let_in", layout.root)
    yield followed(UNIT, "The restore")


@operation
def remounted_stores(settings: Settings, timeout_seconds: int) -> Commands:
    """
    Ensure that the database and Redis hold the passwords that have come with the backup's keys.

    + timeout_seconds: for them to become healthy

    A file that is replaced stays the old one inside a container until it is started anew. Nobody is kept from them:
    Mastodon is stopped.
    """
    way = _way_back(settings)
    stale = [
        each.id
        for each in ask(Containers.all())
        if each.project == MASTODON_PROJECT and each.service in ("db", "redis") and not each.once and each.gone
    ]
    if way.restoring and stale:
        yield script("compose/restart", *stale)
        yield bring_up(MASTODON_PROJECT, settings.mastodon_root, timeout_seconds, DATABASE_SERVICES)


@operation
def finished_restore(settings: Settings) -> Commands:
    """Ensure that everybody's feed is built anew, and that the restore is no longer noted as under way."""
    way = _way_back(settings)
    if not way.restoring:
        host.noop(f"{RESTORE_NOTE} is not there")
        return
    yield followed(UNIT, "The restore")


def _way_back(settings: Settings) -> Way:
    return ask(WayBack.of(settings.snapshot, settings.mastodon_root, settings.backup_repository))
