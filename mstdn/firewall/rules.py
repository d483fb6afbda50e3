"""What a firewall that was here before would keep from Mastodon, each with the rule to add. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mstdn.finding import Finding
from mstdn.firewall.facts import Rules
from mstdn.firewall.packets import CONNECTION_IS_KNOWN, DESTINATION_IS_ANOTHER, Chain, Dropped, Packet, fate

# Any address of the Internet and any of a container; which ones does not matter to honest rules.
OUTSIDE = {4: "151.101.3.10", 6: "2a04:4e42::10"}
CONTAINER = {4: "172.18.0.5", 6: "fd12:3456::5"}
SOMEWHERE = ""
SERVER = {4: "51.15.20.30", 6: "2a01:4f8::30"}
# Docker calls the bridge of a network by its ID.
BRIDGE = "br-0123456789ab"
# Chains in which Docker, or firewalld for it, lets pass what belongs to containers.
DOCKERS = ("DOCKER", "DOCKER-FORWARD", "DOCKER-ISOLATION-STAGE-1", "DOCKER-INGRESS", "DOCKER-CT")
PORTS = (80, 443)


@dataclass(frozen=True)
class Situation:
    """
    What the suite brings. `bridges`: of the networks front and the way out, as far as they exist.
    `ipv6`: the DNS leads visitors here by IPv6, or nobody knows. `ipv6_by_process`: those come in through a process of
    the server and not by forwarding. `smtp_port`: TCP port of the mail server.
    """

    bridges: tuple[str, ...] = ()
    ipv6: bool = True
    ipv6_by_process: bool = False
    smtp_port: int = 587


def findings(rules: Rules, situation: Situation) -> Iterator[Finding]:
    """What would certainly be dropped; what nobody can know from the rules alone is not told."""
    outside = rules.outside[0] if rules.outside else "eth0"
    bridge = situation.bridges[0] if situation.bridges else BRIDGE
    chains = [without_docker(chain) for chain in rules.chains]
    yield from _visitors(chains, outside, bridge, rules)
    yield from _way_out(chains, outside, bridge, situation.smtp_port)
    yield from _server_itself(chains, outside)
    yield from _input(chains, outside, situation, rules)
    for file in rules.flushes:
        yield Finding(
            "warning",
            f"{file} begins with flush ruleset, and its service is enabled: whoever restarts it takes away Docker's "
            "rules too, and nothing in a container reaches the Internet until Docker restarts. Write destroy table "
            "inet filter there instead, for each of your tables; until then, after each restart of it: systemctl "
            "restart docker",
        )


def without_docker(chain: Chain) -> Chain:
    """
    The chain without Docker's own part, which lets pass what the suite needs, and lets it pass first.

    Docker puts its rules on top of FORWARD whenever it starts; DOCKER-USER is the place that it leaves to others.
    """
    if chain.place != "FORWARD":
        return chain
    first = next((at for at, rule in enumerate(chain.rules) if rule.target in DOCKERS), None)
    user = tuple(rule for rule in chain.rules if rule.target == "DOCKER-USER")
    if not user and "DOCKER-USER" in chain.others:
        user = chain.others["DOCKER-USER"]
    before = () if first is None else chain.rules[:first]
    kept = before if any(rule.target == "DOCKER-USER" for rule in before) else (*before, *user)
    return replace(chain, rules=kept, policy="accept")


def _visitors(chains: Sequence[Chain], outside: str, bridge: str, rules: Rules) -> Iterator[Finding]:
    for port in PORTS:
        come = Packet("forward", 4, outside, bridge, OUTSIDE[4], CONTAINER[4], "tcp", port, redirected=True)
        reply = Packet(
            *("forward", 4, bridge, outside, CONTAINER[4], OUTSIDE[4], "tcp", 50123, "established"),
            redirected=True,
            source_port=port,
        )
        arriving = Packet("prerouting", 4, outside, "", OUTSIDE[4], SERVER[4], "tcp", port)
        if found := _first_at_arrival(chains, arriving, replace(reply, hook="prerouting", leaves="")):
            yield Finding(
                "error",
                f"The firewall keeps visitors and the certificate authority from port {port} (and what else may come) "
                f"before it is known where they go: {_where(found)}. Let them pass: {_arrival_remedy(found.chain)}",
            )
            return
        if found := _first(chains, come, reply):
            yield Finding(
                "error",
                f"The firewall keeps visitors and the certificate authority from port {port} (and what else may come): "
                f"{_where(found)}. Docker leads them on to a container, so {_forward_remedy(found.chain, rules)}",
            )
            return


def _way_out(chains: Sequence[Chain], outside: str, bridge: str, smtp_port: int) -> Iterator[Finding]:
    # firewalld has a zone for Docker's networks, into which Docker itself puts them.
    chains = [chain for chain in chains if chain.place.split()[1:2] != ["firewalld"]]
    go = Packet("forward", 4, bridge, outside, CONTAINER[4], OUTSIDE[4], "tcp", 443)
    reply = Packet(
        "forward", 4, outside, bridge, OUTSIDE[4], CONTAINER[4], "tcp", 50123, "established", source_port=443
    )
    # An answer comes to the server's own address.
    arriving = [replace(each, hook="prerouting", leaves="") for each in (go, replace(reply, destination=SERVER[4]))]
    if found := _first(chains, go, reply) or _first_at_arrival(chains, *arriving):
        yield Finding(
            "error",
            "The firewall keeps containers from the Internet, and Mastodon has to reach other servers: "
            f"{_where(found)}. Let them pass: {_out_remedy(found.chain)}",
        )
        return
    for protocol, port, what in (("tcp", smtp_port, "the mail server"), ("udp", 53, "the DNS")):
        # Where these are is not known here, so a rule that lets containers reach some addresses may be meant for them.
        go = Packet("forward", 4, bridge, outside, CONTAINER[4], SOMEWHERE, protocol, port)
        if found := _first(chains, go):
            yield Finding(
                "warning",
                f"The firewall keeps containers from {what} ({protocol.upper()} port {port}) unless it is on this "
                f"server: {_where(found)}. Let them pass: {_out_remedy(found.chain)}",
            )


def _server_itself(chains: Sequence[Chain], outside: str) -> Iterator[Finding]:
    go = Packet("output", 4, "", outside, SERVER[4], OUTSIDE[4], "tcp", 443)
    if found := _first(chains, go):
        yield Finding(
            "error",
            "The firewall keeps this server itself from the Internet (TCP port 443), so neither packages nor images "
            f"can be fetched: {_where(found)}. Let it out: {_output_remedy(found.chain)}",
        )
    elif found := _first(chains, Packet("output", 4, "", outside, SERVER[4], SOMEWHERE, "udp", 53)):
        yield Finding(
            "warning",
            "The firewall keeps this server itself from the DNS (UDP port 53) unless that is on this server and asks "
            f"in another way: {_where(found)}. Let it out: {_dns_remedy(found.chain)}",
        )


def _input(chains: Sequence[Chain], outside: str, situation: Situation, rules: Rules) -> Iterator[Finding]:
    for family in (6, 4) if situation.ipv6 else (4,):
        for port in PORTS:
            found = _first(chains, Packet("input", family, outside, "", OUTSIDE[family], SERVER[family], "tcp", port))
            if not found:
                continue
            if family == 6 and situation.ipv6_by_process:
                yield Finding(
                    "error",
                    f"The firewall keeps visitors with IPv6 from port {port}: {_where(found)}. The domain has an AAAA "
                    f"record, so most try that first. Open both ports: {_input_remedy(found.chain, rules)}",
                )
            else:
                yield Finding(
                    "warning",
                    f"The firewall closes port {port} of this server itself: {_where(found)}. Docker leads visitors "
                    "past it, but what runs on this server, Mastodon too, does not reach the site by its own name. "
                    f"Open both ports: {_input_remedy(found.chain, rules)}",
                )
            return


def _first_at_arrival(chains: Sequence[Chain], *packets: Packet) -> Dropped | None:
    """
    A packet that certainly ends before it is known where it goes. Behind the redirection it may be for anybody.
    """
    return _first([each for each in chains if each.priority <= DESTINATION_IS_ANOTHER], *packets)


def _first(chains: Sequence[Chain], *packets: Packet) -> Dropped | None:
    return next((found for chain in chains for packet in packets if (found := fate(chain, packet))), None)


def _where(found: Dropped) -> str:
    return (
        f"the chain {found.chain.place} ends with {found.by}"
        if found.by.startswith("policy")
        else (f"{found.chain.place} has {found.by}")
    )


def _forward_remedy(chain: Chain, rules: Rules) -> str:
    if chain.place.split()[1:2] == ["firewalld"]:
        return (
            "set StrictForwardPorts=no in /etc/firewalld/firewalld.conf and systemctl restart firewalld; or open them: "
            "firewall-cmd --permanent --add-forward-port=port=80:proto=tcp:toport=80, and the same for 443."
        )
    if chain.manner == "nftables":
        return (
            f"the chain has to let those pass: nft insert rule {chain.place} ct state established,related accept && "
            f"nft insert rule {chain.place} ct status dnat accept (and write both into /etc/nftables.conf)."
        )
    if "ufw" in rules.managers:
        return (
            "the rule is: ufw route allow proto tcp from any to any port 80 && ufw route allow proto tcp from any to "
            "any port 443"
        )
    return (
        "the rule is: iptables -I DOCKER-USER -p tcp -m multiport --dports 80,443 -j RETURN && iptables -I DOCKER-USER "
        f"-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN{_kept(rules)}"
        if "DOCKER-USER" in chain.others
        else f"the rule is: iptables -I FORWARD -m conntrack --ctstatus DNAT -j ACCEPT{_kept(rules)}"
    )


def _arrival_remedy(chain: Chain) -> str:
    """For visitors, containers and answers alike, where it is not known yet who a packet is for."""
    if chain.manner == "nftables":
        # So early the connection that an answer belongs to is not known either.
        known = chain.priority > CONNECTION_IS_KNOWN
        answers = "ct state established,related" if known else "tcp sport '{ 80, 443 }'"
        passing = ("tcp dport '{ 80, 443 }'", 'iifname "br-*"', answers)
        rules = " && ".join(f"nft insert rule {chain.place} {each} accept" for each in passing)
        return f"{rules} (and write all of them into /etc/nftables.conf)."
    table, name = chain.place.split()
    passing = ("-p tcp -m multiport --dports 80,443", "-i br-+", "-p tcp -m multiport --sports 80,443")
    rules = " && ".join(f"iptables -t {table} -I {name} {each} -j ACCEPT" for each in passing)
    return f"{rules}, and keep it for the next boot."


def _out_remedy(chain: Chain) -> str:
    if chain.hook == "prerouting":
        return _arrival_remedy(chain)
    if chain.manner == "nftables":
        return (
            f"nft insert rule {chain.place} ct state established,related accept && nft insert rule {chain.place} "
            'iifname "br-*" accept (and write both into /etc/nftables.conf).'
        )
    place = "DOCKER-USER" if "DOCKER-USER" in chain.others else "FORWARD"
    verdict = "RETURN" if place == "DOCKER-USER" else "ACCEPT"
    return (
        f"iptables -I {place} -i br-+ -j {verdict} && iptables -I {place} -m conntrack --ctstate ESTABLISHED,RELATED "
        f"-j {verdict}, and keep it for the next boot."
    )


def _output_remedy(chain: Chain) -> str:
    if chain.manner == "nftables":
        return f"nft insert rule {chain.place} tcp dport '{{ 80, 443 }}' accept (and write it into /etc/nftables.conf)."
    return f"iptables -I {chain.place} -p tcp -m multiport --dports 80,443 -j ACCEPT, and keep it for the next boot."


def _dns_remedy(chain: Chain) -> str:
    if chain.manner == "nftables":
        return f"nft insert rule {chain.place} udp dport 53 accept (and write it into /etc/nftables.conf)."
    return f"iptables -I {chain.place} -p udp --dport 53 -j ACCEPT, and keep it for the next boot."


def _input_remedy(chain: Chain, rules: Rules) -> str:
    if chain.place.split()[1:2] == ["firewalld"]:
        return "firewall-cmd --permanent --add-service=http --add-service=https && firewall-cmd --reload"
    if chain.manner == "nftables":
        return f"nft insert rule {chain.place} tcp dport '{{ 80, 443 }}' accept (and write it into /etc/nftables.conf)."
    if "ufw" in rules.managers:
        return "ufw allow 80,443/tcp"
    tool = "ip6tables" if 6 in chain.families else "iptables"
    return f"{tool} -I {chain.place} -p tcp -m multiport --dports 80,443 -j ACCEPT{_kept(rules)}"


def _kept(rules: Rules) -> str:
    return (
        " && netfilter-persistent save"
        if "netfilter-persistent" in rules.managers
        else ", and keep it for the next boot."
    )
