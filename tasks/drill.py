"""
Drill: the newest backup is restored aside and proven: rows, encrypted values, media, the repository itself.

Run:  pyinfra inventory.py tasks/drill.py -y
"""

from pyinfra import host

from mstdn.drill.operations import drill_now
from mstdn.settings import settings_for

drill_now(
    name="Prove the newest backup",
    settings=settings_for(host),
)
