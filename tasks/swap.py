"""
Swap: a 1 GB server cannot boot Mastodon without it.

Run by itself:  pyinfra inventory.py tasks/swap.py
"""

from pyinfra import host

from mstdn.settings import settings_for
from mstdn.swap.operations import swap_file

settings = settings_for(host)

swap_file(
    name="Provide swap space",
    path=settings.swap_path,
    size_mib=settings.swap_size_mib,
    swappiness=settings.swap_swappiness,
)
