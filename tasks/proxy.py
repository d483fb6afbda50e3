"""
Proxy: nginx on ports 80 and 443, docker-gen, acme-companion, and the filter between these two and Docker.

Run alone:  pyinfra inventory.py tasks/proxy.py
"""

from pyinfra import host

from mstdn.app.names import served_names
from mstdn.compose.operations import compose_project
from mstdn.images.references import all_images
from mstdn.proxy.project import proxy_project
from mstdn.settings import settings_for
from mstdn.sizing.facts import server_size
from mstdn.sizing.rules import start_timeout_seconds

settings = settings_for(host)

compose_project(
    name="Start the proxy",
    project=proxy_project(settings, ipv6=server_size().ipv6, names=served_names(settings)),
    images=all_images(settings),
    timeout_seconds=start_timeout_seconds(server_size().memory_mib, settings),
)
