"""
Rollback: the database goes back to the moment before an upgrade, and all that happened since is lost.

Run by name:  pyinfra inventory.py tasks/rollback.py --data rollback_to=v4.6.9
"""

from pyinfra import host

from mstdn.database.operations import joined_work, rolled_back_database
from mstdn.layout import MastodonLayout
from mstdn.settings import settings_for

settings = settings_for(host)
layout = MastodonLayout(settings.mastodon_root)

joined_work(
    name="Wait for what an earlier run has begun",
    marker=layout.installed,
    database=layout.database,
)

rolled_back_database(
    name="Take the database back to the release before",
    directory=layout.root,
    release=settings.rollback_to,
    marker=layout.installed,
    database=layout.database,
)
