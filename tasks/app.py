"""
App: Mastodon itself, started only on a database that is ready for it, and the migrations that waited for it.

Run alone:  pyinfra inventory.py tasks/app.py
"""

from pyinfra import host

from mstdn.compose.operations import compose_project
from mstdn.database.operations import finished_migrations
from mstdn.secrets.operator import secrets_for
from mstdn.settings import settings_for
from mstdn.sizing.facts import shape_of
from mstdn.sizing.rules import sizing_for
from mstdn.stack import MASTODON_SERVICES, fingerprint_of, mastodon_stack

settings = settings_for(host)
stack = mastodon_stack(settings, sizing_for(shape_of(host).memory_mib, settings))

compose_project(
    name="Start Mastodon",
    project="mstdn",
    directory=settings.mastodon_root,
    services=MASTODON_SERVICES,
    stack=stack,
    # The operator's secrets count as well: a new password of the mail server has to reach the containers.
    revision=stack.revision(fingerprint_of(secrets_for(settings))),
    reload="app/reload",
    timeout_seconds=settings.app_start_timeout_seconds,
)

finished_migrations(
    name="Finish the release's migrations",
    project="mstdn",
    directory=settings.mastodon_root,
    release=settings.mastodon_version,
    marker=f"{settings.mastodon_root}/state/installed.env",
    database=f"{settings.mastodon_root}/database",
)
