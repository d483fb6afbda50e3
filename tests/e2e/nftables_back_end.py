"""
A server whose engine makes its rules by nftables, in network namespaces of the lab's server.

Engine 29 has this back end ("firewall-backend": "nftables"), and Debian has no package of it, in no release. So its
tables are made as its own tests describe them (moby/moby, integration/network/bridge/nftablesdoc), for one bridge with
one container; all else is real: the kernel, nft, the packets, the suite's rules. A restart of the engine takes its
tables away and makes them anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mstdn.firewall.facts import Setup
from mstdn.firewall.operations import wanted_rules
from mstdn.firewall.table import Openings

VISITOR, SERVER, CONTAINER = "nft29-visitor", "nft29-server", "nft29-container"
UPLINK, BRIDGE = "uplink", "br-0123456789ab"
# Addresses of documentation (RFC 5737, RFC 3849), which exist in these namespaces only.
ADDRESSES: Mapping[int, Mapping[str, str]] = {
    4: {"visitor": "192.0.2.1", "server": "192.0.2.2", "gateway": "198.51.100.1", "container": "198.51.100.2"},
    6: {
        "visitor": "2001:db8:1::1",
        "server": "2001:db8:1::2",
        "gateway": "2001:db8:2::1",
        "container": "2001:db8:2::2",
    },
}
LENGTH = {4: 24, 6: 64}
FAMILY = {4: "ip", 6: "ip6"}
LOOPBACK = {4: "127.0.0.0/8", 6: "::1"}
# The proxy's, and one that somebody published on 0.0.0.0 and [::]: port of the server, port of the container.
PUBLISHED = {80: 80, 443: 443, 8080: 80}
# What answers there: a process of the server itself. At a published port it is the engine's own program (docker-proxy).
OF_THE_SERVER = (22, 9999, *PUBLISHED)
# What a container asks of the world.
OUTSIDE = 7777


def tables_of_the_engine(version: int) -> str:
    """What engine 29 has for a bridge with one container, in IPv4 or IPv6."""
    container, network = ADDRESSES[version]["container"], f"{ADDRESSES[version]['gateway']}/{LENGTH[version]}"
    family = FAMILY[version]
    ways = "\n".join(
        f'iifname != "{BRIDGE}" tcp dport {port} counter dnat to '
        f'{f"[{container}]" if version == 6 else container}:{inner} comment "DNAT"'
        for port, inner in PUBLISHED.items()
    )
    opened = "\n".join(f"{family} daddr {container} tcp dport {port} counter accept" for port in {*PUBLISHED.values()})
    jumps = "\n".join(
        f'map {name}-jumps {{ type ifname : verdict; elements = {{ "{BRIDGE}" : jump {name}__{BRIDGE} }}; }}'
        for name in ("filter-forward-in", "filter-forward-out", "nat-postrouting-in", "nat-postrouting-out")
    )
    return f"""
