"""
Networks: front leads to the proxy, back-mstdn has no way out.

Run by itself:  pyinfra inventory.py tasks/networks.py
"""

from pyinfra import host

from mstdn.layout import BACK, FRONT, NETWORKS_THAT_LEAD_OUT
from mstdn.networks.operations import WantedNetwork, docker_networks, open_ways
from mstdn.settings import settings_for

settings = settings_for(host)

docker_networks(
    name="Create the networks front and back-mstdn",
    networks=[
        WantedNetwork(FRONT, ipv6=None if settings.networks_ipv6 == "auto" else settings.networks_ipv6),
        WantedNetwork(BACK, internal=True),
    ],
)

open_ways(
    name="Keep the containers' ways in and out open",
    networks=NETWORKS_THAT_LEAD_OUT,
)
