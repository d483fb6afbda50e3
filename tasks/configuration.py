"""
Configuration: every file of both projects that holds no secret.

Run alone:  pyinfra inventory.py tasks/configuration.py
"""

from pyinfra import host

from mstdn.files.operations import config_tree
from mstdn.settings import settings_for
from mstdn.sizing.facts import shape_of
from mstdn.sizing.rules import sizing_for
from mstdn.stack import mastodon_stack, proxy_stack

settings = settings_for(host)
shape = shape_of(host)
mastodon = mastodon_stack(settings, sizing_for(shape.memory_mib, settings))
proxy = proxy_stack(settings, ipv6=shape.ipv6)

config_tree(
    name="Write the configuration of Mastodon",
    directories=mastodon.directories,
    files=mastodon.files,
)

config_tree(
    name="Write the configuration of the proxy",
    directories=proxy.directories,
    files=proxy.files,
)
