"""The settings of the site's names in the DNS."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from mstdn.dns.rules import (
    names_have_somewhere_to_lead,
    the_dns_provider_has_its_key,
    the_zone_has_a_name_in_it,
    there_are_names_to_point,
)
from mstdn.kinds.network import punycode
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.text import or_empty, refuse

ZONE = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"


def zone(value: str) -> str:
    """A zone's name, also as zone files write it, or the provider's ID of it, of which capitals are a part."""
    plain = value.removeprefix("/hostedzone/").removesuffix(".")
    if not re.fullmatch(ZONE, plain):
        if not plain.isascii():
            raise refuse("it is not in its ASCII form (punycode)", punycode(plain.lower()))
        guess = value.strip(". ")
        raise refuse("it is neither a zone's name nor its ID", guess if guess and re.fullmatch(ZONE, guess) else None)
    return plain.lower() if "." in plain else plain


def resolver(value: str) -> str:
    """An IP address, perhaps with a port: 192.0.2.53 or 192.0.2.53#5353, as dnsmasq writes it."""
    address, _, port = value.partition("#")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise refuse("it is not an IP address; a resolver's name could not be looked up without a resolver") from None
    if "#" in value and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise refuse("what follows the # is not a port", address)
    return value


Resolver = Annotated[str, AfterValidator(resolver), Field(title="IP address")]


class DnsSettings(Part):
    """What tasks/dns.py and tasks/proof.py read."""

    title: ClassVar[str] = "Provisioning: DNS"
    relations: ClassVar[tuple[Relation, ...]] = (
        the_dns_provider_has_its_key,
        there_are_names_to_point,
        names_have_somewhere_to_lead,
        the_zone_has_a_name_in_it,
    )

    dns_provider: Literal["", "manual", "hetzner", "cloudflare", "route53"] = Field(
        "",
        description='Who has the zone: "hetzner", "cloudflare", "route53", or "manual": you enter the records, the '
        "suite writes them down and proves them. Empty: nobody looks.",
    )
    dns_zone: Annotated[str, or_empty(zone), Field(title="zone or empty")] = Field(
        "",
        examples=["example.org"],
        description="The zone's name, or its ID where an account has two of one name. Empty: it is found.",
    )
    dns_ttl_seconds: Annotated[int, Field(ge=60, le=86400)] = Field(
        300, description="How long others may remember a record that is made here."
    )
    dns_resolvers: Annotated[tuple[Resolver, ...], Field(strict=False, title="list of IP addresses")] = Field(
        (),
        examples=[["192.0.2.53"]],
        description="Ask these instead of each zone's own name servers, where your network shuts port 53: "
        '["192.0.2.53"].',
    )
    dns_aws_profile: Annotated[str, Field(title="name or empty")] = Field(
        "",
        examples=["dns"],
        description="Route 53: the profile of ~/.aws to use. Empty: ROUTE53_ACCESS_KEY_ID, or else AWS's default.",
    )
    dns_replace: bool = Field(
        False,
        description="These names shall lead here, whatever they say now. Meant for one run: `--data dns_replace=true`.",
    )
    dns_wait_seconds: Annotated[int, Field(ge=0, le=3600)] = Field(
        180, description="How long the name servers may take to answer with records that were just made."
    )
