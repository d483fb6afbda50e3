"""
Restore: an instance comes back from a backup, onto its server or onto a bare one. Cut off anywhere, it is run again.

Run:  pyinfra inventory.py tasks/restore.py
      … --data snapshot=1a2b3c4d    another than the newest backup
      … --data replace=yes          where an instance lives that it shall take the place of
"""

from pyinfra import host, local

from mstdn.asking import foresee
from mstdn.questions import of_a_deployment
from mstdn.restore.operations import begun_restore, finished_restore, remounted_stores, restored_data
from mstdn.settings import settings_for
from mstdn.sizing.facts import server_size
from mstdn.sizing.rules import start_timeout_seconds

settings = settings_for(host)
foresee(of_a_deployment)

# A server as for a deployment, and the programs of backups; nothing of an instance yet.
local.include("tasks/preflight.py")
local.include("tasks/swap.py")
local.include("tasks/kernel.py")
local.include("tasks/firewall.py")
local.include("tasks/docker.py")
local.include("tasks/networks.py")
local.include("tasks/checkout.py")
local.include("tasks/configuration.py")
local.include("tasks/images.py")
local.include("tasks/timers.py")

# On a bare server the backup's keys come before others could be made.
begun_restore(
    name="Begin to restore the backup",
    settings=settings,
)
local.include("tasks/secrets.py")
restored_data(
    name="Bring database, jobs and media back",
    settings=settings,
    timeout_seconds=start_timeout_seconds(server_size().memory_mib, settings),
)

# As in a deployment, with the keys of the backup: where the release is a newer one, it migrates.
local.include("tasks/secrets.py")
remounted_stores(
    name="Let the database and Redis read the backup's passwords",
    settings=settings,
    timeout_seconds=start_timeout_seconds(server_size().memory_mib, settings),
)
local.include("tasks/database.py")
local.include("tasks/assets.py")
local.include("tasks/proxy.py")
local.include("tasks/app.py")
local.include("tasks/certificates.py")
local.include("tasks/verify.py")

finished_restore(
    name="Build everybody's feed and finish the restore",
    settings=settings,
)
