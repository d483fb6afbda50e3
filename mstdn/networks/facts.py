"""Facts about the networks of Docker Engine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Lines, Question


@dataclass(frozen=True)
class Network:
    """A network of the engine by its ID, with its options."""

    id: str
    driver: str
    internal: bool
    ipv6: bool


class DockerNetworks(EngineFact[dict[str, Network]]):
    """The networks of some names that exist."""

    script = "networks/state"

    @classmethod
    def named(cls, names: Iterable[str]) -> Question[dict[str, Network]]:
        """names: to look for."""
        return cls.question(*names)

    @override
    def read(self, lines: Lines) -> dict[str, Network]:
        found = (json.loads(text) for text in lines.all("network"))
        return {each.pop("name"): Network(**each) for each in found}


@dataclass(frozen=True)
class Bridge:
    """A network as the kernel sees it: the name of its bridge, and its subnets of IPv4 and IPv6."""

    name: str
    bridge: str
    subnets: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """
    A rule of the firewall in iptables' or nftables' words.

    `family`: 4 or 6. `place`: the table ("nat") of iptables, or the chain or map ("nat-PREROUTING") of nftables.
    """

    family: int
    place: str
    text: str

    def names(self, word: str) -> bool:
        """Whether the word stands in it, in quotes or not."""
        return word in self.text.replace('"', " ").split()


@dataclass(frozen=True)
class Ways:
    """
    `networks`: those asked for that exist. `rules`: of the firewall that speak of them, lead to Docker's own or lead a
    port to a container. `forwarding`: the kernel passes packets of IPv4 on. `unmanaged`: families (4, 6) in which
    Docker leaves the firewall to somebody else.
    """

    networks: tuple[Bridge, ...] = ()
    rules: tuple[Rule, ...] = ()
    forwarding: bool = True
    unmanaged: frozenset[int] = frozenset()


class FirewallWays(EngineFact[Ways]):
    """What the kernel's firewall has for some networks. Nothing is sent anywhere."""

    script = "networks/ways"

    @classmethod
    def of(cls, names: Iterable[str]) -> Question[Ways]:
        """names: of the networks that lead out."""
        return cls.question(*names)

    @override
    def read(self, lines: Lines) -> Ways:
        rules = (line.split(" ", 2) for line in lines.all("rule"))
        return Ways(
            tuple(Bridge(name, bridge, tuple(subnets)) for name, bridge, *subnets in lines.words("network")),
            tuple(Rule(int(family), place, text) for family, place, text in rules),
            lines.get("forwarding", "1") == "1",
            frozenset(map(int, lines.all("unmanaged"))),
        )
