"""
Updates: security fixes of the system install themselves; where somebody has configured that already, it stays so.

Run by itself:  pyinfra inventory.py tasks/updates.py
"""

from pyinfra import host

from mstdn.settings import settings_for
from mstdn.updates.operations import system_updates

system_updates(
    name="Let the system install its security fixes",
    settings=settings_for(host),
)
