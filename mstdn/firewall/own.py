"""
The suite's own firewall on somebody's server: where there is one already, and what others have open. Pure.

A server that has a firewall keeps it, and gets no second one unless the operator asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mstdn.docker.rules import ALIVE
from mstdn.finding import Finding
from mstdn.firewall.facts import Rules, Setup
from mstdn.firewall.packets import Chain, Packet, fate, interface_matches
from mstdn.firewall.rules import BRIDGE, CONTAINER, OUTSIDE, SERVER, without_docker
from mstdn.firewall.table import WEB, is_open

if TYPE_CHECKING:
    from mstdn.docker.facts import Container
    from mstdn.settings import Settings

# Ports that no honest rule names. Where all of them are closed, everything is that is not named.
ANY_PORTS = (1987, 8025, 47811)
# Programs of a distribution that serve nobody outside, or that work without an open port because they call first.
HARMLESS = frozenset(
    (
        *("rpcbind", "rpc.statd", "avahi-daemon", "systemd-resolve", "systemd-network", "systemd-timesyn", "chronyd"),
        *("ntpd", "dhclient", "dhcpcd", "NetworkManager", "tailscaled", "zerotier-one", "docker-proxy"),
    )
)
EVERYWHERE = ("0.0.0.0", "::", "*")  # noqa: S104 (what a program listens on, not what one of ours does)
# From here on the kernel takes ports for programs that call somebody themselves (net.ipv4.ip_local_port_range).
FIRST_OF_CALLERS = 32768


def firewall_of_others(rules: Rules) -> str:
    """Which firewall the server has besides the suite's, as the subject of a sentence; "" if none."""
    if rules.managers:
        return " and ".join(sorted(rules.managers))
    if rules.tables:
        return f"the table {rules.tables[0]} of nftables"
    if rules.redirections:
        return f"a rule that redirects ports ({rules.redirections[0]})"
    outside = rules.outside[0] if rules.outside else "eth0"
    for chain in rules.chains:
        if _closes_everything(chain, outside):
            return f"the chain {chain.place} of {chain.manner}"
    return ""


def _closes_everything(chain: Chain, outside: str) -> bool:
    """Whether what nobody has named is dropped there: then somebody has decided what may come in."""
    return all(
        fate(chain, Packet("prerouting", 4, outside, "", OUTSIDE[4], SERVER[4], "tcp", port)) for port in ANY_PORTS
    ) or _closes_the_server(chain, outside)


def _closes_the_server(chain: Chain, outside: str) -> bool:
    return all(
        fate(chain, Packet("input", 4, outside, "", OUTSIDE[4], SERVER[4], "tcp", port)) for port in ANY_PORTS
    ) or all(
        fate(
            without_docker(chain),
            Packet("forward", 4, outside, BRIDGE, OUTSIDE[4], CONTAINER[4], "tcp", port, redirected=True),
        )
        for port in ANY_PORTS
    )


def is_here(rules: Rules, setup: Setup) -> bool:
    """Whether anything of the suite's firewall is on the server already."""
    return bool(rules.ours or setup.rules or setup.unit)


def opens_everything(rules: Rules, setup: Setup, interfaces: Iterable[str]) -> str:
    """Why nothing would be closed: an interface of the setting firewall_inside_interfaces leads outside. Or ""."""
    for each in interfaces:
        for name in sorted({*rules.outside, *setup.uplinks}):
            if interface_matches(each, name, "*"):
                means = each if each == name else f"{each}, and so {name}"
                return (
                    f"firewall_inside_interfaces names {means}, by which this server reaches the Internet: nothing "
                    "would be closed. Take it out; firewall_enabled = False is for a server without this firewall."
                )
    return ""


def open_tcp_ports(settings: Settings) -> tuple[int | str, ...]:
    """What the operator has open beside SSH and the web; what verify lets answer has to be let in."""
    return (*settings.firewall_tcp_ports, *settings.verify_open_ports)


def findings(
    rules: Rules, setup: Setup, containers: Iterable[Container], addresses: Iterable[str], settings: Settings
) -> Iterator[Finding]:
    """
    What the operator has to decide before the server is closed for the first time, and what is closed since then.

    addresses: of the server itself.
    """
    enabled = settings.firewall_enabled
    if enabled is False:
        return
    if text := opens_everything(rules, setup, settings.firewall_inside_interfaces):
        yield Finding("error", text)
    here = is_here(rules, setup)
    if enabled is True or (firewall_of_others(rules) and not here):
        return
    found = [
        *_of_containers(containers, addresses, settings),
        *_of_the_server(setup, addresses, settings),
    ]
    if not found:
        return
    keep = []
    for protocol in ("tcp", "udp"):
        ports = sorted({port for one, port, _ in found if one == protocol})
        if ports:
            more = getattr(settings, f"firewall_{protocol}_ports")
            keep.append(f"firewall_{protocol}_ports = {[*more, *ports]}")
    named = ", ".join(f"{protocol.upper()} {port} ({who})" for protocol, port, who in dict.fromkeys(found))
    if here:
        yield Finding(
            "warning",
            f"The firewall keeps closed what listens to the outside: {named}. {', '.join(keep)} opens it to everybody; "
            "firewall_enabled = True says that it is meant to be closed, and this is not told again.",
        )
        return
    yield Finding(
        "error",
        f"The suite's firewall would close ports that answer from outside now: {named}. Which are meant for everybody? "
        f"They stay open with {', '.join(keep)}. If all of them may be closed, set firewall_enabled = True; if this "
        "server shall have no firewall of the suite's, firewall_enabled = False.",
    )


def _of_containers(
    containers: Iterable[Container], addresses: Iterable[str], settings: Settings
) -> Iterator[tuple[str, int, str]]:
    reached = {*EVERYWHERE, "", *addresses}
    for container in containers:
        for each in container.published if container.status in ALIVE else ():
            if each.address in reached and not _is_open(each.protocol, each.port, (), settings):
                yield each.protocol, each.port, f"the container {container.name}"


def _of_the_server(setup: Setup, addresses: Iterable[str], settings: Settings) -> Iterator[tuple[str, int, str]]:
    reached = {*EVERYWHERE, *addresses}
    for each in setup.sockets:
        calls = each.protocol == "udp" and each.port >= FIRST_OF_CALLERS and each.process
        if each.address not in reached or each.process in HARMLESS or calls:
            continue
        if not _is_open(each.protocol, each.port, setup.ssh_ports, settings):
            yield each.protocol, each.port, each.process or "the kernel"


def _is_open(protocol: str, port: int, ssh: Iterable[int], settings: Settings) -> bool:
    if protocol == "tcp":
        return is_open(port, (*ssh, *WEB, *open_tcp_ports(settings)))
    return is_open(port, settings.firewall_udp_ports if protocol == "udp" else ())
