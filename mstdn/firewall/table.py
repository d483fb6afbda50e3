"""
The suite's own table of nftables: what is written into it, and what the kernel says that it holds. Pure.

There is one chain at one place (templates/firewall/firewall.nft.j2), before any redirection: so it makes no difference
whether a port is one of the server or one that Docker leads to a container, nor by which of Docker's back ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import collapse_addresses, ip_network
from typing import Any

FAMILY, TABLE = "inet", "mstdn"
# nft lists a protocol by its name where /etc/protocols knows it, and by its number on a minimal server, which gets that
# file with Docker's packages. The numbers are IANA's.
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58}
# Whatever else is closed, these make the site: the proxy publishes them.
WEB = (80, 443)


@dataclass(frozen=True)
class Openings:
    """
    What is let in from outside beside SSH and the web. `tcp`, `udp`: ports, or ranges of them ("60000-61000").
    `addresses`: from which everything may come. `interfaces`: that do not lead outside; a * at the end for any end.
    """

    tcp: tuple[int | str, ...] = ()
    udp: tuple[int | str, ...] = ()
    addresses: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()


def merged_ports(ports: Iterable[int | str]) -> tuple[str, ...]:
    """The ports in order, each once, as nft takes them: of two intervals that overlap it makes an error."""
    merged: list[list[int]] = []
    for first, last in sorted(_interval(port) for port in ports):
        if merged and first <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    return tuple(str(first) if first == last else f"{first}-{last}" for first, last in merged)


def _interval(port: int | str) -> tuple[int, int]:
    first, _, last = str(port).partition("-")
    return int(first), int(last or first)


def is_open(port: int, ports: Iterable[int | str]) -> bool:
    """Whether the port is one of these or lies in one of the ranges."""
    return any(first <= port <= last for first, last in map(_interval, ports))


def merged_addresses(addresses: Iterable[str], version: int) -> tuple[str, ...]:
    """Those of IPv4 or IPv6 (`version`), without any that lies in another."""
    networks = [network for network in map(ip_network, addresses) if network.version == version]
    collapsed = collapse_addresses(networks)  # type: ignore[type-var]
    return tuple(str(each).removesuffix("/32" if version == 4 else "/128") for each in collapsed)


def listing(ruleset: dict[str, Any]) -> str:
    """
    The suite's table as one text, "" where it is not in force.

    ruleset: what nft --json --terse lists, of this table or of all. Two texts are equal exactly when the rules are:
    handles are left out, protocols are numbers, and sets are sorted, whose order means nothing and is another each
    time.
    """
    ours = [each for each in ruleset.get("nftables", ()) if _is_ours(each)]
    return json.dumps([_plain(each) for each in ours], sort_keys=True) if ours else ""


def _is_ours(each: dict[str, Any]) -> bool:
    ((kind, what),) = each.items()
    if kind == "metainfo" or what.get("family") != FAMILY:
        return False
    return bool(what.get("name" if kind == "table" else "table") == TABLE)


def _plain(each: Any) -> Any:
    if isinstance(each, dict):
        if each.get("left") == {"meta": {"key": "l4proto"}} and isinstance(each.get("right"), str):
            each = each | {"right": PROTOCOLS.get(each["right"], each["right"])}
        return {key: _plain(value) for key, value in each.items() if key not in ("handle", "index")} | (
            {"set": sorted(map(_plain, each["set"]), key=json.dumps)} if isinstance(each.get("set"), list) else {}
        )
    return [_plain(one) for one in each] if isinstance(each, list) else each


# --- Tables of others -----------------------------------------------------------------------------

# Tables of programs that make rules for something else than a firewall: engines of containers and machines, VPNs, and
# those who ban single addresses. By family and name.
_KNOWN = (
    *(("ip", "docker-bridges"), ("ip6", "docker-bridges"), (FAMILY, TABLE)),
    *(("inet", "f2b-table"), ("ip", "sshguard"), ("ip6", "sshguard"), ("ip", "crowdsec"), ("ip6", "crowdsec6")),
    *(("ip", "io.systemd.nat"), ("ip6", "io.systemd.nat"), ("ip", "libvirt_network"), ("ip6", "libvirt_network")),
    *(("inet", "lxd"), ("inet", "incus"), ("ip", "lxd"), ("ip6", "lxd"), ("ip", "lxc"), ("inet", "lxc")),
)
_BEGINNINGS = ("wg-quick-", "tailscale", "ts-")
_HOOKS = ("prerouting", "input", "forward", "ingress")
_IPTABLES = ("filter", "nat", "mangle", "raw", "security")
_FAMILY_OF = {4: "ip", 6: "ip6"}


def tables_of_others(ruleset: dict[str, Any], elsewhere: Iterable[int]) -> Iterator[str]:
    """
    Tables ("inet filter") in which somebody decides about what comes in or goes through: where there is a rule, or a
    policy that drops.

    elsewhere: families (4, 6) of which iptables-save tells; their tables of iptables are left to that.
    """
    told = {(_FAMILY_OF[family], name) for family in elsewhere for name in _IPTABLES}
    objects = ruleset.get("nftables", ())
    chains = [each["chain"] for each in objects if "chain" in each]
    filled = {
        (each["rule"]["family"], each["rule"]["table"], each["rule"]["chain"]) for each in objects if "rule" in each
    }
    found = (
        (chain["family"], chain["table"])
        for chain in chains
        if chain.get("hook") in _HOOKS
        and (chain.get("policy") == "drop" or (chain["family"], chain["table"], chain["name"]) in filled)
    )
    for family, table in dict.fromkeys(found):
        if (family, table) not in {*told, *_KNOWN} and not table.startswith(_BEGINNINGS):
            yield f"{family} {table}"
