"""
Proxy: nginx on ports 80 and 443, docker-gen, acme-companion, and the filter between these two and Docker.

Run alone:  pyinfra inventory.py tasks/proxy.py
"""

from pyinfra import host

from mstdn.compose.operations import compose_project
from mstdn.settings import settings_for
from mstdn.sizing.facts import shape_of
from mstdn.stack import PROXY_SERVICES, proxy_stack

settings = settings_for(host)
stack = proxy_stack(settings, ipv6=shape_of(host).ipv6)

compose_project(
    name="Start the proxy",
    project="proxy",
    directory=settings.proxy_root,
    services=PROXY_SERVICES,
    stack=stack,
    revision=stack.revision(),
    reload="proxy/reload",
    timeout_seconds=settings.app_start_timeout_seconds,
)
