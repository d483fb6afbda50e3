"""
First backup: where the repository has none of this server yet. The others come by night.

Run by itself:  pyinfra inventory.py tasks/first_backup.py
"""

from pyinfra import host

from mstdn.backup.operations import first_backup
from mstdn.settings import settings_for

first_backup(
    name="Make the first backup",
    settings=settings_for(host),
)
