"""
Backup: one now, beside those of the night. It goes on if the connection breaks; run again, it is watched again.

Run:  pyinfra inventory.py tasks/backup.py -y
"""

from pyinfra import host

from mstdn.backup.operations import backup_now
from mstdn.settings import settings_for

backup_now(
    name="Make a backup",
    settings=settings_for(host),
)
