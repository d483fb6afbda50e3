"""
Firewall: nothing but SSH, HTTP and HTTPS from outside, on a server that has no firewall of its own.

Run by itself:  pyinfra inventory.py tasks/firewall.py
"""

from pyinfra import host

from mstdn.firewall.operations import closed_server
from mstdn.firewall.own import open_tcp_ports
from mstdn.firewall.table import Openings
from mstdn.settings import settings_for

settings = settings_for(host)

closed_server(
    name="Let in SSH, HTTP and HTTPS, and nothing else",
    enabled=settings.firewall_enabled,
    openings=Openings(
        tcp=open_tcp_ports(settings),
        udp=settings.firewall_udp_ports,
        addresses=settings.firewall_trusted_addresses,
        interfaces=settings.firewall_inside_interfaces,
    ),
)
