"""
Networks: front leads to the proxy, back-mstdn has no way out.

Run by itself:  pyinfra inventory.py tasks/networks.py
"""

from pyinfra import host

from mstdn.layout import NETWORKS_THAT_LEAD_OUT
from mstdn.networks.operations import docker_networks, open_ways, wanted_networks
from mstdn.settings import settings_for

settings = settings_for(host)

docker_networks(
    name="Create the networks front and back-mstdn",
    networks=wanted_networks(settings),
)

open_ways(
    name="Keep the containers' ways in and out open",
    networks=NETWORKS_THAT_LEAD_OUT,
)
