"""What the networks of containers need of the kernel's firewall. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network

from mstdn.docker.facts import Container
from mstdn.finding import Finding, Level
from mstdn.layout import FRONT, MASTODON_PROJECT, PROXY_PROJECT
from mstdn.networks.facts import Bridge, Network, Rule, Ways


def ipv6_reaches_containers(
    front: Network | None, server_has_ipv6: bool, setting: bool | str, engine: tuple[int, int]
) -> bool:
    """
    Whether containers are reached, and get out, by IPv6.

    front: the network, None as long as it does not exist; then it is foreseen. engine: its version, (0, 0) for one that
    is still to be installed. Where it has no IPv6, Docker would carry
    visitors over IPv4, all of them with the address of the bridge: Mastodon would slow down and ban them as one.
    """
    if not server_has_ipv6:
        return False
    return front.ipv6 if front else setting is not False and engine_has_ipv6(engine)


# Engines before 27 have no addresses of IPv6 to give away, and do not masquerade them.
FIRST_ENGINE_WITH_IPV6 = (27, 0)


def engine_has_ipv6(engine: tuple[int, int]) -> bool:
    """Whether the engine gives containers IPv6. engine: its version, (0, 0) for one that is still to be installed."""
    return engine == (0, 0) or engine >= FIRST_ENGINE_WITH_IPV6


def ipv6_findings(
    front: Network | None,
    attached: Iterable[Container],
    engine: tuple[int, int],
    names: Iterable[str],
    setting: bool | str,
) -> Iterator[Finding]:
    """
    What a server that has IPv6 should know where its containers have none.

    front: the network, None as long as it does not exist. attached: the containers on it. engine: version of Docker
    Engine, (0, 0) if it is not installed. names: of the site, with AAAA records that lead here.
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
    elif front.ipv6 if front else engine_has_ipv6(engine):
        return
    elif engine < FIRST_ENGINE_WITH_IPV6:
        # Making the network with it would fail, in the middle of the run.
        forced = ' Or set networks_ipv6 = "auto".' if setting is True else ""
        yield Finding(
            "error" if forced else level,
            f"The network {FRONT} has no IPv6, {without}: Docker Engine {'.'.join(map(str, engine))} has none to give, "
            f"27 does.{forced}{lost}",
        )
    else:
        commands, afterwards = freed(FRONT, attached)
        yield Finding(
            level,
            f"The network {FRONT} was made before this server had IPv6, {without}. To have it made anew, choose a "
            f"quiet moment, type on the server: {commands}docker network rm {FRONT}; and run this again.{afterwards}"
            f"{lost}",
        )


def freed(network: str, attached: Iterable[Container]) -> tuple[str, str]:
    """
    The commands that take all containers off a network, each with a semicolon after it, and what to do afterwards.

    The suite makes its own anew. Those of somebody else are not removed, but only taken off.
    """
    containers = list(attached)
    ours = [each.name for each in containers if each.project in (MASTODON_PROJECT, PROXY_PROJECT)]
    others = [each.name for each in containers if each.name not in ours]
    commands = f"docker rm --force {' '.join(ours)}; " if ours else ""
    commands += "".join(f"docker network disconnect --force {network} {name}; " for name in others)
    back = "; ".join(f"docker network connect {network} {name}" for name in others)
    return commands, f" What is not the suite's comes back by: {back}." if others else ""


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


