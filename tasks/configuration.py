"""
Configuration: every file of both projects that holds no secret.

Run by itself:  pyinfra inventory.py tasks/configuration.py
"""

from pyinfra import host

from mstdn.app.operations import mastodon_files
from mstdn.files.operations import config_tree
from mstdn.proxy.operations import proxy_files
from mstdn.settings import settings_for
from mstdn.suite import note

settings = settings_for(host)

mastodon_files(
    name="Write the configuration of Mastodon",
    settings=settings,
)

config_tree(
    name="Note which version of the suite works here",
    files=[note(settings)],
)

proxy_files(
    name="Write the configuration of the proxy",
    settings=settings,
)
