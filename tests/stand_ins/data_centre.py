"""What a provider has to give: addresses, machines, and a firewall in front of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Opening:
    """What a firewall lets through: `ports` such as ("22", "8000-8010"), () for all; `sources` are IPv4 networks."""

    protocol: str
    ports: tuple[str, ...]
    sources: tuple[str, ...]

    def lets_in(self, port: int) -> bool:
        """True if a visitor from anywhere gets through at this TCP port."""
        ranges = [(int(first), int(last or first)) for first, _, last in (each.partition("-") for each in self.ports)]
        fits = not ranges or any(first <= port <= last for first, last in ranges)
        return self.protocol in ("tcp", "all") and ANYWHERE in self.sources and fits


EVERYTHING = Opening("all", (), (ANYWHERE,))


@dataclass(frozen=True)
class BareMachine:
    """A machine as it is ordered. `keys`: the public SSH keys of each user. `ipv6`: its address, or "" for none."""

    image: str
    ipv4: str
    ipv6: str
    keys: Mapping[str, tuple[str, ...]]


class DataCentre:
    """This one has the addresses of documentation (RFC 5737, RFC 3849), and no machines."""

    def __init__(self) -> None:
        self._ipv4, self._ipv6 = itertools.count(5), itertools.count(1)

    def ipv4(self) -> str:
        """An address that nobody has."""
        return f"203.0.113.{next(self._ipv4) % 250}"

    def ipv6(self) -> str:
        """A network of 64 bits that nobody has."""
        return f"2001:db8:{next(self._ipv6):x}::/64"

    def boot(self, machine: BareMachine) -> None:
        """Start the machine, made as it is ordered."""
