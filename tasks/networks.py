"""
Networks: front leads to the proxy, back-mstdn has no way out.

Run alone:  pyinfra inventory.py tasks/networks.py
"""

from pyinfra import host

from mstdn.networks.operations import WantedNetwork, docker_networks
from mstdn.settings import settings_for

settings = settings_for(host)

docker_networks(
    name="Create the networks front and back-mstdn",
    networks=[
        WantedNetwork("front", ipv6=None if settings.networks_ipv6 == "auto" else settings.networks_ipv6),
        WantedNetwork("back-mstdn", internal=True),
    ],
)
