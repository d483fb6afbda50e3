"""
What iptables-save and nft print on servers with the networks front and mstdn_outbound, of which front publishes 80 and
443: as engines of several versions write it, read by the script.

Sources: Engine 26 as it was; the others after moby, integration/network/bridge/iptablesdoc and nftablesdoc.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from mstdn.networks.facts import FirewallWays, Rule, Ways
from tests.harness import answer_of, stand_in

DIRECTORY = Path(__file__).parent
NETWORKS = (
    "network front br-84540da1dce8 172.18.0.0/16 fd12:3456::/64",
    "network mstdn_outbound br-cf24b5fb762f 172.20.0.0/16",
)


@dataclass(frozen=True)
class Ruleset:
    """`name`: "engine-29", or "nftables" for an engine that writes with that; or a path without its ending."""

    name: str

    def ways(self, directory: Path, networks: tuple[str, ...] = NETWORKS) -> Ways:
        """What the script makes of it, with stand-ins in this directory."""
        for program in ("iptables", "ip6tables"):
            stand_in(directory, f"{program}-save", f"cat {DIRECTORY / self.name}.{program} 2>/dev/null")
        # nft list table FAMILY docker-bridges
        stand_in(directory, "nft", f"cat {DIRECTORY / self.name}.$3 2>/dev/null")
        stand_in(directory, "systemctl", "case $* in *LoadState*) printf 'loaded\\nactive\\n' ;; *) echo 0 ;; esac")
        path = stand_in(directory, "docker", "\n".join(f"echo '{each}'" for each in networks))
        (directory / "ip_forward").write_text("1\n")
        return answer_of(
            FirewallWays.of(["front", "mstdn_outbound"]),
            path=path,
            instead={
                "/etc/docker/daemon.json": directory / "daemon.json",
                "/proc/sys/net/ipv4/ip_forward": directory / "ip_forward",
            },
        )

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Those that the script prints."""
        with TemporaryDirectory() as directory:
            return self.ways(Path(directory)).rules


ENGINE_26, ENGINE_28, ENGINE_29, NFTABLES = map(Ruleset, ("engine-26", "engine-28", "engine-29", "nftables"))
