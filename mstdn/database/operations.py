"""The instance's database: made once, migrated in two phases around the start of a new release."""

from collections.abc import Sequence

from pyinfra import host
from pyinfra.api import operation

from mstdn.database.facts import Installed
from mstdn.refusal import refuse
from mstdn.shell import Commands, script


@operation()
def prepared_database(
    project: str,
    directory: str,
    release: str,
    marker: str,
    database: str,
    local_domain: str,
    services: Sequence[str],
    timeout_seconds: int,
) -> Commands:
    """
    Ensure a database that `release` can start with.

    + project, directory: of Compose
    + marker: file that remembers what was installed
    + database: PostgreSQL's data directory
    + services: to start for it; the rest of the project is not touched
    + timeout_seconds: for these to become healthy

    An empty database gets the schema at once (db:prepare; migrating from nothing leaves out the seeds). Later only
    the migrations of a new release run, those that the running release can live with.
    """
    installed = host.get_fact(Installed, marker=marker, database=database)
    if installed.get("MASTODON_VERSION") and "DATABASE" not in installed:
        yield from refuse(
            f"{marker} says that Mastodon {installed['MASTODON_VERSION']} was installed here, but {database} holds no "
            "database. Nothing was changed. Put the directory back from your backup. Only if you really want to begin "
            f"anew, with new keys and no posts: move {marker} away, and {directory}/secrets with it."
        )
        return
    if installed.get("NEXT_VERSION", installed.get("MASTODON_VERSION")) == release:
        host.noop(f"the database is ready for {release}")
        return
    yield script("database/wait_for_migration", project)
    if "MASTODON_VERSION" not in installed and "DATABASE" in installed:
        yield script("database/discard", directory, database)
    yield script("compose/up", project, directory, str(timeout_seconds), *services)
    yield script("database/migrate", "before", directory, release, marker, local_domain)


@operation()
def finished_migrations(project: str, directory: str, release: str, marker: str, database: str) -> Commands:
    """
    Ensure that no migration is left, once `release` serves.

    On a first installation there is nothing to do: the schema came complete.
    """
    installed = host.get_fact(Installed, marker=marker, database=database)
    if installed.get("MASTODON_VERSION", release) != release:
        yield script("database/wait_for_migration", project)
        yield script("database/migrate", "after", directory, release, marker)
