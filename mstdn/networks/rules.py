"""What the networks of containers need of the kernel's firewall. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.networks.facts import Ways


def closed_ways(ways: Ways) -> Iterator[str]:
    """
    What is missing so that containers get out and visitors get in, in words.

    Docker writes its rules when it starts and when a network is made. Whatever empties the firewall in between
    (nftables' "flush ruleset", somebody's iptables script) takes them away, and nobody but a restart of the engine
    brings them back. Visitors still get in then, through docker-proxy, all of them with one address; what is dead is
    every way out.
    """
    if ways.unmanaged or not ways.networks:
        return
    if not ways.forwarding:
        yield "net.ipv4.ip_forward is 0: the kernel passes nothing on to containers or from them"
    for network in ways.networks:
        mine = [rule for rule in ways.rules if network.bridge in rule]
        translated = [rule for rule in mine if "masquerade" in rule.lower()]
        if not any(subnet in rule for subnet in network.subnets for rule in translated):
            yield f"the network {network.name} has no way out: Docker's rule for its addresses is gone"
        if len(mine) == len(translated) or not _leads_to_docker(ways.rules):
            yield f"the network {network.name} has no filter: Docker's rules for it are gone"


def _leads_to_docker(rules: tuple[str, ...]) -> bool:
    """With iptables, Docker's chains count only where FORWARD leads to them; its nftables have a hook of their own."""
    if not any(rule.startswith("-A ") for rule in rules):
        return True
    return any(rule.startswith("-A FORWARD -j DOCKER-") for rule in rules)
