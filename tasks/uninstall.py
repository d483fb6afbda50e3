"""
Uninstall: everything of the suite goes from the server, for ever. Docker stays, and the backups, and what is of others.

Without the instance's name it refuses, and lists what would go. A last backup is made first. If it is cut off, run it
again; a second run says that there is nothing to remove.

Run:  pyinfra inventory.py tasks/uninstall.py --data yes=social.example.org
      … --data uninstall_backup=no    without a last backup
"""

from pyinfra import host

from mstdn.asking import foresee
from mstdn.settings import settings_for
from mstdn.uninstall.operations import (
    consented_uninstall,
    last_backup,
    removed_containers,
    removed_directories,
    removed_machine,
    removed_units,
    uninstall_questions,
)

settings = settings_for(host)
foresee(uninstall_questions)

consented_uninstall(
    name="Look at what goes and what stays",
    settings=settings,
)
last_backup(
    name="Make a last backup",
    settings=settings,
)

# First the timers, which could start containers again.
removed_units(
    name="Remove what runs by itself",
)
removed_containers(
    name="Remove containers, networks and images",
    settings=settings,
)
removed_directories(
    name="Remove the instance and the proxy",
    settings=settings,
)
removed_machine(
    name="Remove firewall, swap, programs and notes",
    settings=settings,
)
