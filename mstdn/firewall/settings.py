"""The settings of the server's own firewall."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mstdn.kinds.network import AddressRanges, Interfaces, PortsOrRanges
from mstdn.kinds.part import Part
from mstdn.kinds.text import AutoOrBoolean


class FirewallSettings(Part):
    """Whether there is a firewall of the suite's, and what it lets in beside SSH, HTTP and HTTPS."""

    title: ClassVar[str] = "Firewall"

    firewall_enabled: AutoOrBoolean = Field(
        "auto",
        description='"auto" closes everything but SSH, HTTP and HTTPS on a server that has no firewall of its own, and '
        "asks first where something else answers from outside. True closes it in any case, beside another firewall "
        "too; False takes the suite's rules away.",
    )
    firewall_tcp_ports: PortsOrRanges = Field(
        (),
        examples=[[25, 993, "60000-61000"]],
        description="Further TCP ports that everybody may reach: of the server, and published ones of containers. "
        "Those in verify_open_ports are open too.",
    )
    firewall_udp_ports: PortsOrRanges = Field(
        (), examples=[[51820]], description="UDP ports that everybody may reach, such as that of a VPN."
    )
    firewall_trusted_addresses: AddressRanges = Field(
        (),
        examples=[["203.0.113.0/24", "2001:db8::7"]],
        description="Who may reach every port: a monitoring system, an office.",
    )
    firewall_inside_interfaces: Interfaces = Field(
        (),
        examples=[["eth1", "vlan*"]],
        description="Network interfaces that do not lead to the Internet, such as a provider's private network: what "
        "comes from them is let in. Bridges of containers and VPNs (WireGuard, Tailscale, tun) need not be named.",
    )
