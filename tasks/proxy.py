"""
Proxy: nginx on ports 80 and 443, docker-gen, acme-companion, and the filter between these two and Docker.

Run by itself:  pyinfra inventory.py tasks/proxy.py
"""

from pyinfra import host

from mstdn.proxy.operations import running_proxy
from mstdn.settings import settings_for
from mstdn.sizing.facts import server_size
from mstdn.sizing.rules import start_timeout_seconds

settings = settings_for(host)

running_proxy(
    name="Start the proxy",
    settings=settings,
    timeout_seconds=start_timeout_seconds(server_size().memory_mib, settings),
)