table {family} docker-bridges {{
chain nat-prerouting-and-output {{
{ways}
}}
chain filter-forward-in__{BRIDGE} {{
ct state established,related counter accept
iifname "{BRIDGE}" counter accept comment "ICC"
{opened}
counter drop comment "UNPUBLISHED PORT DROP"
}}
chain filter-forward-out__{BRIDGE} {{
ct state established,related counter accept
counter accept comment "OUTGOING"
}}
chain nat-postrouting-in__{BRIDGE} {{
}}
chain nat-postrouting-out__{BRIDGE} {{
oifname != "{BRIDGE}" {family} saddr {network} counter masquerade comment "MASQUERADE"
}}
{jumps}
chain filter-FORWARD {{
type filter hook forward priority filter; policy accept;
oifname vmap @filter-forward-in-jumps
iifname vmap @filter-forward-out-jumps
}}
chain nat-OUTPUT {{
type nat hook output priority -100; policy accept;
{family} daddr != {LOOPBACK[version]} fib daddr type local counter jump nat-prerouting-and-output
}}
chain nat-POSTROUTING {{
type nat hook postrouting priority srcnat; policy accept;
iifname vmap @nat-postrouting-out-jumps
oifname vmap @nat-postrouting-in-jumps
}}
chain nat-PREROUTING {{
type nat hook prerouting priority dstnat; policy accept;
fib daddr type local counter jump nat-prerouting-and-output
}}
chain raw-PREROUTING {{
type filter hook prerouting priority raw; policy accept;
{family} daddr {container} iifname != "{BRIDGE}" counter drop comment "DROP DIRECT ACCESS"
}}
}}
"""


def _cable(one: str, name: str, other: str, other_name: str) -> str:
    return f"ip link add {name} netns {one} type veth peer name {other_name} netns {other}"


def _address(namespace: str, name: str, who: str) -> str:
    lines = [f"ip -n {namespace} link set {name} up"]
    for version, found in ADDRESSES.items():
        without_a_wait = " nodad" if version == 6 else ""
        lines.append(f"ip -n {namespace} address add {found[who]}/{LENGTH[version]} dev {name}{without_a_wait}")
    return "\n".join(lines)


def _routes(namespace: str, gateway: str) -> str:
    return "\n".join(
        f"ip -n {namespace} -{version} route add default via {found[gateway]}" for version, found in ADDRESSES.items()
    )


def _listening(namespace: str, port: int, word: str) -> str:
    unit = f"{namespace}-{port}"
    return (
        f"systemd-run --quiet --collect --unit={unit} ip netns exec {namespace} "
        f"systemd-socket-activate --accept --inetd --listen={port} /bin/echo {word}\n"
        f"timeout 10 sh -c 'until ip netns exec {namespace} ss -Hltn sport = :{port} | grep -q .; do sleep 0.05; done'"
    )


SET_UP = "\n".join(
    [
        "set -eu",
        *(f"ip netns add {each}" for each in (VISITOR, SERVER, CONTAINER)),
        *(f"ip -n {each} link set lo up" for each in (VISITOR, SERVER, CONTAINER)),
        # Otherwise a router finds no neighbour until its own link-local address is known to be free: up to two seconds.
        *(
            f"ip netns exec {each} sysctl -qw net.ipv6.conf.{which}.accept_dad=0"
            for each in (VISITOR, SERVER, CONTAINER)
            for which in ("all", "default")
        ),
        _cable(VISITOR, "eth0", SERVER, UPLINK),
        _cable(CONTAINER, "eth0", SERVER, "veth0"),
        f"ip -n {SERVER} link add {BRIDGE} type bridge",
        f"ip -n {SERVER} link set veth0 master {BRIDGE} up",
        _address(VISITOR, "eth0", "visitor"),
        _address(SERVER, UPLINK, "server"),
        _address(SERVER, BRIDGE, "gateway"),
        _address(CONTAINER, "eth0", "container"),
        _routes(SERVER, "visitor"),
        _routes(CONTAINER, "gateway"),
        # A visitor who knows the way, as one in the same data centre would.
        *(
            f"ip -n {VISITOR} -{version} route add {found['container']} via {found['server']}"
            for version, found in ADDRESSES.items()
        ),
        # With this back end the engine leaves it to the system's administrator.
        f"ip netns exec {SERVER} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
        *(_listening(SERVER, port, "process") for port in OF_THE_SERVER),
        *(_listening(CONTAINER, port, "container") for port in {*PUBLISHED.values(), 81}),
        _listening(VISITOR, OUTSIDE, "world"),
    ]
)
TAKE_DOWN = "\n".join(
    [
        "systemctl stop 'nft29-*' 2>/dev/null",
        *(f"ip netns delete {each} 2>/dev/null" for each in (VISITOR, SERVER, CONTAINER)),
        "true",
    ]
)


@dataclass(frozen=True)
class ServerOfNftables:
    """`run`: runs a command line as root where the namespaces are, with standard input, and gives its output."""

    run: Callable[..., str]

    def load(self, rules: str) -> None:
        """Put these rules in force on the server."""
        self.run(f"ip netns exec {SERVER} nft --file -", stdin=rules)

    def start_the_engine(self) -> None:
        """As at boot, or at a restart: without its old tables, with new ones."""
        for version, family in FAMILY.items():
            old = f"table {family} docker-bridges\ndelete table {family} docker-bridges\n"
            self.load(old + tables_of_the_engine(version))

    def open(self) -> None:
        """Without the suite's rules."""
        self.load("table inet mstdn\ndelete table inet mstdn\n")

    def close(self) -> None:
        """The suite's rules, as it writes them for this server."""
        self.load(wanted_rules(Openings(), Setup(ssh_ports=(22,), uplinks=(UPLINK,))))

    def ruleset(self) -> dict[str, Any]:
        """All rules, as the suite's fact reads them."""
        found: dict[str, Any] = json.loads(self.run(f"ip netns exec {SERVER} nft --json --terse list ruleset"))
        return found

    def answers(self, version: int, who: str = "server", namespace: str = VISITOR) -> dict[int, str]:
        """Who answers at the ports of an address to somebody: "process", "container" or "world"; nobody is left out."""
        ports = (*OF_THE_SERVER, 81, OUTSIDE)
        address = ADDRESSES[version][who]
        # Side by side: where nobody answers at all, each takes its two seconds.
        tries = " ".join(f'echo {port} "$(timeout 2 bash -c "cat </dev/tcp/{address}/{port}")" &' for port in ports)
        found = self.run(f"ip netns exec {namespace} bash -c '{tries} wait' 2>/dev/null")
        return {int(port): word for port, word in re.findall(r"^(\d+) (\w+)$", found, re.MULTILINE)}


@contextmanager
def server_of_nftables(run: Callable[..., str]) -> Iterator[ServerOfNftables]:
    """The server while the `with` lasts, without any rule yet."""
    run(TAKE_DOWN)
    try:
        run(SET_UP)
        yield ServerOfNftables(run)
    finally:
        run(TAKE_DOWN)
