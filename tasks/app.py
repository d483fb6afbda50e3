"""
App: Mastodon itself, started only on a database that is ready for it, and the migrations that waited for it.

Run alone:  pyinfra inventory.py tasks/app.py
"""

from pyinfra import host

from mstdn.app.operations import running_mastodon
from mstdn.app.project import web_way
from mstdn.database.operations import finished_migrations
from mstdn.layout import MastodonLayout
from mstdn.settings import settings_for
from mstdn.sizing.facts import server_size
from mstdn.sizing.rules import start_timeout_seconds

settings = settings_for(host)
layout = MastodonLayout(settings.mastodon_root)

running_mastodon(
    name="Start Mastodon",
    settings=settings,
    timeout_seconds=start_timeout_seconds(server_size().memory_mib, settings),
)

finished_migrations(
    name="Finish the release's migrations",
    directory=layout.root,
    release=settings.mastodon_version,
    marker=layout.installed,
    database=layout.database,
    timeout_seconds=start_timeout_seconds(server_size().memory_mib, settings),
    web_way=web_way(server_size().memory_mib, settings),
)