def closed_ways(ways: Ways, containers: Iterable[Container] = (), engine: tuple[int, int] = (0, 0)) -> Iterator[str]:
    """
    What is missing so that containers get out and visitors get in, in words.

    containers: all of the engine. engine: its version, (0, 0) if it is not known.

    Docker writes its rules when it starts, when a network is made and when a container starts. Whatever empties the
    firewall in between (nftables' "flush ruleset", somebody's iptables script) takes them away, and nobody but a
    restart of the engine brings them back. Without those for a port, visitors still get in, through docker-proxy, but
    all of them with the address of the bridge: Mastodon slows down and bans them as one.
    """
    if not ways.networks:
        return
    if not ways.forwarding and 4 not in ways.unmanaged:
        yield "net.ipv4.ip_forward is 0: the kernel passes nothing on to containers or from them"
    published = [each for each in containers if each.published and each.status in HOLDING_PORTS]
    for family, words in _families(ways, engine).items():
        rules = [rule for rule in ways.rules if rule.family == family]
        networks = {each.name: each for each in ways.networks if any(_is(family, subnet) for subnet in each.subnets)}
        for network in networks.values():
            yield from _closed_ways_of(network, family, words, rules)
        for container in published:
            # Through which one of its networks Docker leads a port is known where it leads through none of others.
            if container.networks and container.networks.keys() <= networks.keys():
                yield from _closed_ports(container, family, words, rules)


# States of a container in which Docker keeps the rules for its ports.
HOLDING_PORTS = ("running", "paused")


def _families(ways: Ways, engine: tuple[int, int]) -> dict[int, str]:
    """Those in which Docker writes rules, with what to add when one is named."""
    families = {4: ""} | ({6: " for IPv6"} if engine >= FIRST_ENGINE_WITH_IPV6 else {})
    return {family: words for family, words in families.items() if not {4, family} & ways.unmanaged}


def _is(family: int, address: str) -> bool:
    return (":" in address) == (family == 6)


def _closed_ways_of(network: Bridge, family: int, words: str, rules: Sequence[Rule]) -> Iterator[str]:
    mine = [rule for rule in rules if rule.names(network.bridge)]
    translated = [rule for rule in mine if rule.place.startswith("nat") and "masquerade" in rule.text.lower()]
    # As the kernel writes them, whatever they were typed like.
    subnets = [str(ip_network(each, strict=False)) for each in network.subnets if _is(family, each)]
    if not any(rule.names(subnet) for subnet in subnets for rule in translated):
        yield f"the network {network.name} has no way out{words}: Docker's rule for its addresses is gone"
    filtered = any(rule.place.startswith("filter") for rule in mine)
    if not filtered or not any(_leads_forwarded_packets(rule) for rule in rules):
        yield f"the network {network.name} has no filter{words}: Docker's rules for it are gone"


def _closed_ports(container: Container, family: int, words: str, rules: Sequence[Rule]) -> Iterator[str]:
    ports = {(each.port, each.protocol) for each in container.published if _is(family, each.address)}
    led = any(_leads_arriving_packets(rule) for rule in rules)
    gone = sorted(
        port for port, protocol in ports if not led or not any(_leads(rule, port, protocol) for rule in rules)
    )
    if gone:
        yield (
            f"visitors of port {' and '.join(map(str, gone))} reach {container.name} with one address{words}: Docker's "
            "rule that leads them there is gone"
        )


# With iptables, Docker's chains count only where one of the kernel's leads to them; with nftables it has its own hooks.


def _leads_forwarded_packets(rule: Rule) -> bool:
    by_iptables = rule.place == "filter" and rule.text.startswith("-A FORWARD ") and "-j DOCKER" in rule.text
    return by_iptables or (rule.place == "filter-FORWARD" and "vmap" in rule.text)


def _leads_arriving_packets(rule: Rule) -> bool:
    by_iptables = rule.place == "nat" and rule.text.startswith("-A PREROUTING ") and rule.text.endswith("-j DOCKER")
    return by_iptables or (rule.place == "nat-PREROUTING" and "jump nat-prerouting-and-output" in rule.text)


def _leads(rule: Rule, port: int, protocol: str) -> bool:
    to_a_container = rule.place == "nat" and rule.text.startswith("-A DOCKER ") and rule.names("DNAT")
    to_a_container |= rule.place == "nat-prerouting-and-output" and "dnat to" in rule.text
    return to_a_container and f"dport {port} " in rule.text and rule.names(protocol)
