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
    """A network as the kernel sees it: the name of its bridge, and its IPv4 subnets."""

    name: str
    bridge: str
    subnets: tuple[str, ...]


@dataclass(frozen=True)
class Ways:
    """
    `networks`: those asked for that exist. `rules`: of the firewall, in iptables' or nftables' words, that speak of
    them or lead to Docker's own. `forwarding`: the kernel passes packets on. `unmanaged`: Docker leaves the firewall
    alone.
    """

    networks: tuple[Bridge, ...] = ()
    rules: tuple[str, ...] = ()
    forwarding: bool = True
    unmanaged: bool = False


class FirewallWays(EngineFact[Ways]):
    """What the kernel's firewall has for some networks. Nothing is sent anywhere."""

    script = "networks/ways"

    @classmethod
    def of(cls, names: Iterable[str]) -> Question[Ways]:
        """names: of the networks that lead out."""
        return cls.question(*names)

    @override
    def read(self, lines: Lines) -> Ways:
        found = (
            Bridge(name, bridge, tuple(s for s in subnets if ":" not in s))
            for name, bridge, *subnets in lines.words("network")
        )
        return Ways(tuple(found), tuple(lines.all("rule")), lines.get("forwarding", "1") == "1", "unmanaged" in lines)
