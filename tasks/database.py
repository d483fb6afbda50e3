"""
Database: made at the first installation, migrated as far as the release that still serves can live with.

The migrations that have to wait until the new release serves are in tasks/app.py.

Run alone:  pyinfra inventory.py tasks/database.py
"""

from pyinfra import host

from mstdn.database.operations import prepared_database
from mstdn.settings import settings_for
from mstdn.stack import DATABASE_SERVICES

settings = settings_for(host)

prepared_database(
    name="Prepare the database for the release",
    project="mstdn",
    directory=settings.mastodon_root,
    release=settings.mastodon_version,
    marker=f"{settings.mastodon_root}/state/installed.env",
    database=f"{settings.mastodon_root}/database",
    local_domain=settings.local_domain,
    services=DATABASE_SERVICES,
    timeout_seconds=settings.app_start_timeout_seconds,
)
