"""
PostgreSQL upgrade: the database moves into a new data directory of the PostgreSQL that postgres_image names.

It also mends a database whose indexes were sorted by another Debian's rules. Visitors are asked to wait meanwhile. If
it is cut off, run it again. The old data directory serves until the new one does, and is kept.

Run:  pyinfra inventory.py tasks/postgres_upgrade.py
      … --data postgres_old_directory=remove    when nothing is missing
"""

from pyinfra import host, local

from mstdn.asking import foresee
from mstdn.database.operations import joined_work
from mstdn.layout import MastodonLayout
from mstdn.postgres.operations import moved_database, old_data_directory, postgres_may_move
from mstdn.questions import of_a_deployment
from mstdn.settings import settings_for
from mstdn.sizing.facts import server_size
from mstdn.sizing.rules import start_timeout_seconds

settings = settings_for(host)
layout = MastodonLayout(settings.mastodon_root)
foresee(of_a_deployment)

postgres_may_move(
    name="Look whether the database can move",
    settings=settings,
)
joined_work(
    name="Wait for what an earlier run has begun",
    marker=layout.installed,
    database=layout.database,
)
# While the old database serves.
local.include("tasks/images.py")
moved_database(
    name="Move the database into a new data directory",
    settings=settings,
    timeout_seconds=start_timeout_seconds(server_size().memory_mib, settings),
)

# As in a deployment: what was started by the move is what the settings say.
local.include("tasks/configuration.py")
local.include("tasks/app.py")
# The new one knows no roles but Mastodon's.
local.include("tasks/monitoring.py")
local.include("tasks/verify.py")
local.include("tasks/cleanup.py")

old_data_directory(
    name="Keep the old data directory, or remove it",
    settings=settings,
)
