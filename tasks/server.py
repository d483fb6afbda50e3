"""
The server at a provider: a static address, and a machine that lets you in.

Run by itself:  pyinfra @local tasks/server.py
"""

from pyinfra import host

from mstdn.cloud.loading import provision_settings_for
from mstdn.server.operations import server, server_that_lets_in

settings = provision_settings_for(host)

server(name="Reserve the address and create the server", settings=settings)

server_that_lets_in(name="Wait until the server lets you in", settings=settings)
