"""
What becomes of a packet in chains of rules, as far as one can know without sending it. Pure.

A rule may look at things that are not known here (sets, marks, countries). What such a rule would do is possible, not
certain; and only what is certain is ever told as a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal

Hook = Literal["prerouting", "input", "forward", "output"]


@dataclass(frozen=True)
class Packet:
    """
    One packet. `family`: 4 or 6. `arrives`, `leaves`: interfaces, "" where there is none. `state`: "new",
    "established", or "" where nobody knows it yet. `redirected`: its address was changed on the way in, as Docker does
    for a published port.
    """

    hook: Hook
    family: int
    arrives: str
    leaves: str
    source: str
    destination: str
    protocol: str
    port: int
    state: str = "new"
    redirected: bool = False
    source_port: int = 50123


# Whether a rule's condition holds for a packet: None where nobody can know.
Test = Callable[[Packet], bool | None]


@dataclass(frozen=True)
class Rule:
    """
    `verdict`: "accept", "drop", "return", "jump", "goto", "unknown" (it ends here, somehow) or "" (it goes on).
    `target`: the chain of a jump. `tests`: all have to hold. `text`: the rule as people know it.
    """

    tests: tuple[Test, ...]
    verdict: str
    target: str = ""
    text: str = ""


@dataclass(frozen=True)
class Chain:
    """
    A chain that the kernel asks itself, with those its rules lead to.

    `manner`: "iptables" or "nftables". `place`: how its commands call it ("FORWARD", "inet filter forward").
    `policy`: "accept" or "drop". `priority`: as the kernel counts; the smaller, the earlier. `device`: the interface
    whose packets it sees, "" for all.
    """

    manner: str
    place: str
    hook: Hook
    families: frozenset[int]
    policy: str
    rules: tuple[Rule, ...]
    others: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    priority: int = 0
    device: str = ""


@dataclass(frozen=True)
class Dropped:
    """Where a packet certainly ends: in which chain, and by which rule ("policy drop")."""

    chain: Chain
    by: str


def fate(chain: Chain, packet: Packet) -> Dropped | None:
    """Where the packet certainly ends in this chain; None if it may pass."""
    if chain.hook != packet.hook or packet.family not in chain.families or chain.device not in ("", packet.arrives):
        return None
    if chain.hook == "prerouting":
        packet = _as_it_arrives(packet, chain.priority)
    verdict, text = _walk(chain.rules, chain, packet, depth=0)
    if verdict in ("", "return"):
        verdict, text = chain.policy, f"policy {chain.policy}"
    return Dropped(chain, text) if verdict == "drop" else None


# From where on the kernel knows the connection of a packet, and from where on its destination may be another.
# Source: linux/netfilter_ipv4.h, NF_IP_PRI_CONNTRACK and NF_IP_PRI_NAT_DST.
CONNECTION_IS_KNOWN, DESTINATION_IS_ANOTHER = -200, -100


def _as_it_arrives(packet: Packet, priority: int) -> Packet:
    """What a chain of this priority sees of a packet before it is known where it goes."""
    if priority <= CONNECTION_IS_KNOWN:
        packet = replace(packet, state="")
    # A new one is redirected for the chains after that; what belongs to a connection is known to be.
    return packet if priority > DESTINATION_IS_ANOTHER else replace(packet, redirected=False)


def _walk(rules: tuple[Rule, ...], chain: Chain, packet: Packet, depth: int) -> tuple[str, str]:
    """(verdict, text of the rule). The verdict "unknown": it may have been let through."""
    for rule in rules:
        answers = [test(packet) for test in rule.tests]
        if False in answers or not rule.verdict:
            continue
        verdict, text = rule.verdict, rule.text
        if verdict in ("jump", "goto"):
            inner = chain.others.get(rule.target, ())
            verdict, text = _walk(inner, chain, packet, depth + 1) if depth < 16 else ("unknown", "")
            if rule.verdict == "goto" and verdict == "":
                verdict = "return"
            elif rule.verdict == "jump" and verdict == "return":
                verdict = ""
            if verdict == "":
                continue
        if None in answers:
            # It may or may not be meant. That it drops is not certain; that it lets through is possible.
            if verdict in ("accept", "unknown"):
                return "unknown", text
            if verdict == "return":
                # Then the rest of this chain may not be asked.
                return "unknown", text
            continue
        return verdict, text
    return "", ""


def interface_matches(pattern: str, name: str, wildcard: str) -> bool:
    """Whether an interface has this name; a pattern that ends in `wildcard` is its beginning."""
    return name.startswith(pattern[: -len(wildcard)]) if pattern.endswith(wildcard) else name == pattern


def address_matches(pattern: str, address: str) -> bool | None:
    """Whether an address lies in "10.0.0.0/8"; None if the pattern is something else, such as a host name."""
    try:
        network, found = ip_network(pattern, strict=False), ip_address(address)
    except ValueError:
        return None
    return isinstance(found, IPv4Address if network.version == 4 else IPv6Address) and found in network
