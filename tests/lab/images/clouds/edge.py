"""
The edge of the data centre: each machine has a private address, and its public one is translated here, one to one.

So the provider's firewall stands where no server can see or change it. Every packet of a machine comes by: it has no
other neighbour (images/server/init).
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from tests.stand_ins.data_centre import ANYWHERE, Opening


def ruleset(machines: Mapping[str, str], openings: Mapping[str, Sequence[Opening]]) -> str:
    """
    nftables' rules, which replace those before. machines: private addresses by public ones. openings: what gets in.

    What is not opened is dropped without an answer, also to a public address that has no machine.
    """
    arriving = [f"ip daddr {public} dnat to {private}" for public, private in machines.items()]
    leaving = [f"ip saddr {private} snat to {public}" for public, private in machines.items()]
    opened = [
        f"ip daddr {machines[public]} {condition}accept"
        for public, found in openings.items()
        for condition in map(_condition, found)
    ]
    closed = [f"ip daddr {private} drop" for private in machines.values()]
    chains = {
        "arriving": ("nat hook prerouting priority dstnat", arriving),
        "departing": ("nat hook postrouting priority srcnat", leaving),
        "guarding": ("filter hook forward priority filter", ["ct state established,related accept", *opened, *closed]),
        # Machines and visitors share a wire here; the kernel would tell a machine to take the short way.
        "telling": ("filter hook output priority filter", ["icmp type redirect drop"]),
    }
    written = "".join(
        f"    chain {name} {{\n        type {kind};\n{''.join(f'        {line}{chr(10)}' for line in lines)}    }}\n"
        for name, (kind, lines) in chains.items()
    )
    # Named twice, so that it exists and can be deleted: nft has no "replace".
    return f"table ip edge\ndelete table ip edge\ntable ip edge {{\n{written}}}\n"


def _condition(opening: Opening) -> str:
    sources = "" if ANYWHERE in opening.sources else f"ip saddr {{ {', '.join(opening.sources)} }} "
    if opening.protocol == "all":
        return sources
    if opening.protocol not in ("tcp", "udp"):
        return f"{sources}ip protocol {opening.protocol} "
    ports = f"{opening.protocol} dport {{ {', '.join(opening.ports)} }} "
    return sources + (ports if opening.ports else f"ip protocol {opening.protocol} ")


class Edge:
    """`machines`: private addresses by public ones."""

    def __init__(self, machines: Mapping[str, str]):
        self._machines = machines
        self._now = ""

    def apply(self, openings: Mapping[str, Sequence[Opening]]) -> None:
        """Have these rules, all at once. Raises CalledProcessError, with nft's own words on standard error."""
        wanted = ruleset(self._machines, openings)
        if wanted != self._now:
            subprocess.run(["nft", "-f", "-"], input=wanted, text=True, check=True)
            self._now = wanted
