"""The instance's database: made once, migrated in two phases around the start of a new release."""

from pyinfra import host, state

from mstdn.asking import ask
from mstdn.brought import DATABASE, is_brought
from mstdn.compose.commands import bring_up, roll
from mstdn.compose.project import Way
from mstdn.database.facts import DatabaseDumps, Installed, StoresAtWork
from mstdn.database.rules import (
    LOCK_TIMEOUTS_SECONDS,
    Completion,
    Preparation,
    Work,
    completion,
    going_back,
    preparation,
    work,
)
from mstdn.database.stores import postgres_cannot_read, postgres_is_unknown, redis_cannot_read
from mstdn.docker.facts import Containers
from mstdn.docker.presence import needs_engine
from mstdn.images.facts import ImageStates
from mstdn.images.references import all_images
from mstdn.layout import DATABASE_SERVICES, INSTANCE_NOTE, MASTODON_PROJECT, STORES, MastodonLayout
from mstdn.operation import announce, operation
from mstdn.preflight import question_about_the_server
from mstdn.refusal import refuse
from mstdn.settings import Settings
from mstdn.shell import Commands, script
from mstdn.timers.following import DEPLOYMENT_UNIT, deployment_work, joined

# What all scripts that migrate share.
MIGRATIONS = "database/migrations"
DUMP = ("timers/growth", "database/dump")
# The unit's program begins with these.
OF_THE_UNIT = ("database/put_in_order", "connection", "lock", MIGRATIONS)
CREATE = (*OF_THE_UNIT, "timers/growth", "database/create")


@operation
def readable_stores(settings: Settings) -> Commands:
    """
    Ensure that the images of PostgreSQL and Redis can read what is there, before anything of them is stopped.

    Preflight has judged their tags; what an image says itself is known once it is on the server.
    """
    layout, postgres, redis = MastodonLayout(settings.mastodon_root), settings.postgres_image, settings.redis_image
    made_by = ask(Installed.of(layout.installed, layout.database)).get("DATABASE", "")
    jobs, images = ask(question_about_the_server(settings)).redis, ask(ImageStates.of(all_images(settings)))
    major = images.versions.get(postgres, {}).get("PG_MAJOR", "")
    problems = [
        postgres_cannot_read(made_by, postgres, major),
        postgres_is_unknown(made_by, postgres) if postgres in images.ids and not major else None,
        redis_cannot_read(jobs, redis, images.versions.get(redis, {}).get("REDIS_VERSION", "")),
    ]
    if found := [problem for problem in problems if problem]:
        yield from refuse(" ".join(found))
        return
    host.noop("the images can read the data")


@operation
@needs_engine
def prepared_database(
    directory: str,
    release: str,
    marker: str,
    database: str,
    local_domain: str,
    timeout_seconds: int,
) -> Commands:
    """
    Ensure a database that `release` can start with.

    + directory: of Mastodon's Compose project
    + marker: file that remembers what was installed
    + database: PostgreSQL's data directory
    + timeout_seconds: for the stores to become healthy

    An empty database gets the schema at once (db:prepare; migrating from nothing leaves out the seeds). Later only
    the migrations of a new release run, those that the running release can live with. Both are work of the server.
    """
    installed = ask(Installed.of(marker, database))
    todo = preparation(installed, release)
    if todo is Preparation.IMPOSSIBLE:
        yield from refuse(
            f"{marker} says that Mastodon {installed['MASTODON_VERSION']} was installed here, but {database} holds no "
            "database. Put the directory back from your backup. Only if you really want to begin "
            f"anew, with new keys and no posts: move {marker} away, {directory}/secrets with it, and "
            f"rm {INSTANCE_NOTE}."
        )
        return
    if todo is Preparation.RETURNING:
        at = installed["MASTODON_VERSION"]
        yield from refuse(
            f"tasks/rollback.py was interrupted on the way back to {at}. Finish it: "
            f"pyinfra inventory.py tasks/rollback.py --data rollback_to={at}"
        )
        return
    if todo is Preparation.TOO_LATE:
        at, target = installed["MASTODON_VERSION"], installed["NEXT_VERSION"]
        way_back = going_back(at, ask(DatabaseDumps.under(directory)).releases)
        yield from refuse(
            f"The migrations that {at} cannot live with have begun. To finish the upgrade, set "
            f'mastodon_version = "{target}" and deploy. {way_back}'
        )
        return
    if todo is Preparation.NOTHING:
        host.noop(f"the database is ready for {release}")
        return
    if "DATABASE" in installed and "MASTODON_VERSION" not in installed:
        announce(f"{marker} is not there, but a database is")
    yield script("database/wait_for_migration", MASTODON_PROJECT, told=True)
    if todo is Preparation.CREATE_ANEW:
        yield script("database/discard", directory, database)
    if todo is Preparation.GIVE_UP:
        announce(f"{installed['NEXT_VERSION']} did not come up; {release} can live with what it migrated")
        yield script("database/note", directory, release, marker, before=MIGRATIONS)
        return
    # On a server that serves, a new nginx takes over later, without a gap.
    services = STORES if todo is Preparation.MIGRATE else DATABASE_SERVICES
    yield bring_up(MASTODON_PROJECT, directory, timeout_seconds, services)
    if todo is Preparation.MIGRATE:
        what = f"The dump of {installed['MASTODON_VERSION']} and the first migrations towards {release}"
        yield from _migrate(what, directory, release, marker, *DUMP, "database/migrate_first")
    else:
        what = f"The making of the database of {release}"
        yield from deployment_work(what, directory, release, marker, local_domain, program=CREATE)
    if state.is_executing:
        now = ask(Installed.of(marker, database))
        if preparation(now, release) is not Preparation.NOTHING:
            yield from refuse(f"The database is not ready for {release}, although nothing failed. Run again.")


