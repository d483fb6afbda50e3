"""The kinds of value that name something in a network: hosts, addresses, URLs."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, TypeAlias
from unicodedata import normalize
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from mstdn.kinds.text import or_empty, refuse

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

Port = Annotated[int, Field(ge=1, le=65535)]
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def host_name(value: str) -> str:
    """A host name of the public DNS, in the lower-case ASCII form that Mastodon compares byte by byte."""
    if not value:
        raise refuse("it is not set")
    if "://" in value:
        raise refuse("it has a scheme; only the name belongs here", urlsplit(value).hostname)
    if "/" in value:
        raise refuse("it has a path; only the name belongs here", value.split("/")[0])
    if is_address(value):
        raise refuse("it is an IP address; accounts and certificates need a name")
    if ":" in value:
        raise refuse("it has a port; visitors always use 443", value.split(":")[0])
    if value.endswith("."):
        raise refuse("it ends in a dot", value.rstrip("."))
    if value != value.lower():
        raise refuse("it has upper-case letters", value.lower())
    if not value.isascii():
        raise refuse("it is not in its ASCII form (punycode)", punycode(value))
    if "_" in value:
        raise refuse("a host name cannot have an underscore", value.replace("_", "-"))
    if "." not in value:
        raise refuse("it has no dot, so it is not a name of the public DNS", f"{value}.example.org")
    if len(value) > 253 or not all(LABEL.fullmatch(label) for label in value.split(".")):
        raise refuse("it is not a host name: parts of 1 to 63 letters, digits and inner hyphens, with dots between")
    return value


def in_the_public_dns(*names: str) -> tuple[str, ...]:
    """Each of the names once, without those of Tor and I2P, which the DNS does not know. Source: RFC 7686."""
    return tuple(dict.fromkeys(name for name in names if not name.endswith((".onion", ".i2p"))))


def is_address(value: str) -> bool:
    """Whether it is an IP address, perhaps in brackets."""
    try:
        ipaddress.ip_address(value.strip("[]"))
    except ValueError:
        return False
    return True


def punycode(value: str) -> str | None:
    """
    The name in ASCII. None for one with a letter that the newer rules take otherwise than Python's (ß, ς): that would
    be the name of somebody else. Source: RFC 5891, and UTS 46, section 7, "IDNA Comparison".
    """
    try:
        ascii_form = value.encode("idna")
        return ascii_form.decode("ascii") if ascii_form.decode("idna") == normalize("NFC", value) else None
    except UnicodeError:
        return None


def https_url(value: str) -> str:
    """An https URL with a host, without credentials, query, fragment and final slash."""
    if value.startswith("http://"):
        raise refuse("it is not encrypted", value.replace("http://", "https://", 1))
    try:
        parts = urlsplit(value)
        valid = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not re.fullmatch(r"[A-Za-z0-9:/._~%@?#&=\[\]-]+", value):
        raise refuse("it is not an https:// address")
    if re.search(r"[@?#]", value):
        raise refuse("it may have only a host, a port and a path")
    if value.endswith("/"):
        raise refuse("it ends in a slash", value.rstrip("/"))
    return value


def web_url(value: str) -> str:
    """An http or https URL of a host and perhaps a port: an object store may stand in a private network."""
    if value.startswith("http://"):
        https_url(value.replace("http://", "https://", 1))
        return value
    return https_url(value)


def host_and_path(value: str) -> str:
    """A host, perhaps with a port and a path, as Mastodon puts it after https:// itself."""
    if "://" in value:
        raise refuse("it has a scheme, which Mastodon adds itself", value.split("://", 1)[1].rstrip("/"))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/[A-Za-z0-9._~-]+)*", value):
        raise refuse("it is not a host name, perhaps with a path")
    return value


def ip_address(value: str) -> str:
    """An IPv4 or IPv6 address in its usual short form."""
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise refuse("it is not an IP address") from None


def ipv4_address(value: str) -> str:
    """An IPv4 address that visitors can reach: not loopback, not 0.0.0.0."""
    return _reachable(value, ipaddress.IPv4Address)


def ipv6_address(value: str) -> str:
    """An IPv6 address that visitors can reach: not loopback, link-local or ::."""
    return _reachable(value, ipaddress.IPv6Address)


