"""
Chores: tidy up what Mastodon leaves behind, now; every week a timer does it.

Run:  pyinfra inventory.py tasks/chores.py -y
"""

from pyinfra import host

from mstdn.chores.operations import chores_now
from mstdn.settings import settings_for

chores_now(
    name="Tidy up what Mastodon leaves behind",
    settings=settings_for(host),
)
