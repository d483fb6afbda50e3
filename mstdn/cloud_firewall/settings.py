"""The settings of the provider's firewall."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from mstdn.cloud_firewall.rules import somebody_may_log_in
from mstdn.kinds.network import Port
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.text import refuse
from mstdn.server.settings import ResourceName


def network(value: str) -> str:
    """A network in CIDR form, or one address."""
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        try:
            guess = str(ipaddress.ip_network(value, strict=False))
        except ValueError:
            guess = None
        raise refuse("it is neither an address nor a network such as 198.51.100.0/24", guess) from None


def with_the_web(ports: tuple[int, ...]) -> tuple[int, ...]:
    """Ports without which there is no site and no certificate."""
    missing = [port for port in (22, 80, 443) if port not in ports]
    if missing:
        raise refuse(
            f"without {' and '.join(map(str, missing))} nobody gets in (22), no certificate is issued (80) or no "
            "visitor is served (443)",
            sorted({*ports, *missing}),
        )
    return ports


Network = Annotated[str, AfterValidator(network), Field(title="network")]


class CloudFirewallSettings(Part):
    """What tasks/cloud_firewall.py reads."""

    title: ClassVar[str] = "Provisioning: the provider's firewall"
    relations: ClassVar[tuple[Relation, ...]] = (somebody_may_log_in,)

    cloud_firewall_ports: Annotated[
        tuple[Port, ...], AfterValidator(with_the_web), Field(strict=False, title="list of ports")
    ] = Field((22, 80, 443), description="The TCP ports that the provider's firewall lets through.")
    cloud_firewall_ssh_from: Annotated[tuple[Network, ...], Field(strict=False, title="list of networks")] = Field(
        ("0.0.0.0/0", "::/0"),
        description='Who may reach port 22: ["198.51.100.7/32"]. Your own address must be among them.',
    )
    cloud_firewall_tag: ResourceName = Field(
        "mastodon", description="The tag or label that ties rule and server together."
    )
