"""What the networks of containers need of the kernel's firewall. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mstdn.finding import Finding, Level
from mstdn.layout import FRONT
from mstdn.networks.facts import Network, Ways


def ipv6_reaches_containers(front: Network | None, server_has_ipv6: bool, setting: bool | str) -> bool:
    """
    Whether containers are reached, and get out, by IPv6.

    front: the network, None as long as it does not exist; then it is foreseen. Where it has no IPv6, Docker would carry
    visitors over IPv4, all of them with the address of the bridge: Mastodon would slow down and ban them as one.
    """
    if not server_has_ipv6:
        return False
    return front.ipv6 if front else setting is not False


# Engines before 27 have no addresses of IPv6 to give away, and do not masquerade them.
FIRST_ENGINE_WITH_IPV6 = (27, 0)


def ipv6_findings(
    front: Network | None, attached: Iterable[str], engine: tuple[int, int], names: Iterable[str], setting: bool | str
) -> Iterator[Finding]:
    """
    What a server that has IPv6 should know where its containers have none.

    front: the network, None as long as it does not exist. attached: names of the containers on it. engine: version of
    Docker Engine, (0, 0) if it is not installed. names: of the site, with AAAA records that lead here.
    """
    listed, without = ", ".join(names), "so the site is not published on IPv6"
    first = "visitors and the certificate authority try that first"
    lost = f" {listed} has an AAAA record all the same, and {first}: remove the record until then." if listed else ""
    level: Level = "error" if listed else "warning"
    if setting is False:
        if listed:
            yield Finding(
                "error",
                f"networks_ipv6 is False, {without}, but {listed} has an AAAA record, and {first}. Remove "
                'the record, or set networks_ipv6 = "auto".',
            )
    elif front.ipv6 if front else engine == (0, 0) or engine >= FIRST_ENGINE_WITH_IPV6:
        return
    elif engine < FIRST_ENGINE_WITH_IPV6:
        yield Finding(
            level,
            f"The network {FRONT} has no IPv6, {without}: Docker Engine {'.'.join(map(str, engine))} has none to give, "
            f"27 does.{lost}",
        )
    else:
        yield Finding(
            level,
            f"The network {FRONT} was made before this server had IPv6, {without}. To have it made anew, choose a "
            f"quiet moment, type on the server: docker rm --force {' '.join(attached)}; docker network rm {FRONT}; "
            f"and run this again.{lost}",
        )


def ipv4_findings(addresses: Iterable[str], public_ipv4: str) -> Iterator[Finding]:
    """What does not work on a server without IPv4. addresses: its own, IPv4 and IPv6."""
    known = set(addresses)
    if known and not public_ipv4 and not any("." in address for address in known):
        yield Finding(
            "warning",
            "This server has no IPv4 address. The registry ghcr.io and github.com have no IPv6, so images and source "
            "cannot be had unless the provider translates (NAT64, DNS64). Other servers and visitors without IPv6 "
            "reach nothing here, and posts do not reach them. Get an IPv4 address, or one that is translated, and "
            "name it in public_ipv4.",
        )


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
