"""
Retention: how long copies of other servers' content are kept. Set once; later what the owner chooses counts.

Run by itself:  pyinfra inventory.py tasks/retention.py
"""

from pyinfra import host

from mstdn.retention.operations import chosen_retention
from mstdn.settings import settings_for

chosen_retention(
    name="Choose how long copies of others' content are kept",
    settings=settings_for(host),
)
