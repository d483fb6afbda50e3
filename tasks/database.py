"""
Database: made at the first installation, migrated as far as the release that still serves can live with.

The migrations that have to wait until the new release serves are in tasks/app.py.

Run by itself:  pyinfra inventory.py tasks/database.py
"""

from pyinfra import host

from mstdn.database.operations import password_in_force, prepared_database, readable_stores
from mstdn.layout import MastodonLayout
from mstdn.settings import settings_for
from mstdn.sizing.facts import server_size
from mstdn.sizing.rules import start_timeout_seconds
from mstdn.storage.operations import noted_instance

settings = settings_for(host)
layout = MastodonLayout(settings.mastodon_root)

readable_stores(
    name="Compare PostgreSQL and Redis with the data that is there",
    settings=settings,
)

prepared_database(
    name="Prepare the database for the release",
    directory=layout.root,
    release=settings.mastodon_version,
    marker=layout.installed,
    database=layout.database,
    local_domain=settings.local_domain,
    timeout_seconds=start_timeout_seconds(server_size().memory_mib, settings),
)

# Only now is it an instance that could be lost.
noted_instance(
    name="Note where the instance lies",
    settings=settings,
)

password_in_force(
    name="Keep the password of the database in force",
    directory=layout.root,
    marker=layout.installed,
    database=layout.database,
)