def _reachable(value: str, kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> str:
    try:
        address = kind(value)
    except ValueError:
        raise refuse(f"it is not an {kind.__name__.removesuffix('Address')} address") from None
    if address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast:
        raise refuse("no visitor can reach this address")
    return str(address)


def address_range(value: str) -> str:
    """A range of addresses in CIDR notation, or one address, in its usual form: "203.0.113.0/24", "2001:db8::7"."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise refuse("it is not an address or a range of them such as 203.0.113.0/24") from None
    if isinstance(network, ipaddress.IPv6Network) and (inner := network.network_address.ipv4_mapped):
        narrow = max(0, network.prefixlen - 96)
        raise refuse("nobody compares an IPv4 address with this form of it", f"{inner}/{narrow}" if narrow else None)
    if network.prefixlen < WIDEST_RANGE[network.version]:
        raise refuse("it is so wide that strangers are in it, who could then pretend to have any address")
    interface = ipaddress.ip_interface(value)
    if interface.ip != network.network_address:
        raise refuse(f"its last {network.max_prefixlen - network.prefixlen} bits must be 0", str(network))
    return str(interface.ip) if network.prefixlen == network.max_prefixlen else str(network)


def port_or_range(value: int | str) -> int | str:
    """A port, or a range of them as text: 25, "60000-61000"."""
    if isinstance(value, int):
        if not 1 <= value <= 65535:
            raise refuse("a port is a number from 1 to 65535")
        return value
    if value.isdecimal():
        raise refuse("a port is a number, without quotes", int(value))
    first, dash, last = value.replace(":", "-").partition("-")
    if not (dash and first.strip().isdecimal() and last.strip().isdecimal()):
        raise refuse('it is neither a port such as 25 nor a range such as "60000-61000"')
    begin, end = int(first), int(last)
    if not (1 <= begin <= 65535 and 1 <= end <= 65535):
        raise refuse("a port is a number from 1 to 65535")
    if begin >= end or value != f"{begin}-{end}":
        raise refuse("a range is its first port, a hyphen and its last port", f"{min(begin, end)}-{max(begin, end)}")
    return value


def interface(value: str) -> str:
    """The name of a network interface; with a * at its end, of all that begin so."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}", value.removesuffix("*")):
        raise refuse('it is not the name of a network interface such as eth1, or the beginning of some such as "vlan*"')
    return value


# No load balancer or CDN has more than this; 10.0.0.0/8 and fc00::/7 are somebody's own.
WIDEST_RANGE = {4: 8, 6: 7}


def networks_in(text: str) -> tuple[list[Network], list[str]]:
    """The networks in a list of Mastodon's, apart by commas or spaces, and the words that are none."""
    networks: list[Network] = []
    unreadable: list[str] = []
    for word in re.split(r"\s*,\s*|\s+", text):
        if not word:
            continue
        try:
            networks.append(ipaddress.ip_network(word, strict=False))
        except ValueError:
            unreadable.append(word)
    return networks, unreadable


HostName = Annotated[str, AfterValidator(host_name), Field(title="host name")]
HostNameOrEmpty = Annotated[str, or_empty(host_name), Field(title="host name or empty")]
HttpsUrl = Annotated[str, AfterValidator(https_url), Field(title="https URL")]
WebUrlOrEmpty = Annotated[str, or_empty(web_url), Field(title="URL or empty")]
HostAndPathOrEmpty = Annotated[str, or_empty(host_and_path), Field(title="host, perhaps with a path, or empty")]
IpAddress = Annotated[str, AfterValidator(ip_address), Field(title="IP address")]
Ipv4AddressOrEmpty = Annotated[str, or_empty(ipv4_address), Field(title="IPv4 address or empty")]
Ipv6AddressOrEmpty = Annotated[str, or_empty(ipv6_address), Field(title="IPv6 address or empty")]
AddressRanges = Annotated[
    tuple[Annotated[str, AfterValidator(address_range)], ...], Field(strict=False, title="list of address ranges")
]
PortsOrRanges = Annotated[
    tuple[Annotated[int | str, AfterValidator(port_or_range)], ...],
    Field(strict=False, title="list of ports and ranges"),
]
Interfaces = Annotated[
    tuple[Annotated[str, AfterValidator(interface)], ...], Field(strict=False, title="list of network interfaces")
]
