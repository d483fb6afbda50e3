"""The suite's own table: what is written into it, and how what the kernel lists is compared."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstdn.firewall.facts import Setup
from mstdn.firewall.operations import wanted_rules
from mstdn.firewall.table import Openings, is_open, listing, merged_addresses, merged_ports, tables_of_others

EVERYTHING = Openings(
    tcp=(25, "60000-61000", 60500, 22),
    udp=(51820, "1000-2000"),
    addresses=("203.0.113.0/24", "203.0.113.7", "2001:db8::7"),
    interfaces=("eth1", "vlan*"),
)
SERVERS = {
    "plain": (Openings(), Setup(ssh_ports=(22,))),
    "everything": (EVERYTHING, Setup(ssh_ports=(22, 2222), uplinks=("br0",))),
}


@pytest.mark.parametrize(
    ("ports", "merged"),
    [
        ((443, 22, 80, 22), ("22", "80", "443")),
        ((22, "20-30", 25), ("20-30",)),
        (("20-30", "25-40", "40-41"), ("20-41",)),
        (("20-30", 31), ("20-30", "31")),
        ((), ()),
    ],
)
def test_ports_are_merged_because_nft_refuses_intervals_that_overlap(
    ports: tuple[int | str, ...], merged: tuple[str, ...]
) -> None:
    assert merged_ports(ports) == merged


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=12), st.integers(1, 70))
def test_merged_ports_are_the_same_ports(pairs: list[tuple[int, int]], port: int) -> None:
    ports = [first if not more else f"{first}-{first + more}" for first, more in pairs]
    merged = merged_ports(ports)
    assert is_open(port, merged) == is_open(port, ports)
    ends = [int(each) for interval in merged for each in interval.split("-")]
    assert ends == sorted(ends)


def test_addresses_are_merged_and_told_apart() -> None:
    addresses = ("203.0.113.0/24", "203.0.113.7", "198.51.100.7", "2001:db8::7", "2001:db8::/32")
    assert merged_addresses(addresses, 4) == ("198.51.100.7", "203.0.113.0/24")
    assert merged_addresses(addresses, 6) == ("2001:db8::/32",)


def test_the_rules_of_a_plain_server_are_these() -> None:
    text = wanted_rules(*SERVERS["plain"])
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert lines == [
        "table inet mstdn",
        "delete table inet mstdn",
        "table inet mstdn {",
        "chain arriving {",
        "type filter hook prerouting priority -150; policy accept;",
        'iifname "lo" accept',
        'meta iifkind { "bridge", "veth", "wireguard", "tun" } accept',
        "goto outside",
        "}",
        "chain outside {",
        "ct state { established, related } accept",
        "icmp type echo-request accept",
        "icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem, "
        "nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept",
        "udp sport 67 udp dport 68 accept",
        "udp sport 547 udp dport 546 accept",
        "tcp dport { 22, 80, 443 } accept",
        "tcp flags & (syn | ack) == syn reject with tcp reset",
        "meta l4proto tcp drop",
        "reject",
        "}",
        "}",
    ]


def test_what_the_operator_opens_is_opened_and_nothing_overlaps() -> None:
    text = wanted_rules(*SERVERS["everything"])
    for line in (
        'iifname { "br0" } goto outside',
        'iifname "eth1" accept',
        'iifname "vlan*" accept',
        "ip saddr { 203.0.113.0/24 } accept",
        "ip6 saddr { 2001:db8::7 } accept",
        "tcp dport { 22, 25, 80, 443, 2222, 60000-61000 } accept",
        "udp dport { 1000-2000, 51820 } accept",
    ):
        assert f"        {line}\n" in text
    # A bridge by which the server reaches the Internet is outside, whatever other bridges are.
    assert text.index('"br0" } goto outside') < text.index("iifkind")


# --- What the kernel lists ------------------------------------------------------------------------

METAINFO = {"metainfo": {"version": "1.1.3", "release_name": "x", "json_schema_version": 1}}
TABLE = {"table": {"family": "inet", "name": "mstdn", "handle": 7}}
CHAIN = {"chain": {"family": "inet", "table": "mstdn", "name": "outside", "handle": 1}}


def ports(*numbers: int, handle: int = 3) -> dict[str, Any]:
    port = {"payload": {"protocol": "tcp", "field": "dport"}}
    match = {"match": {"op": "==", "left": port, "right": {"set": list(numbers)}}}
    rule = {"family": "inet", "table": "mstdn", "chain": "outside", "handle": handle, "expr": [match, {"accept": None}]}
    return {"rule": rule}


def reject(protocol: str | int) -> dict[str, Any]:
    match = {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": protocol}}
    return {"rule": {"family": "inet", "table": "mstdn", "chain": "outside", "expr": [match, {"reject": None}]}}


def ruleset(*objects: dict[str, Any]) -> dict[str, Any]:
    return {"nftables": [copy.deepcopy(each) for each in (METAINFO, *objects)]}


def test_the_table_is_the_same_whatever_its_handles_and_the_order_in_a_set() -> None:
    first = listing(ruleset(TABLE, CHAIN, ports(22, 80)))
    other = {"table": {"family": "ip", "name": "mstdn", "handle": 1}}
    again = listing(ruleset(other, TABLE, CHAIN, ports(80, 22, handle=9)))
    assert first == again != ""


def test_a_server_that_has_learned_the_names_of_protocols_since_has_the_same_rules() -> None:
    assert listing(ruleset(TABLE, CHAIN, reject(6))) == listing(ruleset(TABLE, CHAIN, reject("tcp")))
    assert listing(ruleset(TABLE, CHAIN, reject(6))) != listing(ruleset(TABLE, CHAIN, reject("udp")))


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param((TABLE, CHAIN, ports(22, 80, 9999)), id="a port added"),
        pytest.param((TABLE, CHAIN), id="a rule removed"),
        pytest.param((TABLE, CHAIN, ports(22, 80), ports(25)), id="a rule added"),
        pytest.param((TABLE, CHAIN, ports(25), ports(22, 80)), id="another first"),
    ],
)
def test_whatever_somebody_changed_is_seen(objects: tuple[dict[str, Any], ...]) -> None:
    assert listing(ruleset(*objects)) != listing(ruleset(TABLE, CHAIN, ports(22, 80)))


@pytest.mark.parametrize("found", [{}, ruleset(), ruleset({"table": {"family": "inet", "name": "filter"}})])
def test_where_the_table_is_not_in_force_there_is_nothing(found: dict[str, Any]) -> None:
    assert listing(found) == ""


# --- Tables of others -----------------------------------------------------------------------------


def table(
    family: str, name: str, hook: str = "input", *, filled: bool = True, policy: str = "accept"
) -> list[dict[str, Any]]:
    chain = {"family": family, "table": name, "name": "c", "hook": hook, "type": "filter", "policy": policy}
    rule = {"family": family, "table": name, "chain": "c", "expr": [{"accept": None}]}
    return [{"table": {"family": family, "name": name}}, {"chain": chain}, *([{"rule": rule}] if filled else [])]


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        pytest.param(table("inet", "filter"), ["inet filter"], id="rules"),
        pytest.param(table("inet", "filter", filled=False, policy="drop"), ["inet filter"], id="a policy"),
        pytest.param(table("inet", "filter", filled=False), [], id="Debian's empty chains"),
        pytest.param(table("ip", "mine", "prerouting"), ["ip mine"], id="redirections"),
        pytest.param(table("inet", "mine", "postrouting"), [], id="only what goes out"),
        pytest.param(table("inet", "mstdn", "prerouting"), [], id="ours"),
        pytest.param(table("ip", "docker-bridges", "forward"), [], id="Docker's"),
        pytest.param(table("inet", "f2b-table"), [], id="fail2ban's"),
        pytest.param(table("ip", "wg-quick-wg0", "prerouting"), [], id="WireGuard's"),
        pytest.param(table("ip", "filter"), [], id="of iptables, which tells of it itself"),
        pytest.param(table("ip6", "filter"), ["ip6 filter"], id="like iptables, which is not there"),
    ],
)
def test_a_table_is_somebodys_firewall_if_it_decides_what_comes_in(
    objects: list[dict[str, Any]], found: list[str]
) -> None:
    assert list(tables_of_others(ruleset(*objects), elsewhere=(4,))) == found