@operation
@needs_engine
def finished_migrations(
    directory: str, release: str, marker: str, database: str, timeout_seconds: int, web_way: Way
) -> Commands:
    """
    Ensure that no migration is left, once `release` serves, and that no program knows the columns of before.

    + timeout_seconds: for new containers to become healthy
    + web_way: how a new web takes over

    On a first installation there is nothing to do: the schema came complete.
    """
    installed = ask(Installed.of(marker, database))
    todo = completion(installed, release)
    if todo is Completion.NOTE:
        yield script("database/note", directory, release, marker, before=MIGRATIONS)
    elif todo is Completion.MIGRATE:
        yield script("database/wait_for_migration", MASTODON_PROJECT, told=True)
        yield from _migrate(f"The last migrations of {release}", directory, release, marker, "database/migrate_rest")
        if state.is_executing:
            now = ask(Installed.of(marker, database))
            todo = completion(now, release)
            if todo in (Completion.NOTE, Completion.MIGRATE):
                yield from refuse(f"Not all migrations of {release} have run, although nothing failed. Run again.")
    if todo is Completion.RENEW:
        announce("the columns that web and Sidekiq know are those of before the migrations")
        ways = {"web": web_way, "sidekiq": Way.AFTER}
        containers = ask(Containers.all())
        old = [each.id for each in containers if each.project == MASTODON_PROJECT and each.service in ways]
        yield from roll(MASTODON_PROJECT, directory, timeout_seconds, ways, old, "app/move")
        yield script("database/note", directory, release, marker, before=MIGRATIONS)


def _migrate(what: str, directory: str, release: str, marker: str, *scripts: str) -> Commands:
    words = (directory, release, marker, *map(str, LOCK_TIMEOUTS_SECONDS))
    yield from deployment_work(what, *words, program=(*OF_THE_UNIT, *scripts))


@operation
def joined_work(marker: str, database: str) -> Commands:
    """
    Wait for what an earlier run has begun and a unit of the server goes on with, and tell how it goes.

    + marker: file that remembers what was installed
    + database: PostgreSQL's data directory

    A run whose connection broke is joined by the next one, which then looks anew what is to be done.
    """
    installed = ask(Installed.of(marker, database))
    found = work(installed)
    if found is Work.NONE:
        host.noop(found.value)
    elif found is Work.AT_WORK:
        announce(f"{found.value}: this one waits for its end, and then looks anew")
        yield joined(DEPLOYMENT_UNIT)
    else:
        announce(f"{found.value}: what is still wanted is begun anew")
        yield script("timers/forget", DEPLOYMENT_UNIT)


@operation
@needs_engine
def password_in_force(directory: str, marker: str, database: str) -> Commands:
    """
    Ensure that PostgreSQL lets Mastodon in with the password that is in its secrets.

    + directory: of Mastodon's Compose project
    + marker: file that remembers what was installed
    + database: PostgreSQL's data directory

    What was changed inside of it (ALTER ROLE) is seen by nobody until Mastodon connects the next time. Refuses where
    PostgreSQL has lost the database of an instance: one without posts is not made in its place.
    """
    stores = ask(StoresAtWork.of(MASTODON_PROJECT))
    release = ask(Installed.of(marker, database)).get("MASTODON_VERSION")
    comes_back = is_brought(DATABASE) and not state.is_executing
    if release and stores.missing and not comes_back:
        lacks = "database mastodon_production" if stores.missing == "database" else "tables in mastodon_production"
        yield from refuse(
            f"{marker} says that Mastodon {release} was installed here, but PostgreSQL has no {lacks}. None was made: "
            "it would be without accounts and posts. If it is there under another name (docker compose exec db psql -U "
            f"postgres -l, in {directory}), give it its own back; or bring back the last backup: pyinfra inventory.py "
            "tasks/restore.py"
        )
        return
    if "postgres" in stores.refused:
        announce(f"PostgreSQL does not let Mastodon in: {stores.refused['postgres']}")
        yield script("database/let_in", directory)


@operation
def rolled_back_database(directory: str, release: str | None, marker: str, database: str) -> Commands:
    """
    Ensure that the database is the one that `release` left behind when it was upgraded.

    What it is now is dumped first. Mastodon stays stopped, for its containers are those of the release after; the next
    deployment starts the others. The work is that of the unit of deployments: it goes on without this connection.
    """
    installed, dumps = ask(Installed.of(marker, database)), ask(DatabaseDumps.under(directory)).releases
    there = f"There are dumps of: {', '.join(dumps)}." if dumps else "There is no dump; the first upgrade makes one."
    if release is None:
        yield from refuse(
            f"Which release? {there} Name it: pyinfra inventory.py tasks/rollback.py --data rollback_to=v4.6.9"
        )
    elif release == installed.get("MASTODON_VERSION") and installed.get("MIGRATIONS") in (None, "none", "before"):
        host.noop(f'the database is that of {release}; set mastodon_version = "{release}" and deploy')
    elif release not in dumps:
        yield from refuse(f"There is no dump of the database of {release}. {there}")
    else:
        announce(
            f"the database goes back to the moment before the upgrade from {release}; what was written since is lost, "
            "but for a dump of it",
            "visitors get the page that asks them to wait, until the next deployment",
        )
        yield script("database/wait_for_migration", MASTODON_PROJECT, told=True)
        program = (
            "database/put_back_in_order",
            "connection",
            "lock",
            MIGRATIONS,
            "timers/growth",
            "database/restore_dump",
        )
        yield from deployment_work(f"The way back to {release}", directory, release, marker, program=program)
