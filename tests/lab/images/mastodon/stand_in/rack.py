"""
What a request is taken to be behind proxies, by the rules of Rack 3, Rails 8.1 and Mastodon's addition to them.

Sources: Rack::Request (the header Forwarded is asked before X-Forwarded-*), ActionDispatch::HostAuthorization (the
last X-Forwarded-Host is checked as well), ActionDispatch::RemoteIp with Mastodon's lib/action_dispatch extension (a
forwarded address from a peer that is no trusted proxy is an error).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DEFAULT_TRUSTED_PROXIES = "127.0.0.0/8 ::1/128 fc00::/7 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16"


class IpSpoofAttackError(Exception):
    """The client's address cannot be believed."""


def trusted_proxies(setting: str) -> list[Network]:
    """
    TRUSTED_PROXY_IP, separated by commas or spaces; it replaces Rails' list and does not add to it.

    Raises ValueError for what Ruby's IPAddr does not take, as the words that Express knows.
    """
    networks = []
    for name in re.split(r"\s*,\s*|\s+", setting.strip() or _DEFAULT_TRUSTED_PROXIES):
        try:
            networks.append(ipaddress.ip_network(name, strict=False))
        except ValueError:
            raise ValueError(f"IPAddr::InvalidAddressError: invalid address: {name}") from None
    return networks


@dataclass
class Request:
    """One request; names of headers in lower case, `peer` is the address of the connection."""

    method: str
    path: str
    headers: Mapping[str, str]
    peer: str
    query_string: str = ""
    form: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        if self.headers.get("x-forwarded-ssl") == "on":
            return "https"
        candidates = _forwarded(self.headers, "proto")[::-1]
        candidates += _split(self.headers.get("x-forwarded-proto", ""))[::-1]
        candidates += _split(self.headers.get("x-forwarded-scheme", ""))[::-1]
        return next((scheme for scheme in candidates if scheme in {"http", "https"}), "http")

    @property
    def query(self) -> dict[str, str]:
        """The parameters in the address; of a repeated one the last."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def forwarded_host(self) -> str:
        """The last X-Forwarded-Host, or nothing."""
        return (_split(self.headers.get("x-forwarded-host", "")) or [""])[-1]

    @property
    def host(self) -> str:
        """The host name that links and redirects are made with, with a port where one was given."""
        return self.forwarded_host or self.headers.get("host", "")

    @property
    def base_url(self) -> str:
        """Scheme and host, as a browser's Origin header has it."""
        return f"{self.scheme}://{self.host}"

    def remote_ip(self, proxies: list[Network]) -> str:
        """The client's address. Raises IpSpoofAttackError."""
        peer = _addresses([self.peer])[-1]
        client = _addresses(_split(self.headers.get("client-ip", "")))[::-1]
        forwarded = _addresses(_forwarded(self.headers, "for") or _split(self.headers.get("x-forwarded-for", "")))[::-1]
        if client and forwarded and client[-1] not in forwarded:
            raise IpSpoofAttackError("Client-Ip and X-Forwarded-For disagree")
        if (client or forwarded) and not _is_trusted(peer, proxies):
            raise IpSpoofAttackError(f"client {peer} is not a trusted proxy")
        chain = [peer, *forwarded, *client]
        outside = [address for address in chain if not _is_trusted(address, proxies)]
        return str((outside or [chain[-1]])[0])


def is_allowed_host(request: Request, hosts: tuple[str, ...]) -> bool:
    """Whether both the Host and the last X-Forwarded-Host, where there is one, are names of the instance."""
    names = [request.headers.get("host", "")]
    if request.forwarded_host:
        names.append(request.forwarded_host)
    return all(re.sub(r":\d+$", "", name).lower() in hosts or name in hosts for name in names)


def throttle_address(address: str) -> str:
    """The bucket of an address: itself for IPv4, its /64 for IPv6."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((int(parsed), 64), strict=False).network_address)


def _split(value: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", value.strip()) if part]


def _forwarded(headers: Mapping[str, str], name: str) -> list[str]:
    """The values of one parameter of the header Forwarded (RFC 7239), in order."""
    pairs = re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^;,\s]*))', headers.get("forwarded", ""))
    return [quoted or plain for key, quoted, plain in pairs if key.lower() == name]


def _addresses(values: list[str]) -> list[Address]:
    found = []
    for value in values:
        bare = re.sub(r"^\[([^\]]*)\](:\d+)?$", r"\1", value)
        if re.fullmatch(r"[\d.]+:\d+", bare):
            bare = bare.rpartition(":")[0]
        try:
            found.append(ipaddress.ip_address(bare))
        except ValueError:
            continue
    return found


def _is_trusted(address: Address, proxies: list[Network]) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in proxies)
