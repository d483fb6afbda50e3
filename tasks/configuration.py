"""
Configuration: every file of both projects that holds no secret.

Run alone:  pyinfra inventory.py tasks/configuration.py
"""

from pyinfra import host

from mstdn.app.names import served_names
from mstdn.app.project import mastodon_project
from mstdn.files.operations import config_tree
from mstdn.layout import ProxyLayout
from mstdn.proxy.project import proxy_project
from mstdn.settings import settings_for
from mstdn.sizing.facts import server_size
from mstdn.suite import note

settings, size = settings_for(host), server_size()
names = served_names(settings)
mastodon = mastodon_project(settings, size.memory_mib, names)
proxy = proxy_project(settings, ipv6=size.ipv6, names=names)

config_tree(
    name="Write the configuration of Mastodon",
    directories=mastodon.directories,
    files=mastodon.files,
)

config_tree(
    name="Note which version of the suite works here",
    files=[note(settings)],
)

config_tree(
    name="Write the configuration of the proxy",
    directories=proxy.directories,
    files=proxy.files,
    shared=[ProxyLayout(settings.proxy_root).sites],
)
