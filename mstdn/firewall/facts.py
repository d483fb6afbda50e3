"""Facts about the packet filter."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question
from mstdn.firewall.iptables import base_chains as iptables_chains
from mstdn.firewall.nftables import base_chains as nftables_chains
from mstdn.firewall.packets import Chain


@dataclass(frozen=True)
class Rules:
    """
    `chains`: where the kernel asks rules about a packet, those of nftables and of iptables, with all they lead to.
    `outside`: interfaces that lead to the Internet. `managers`: programs that make rules here ("ufw", "firewalld",
    "nftables", "netfilter-persistent"). `flushes`: files that take all rules away when their service is started.
    """

    chains: tuple[Chain, ...] = ()
    outside: tuple[str, ...] = ()
    managers: frozenset[str] = field(default_factory=frozenset)
    flushes: tuple[str, ...] = ()


class PacketFilter(Fact[Rules]):
    """Every rule of the kernel's packet filter, whoever made it."""

    script = "firewall/state"

    @classmethod
    def of_the_server(cls) -> Question[Rules]:
        """The question without arguments."""
        return cls.question()

    @override
    def read(self, lines: Lines) -> Rules:
        saved = {4: lines.all("iptables"), 6: lines.all("ip6tables")}
        known = {family for family, text in saved.items() if text}
        chains = [
            *(chain for family, text in saved.items() for chain in iptables_chains(text, family)),
            *(chain for text in lines.all("nft") for chain in nftables_chains(_unpacked(text), known)),
        ]
        return Rules(
            chains=tuple(chains),
            outside=tuple(dict.fromkeys(lines.all("outside"))),
            managers=frozenset(lines.all("manager")),
            flushes=tuple(lines.all("flushes")),
        )


def _unpacked(text: str) -> dict[str, Any]:
    """The ruleset; empty where nft may not read it."""
    found = json.loads(gzip.decompress(base64.b64decode(text)) or b"{}")
    return found if isinstance(found, dict) else {}
