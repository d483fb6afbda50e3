"""Which of Docker's rules in the firewall are missed, in rule sets as engines write them."""

from __future__ import annotations

import dataclasses

import pytest

from mstdn.networks.facts import Bridge, FirewallWays, Ways
from mstdn.networks.rules import closed_ways
from tests.harness import read

OUTBOUND = Bridge("mstdn_outbound", "br-4081928e710d", ("172.20.0.0/16",))

# Engine 26 with iptables.
OLDER = """\
-A FORWARD -j DOCKER-USER
-A FORWARD -o br-4081928e710d -j DOCKER
-A FORWARD -i br-4081928e710d ! -o br-4081928e710d -j ACCEPT
-A POSTROUTING -s 172.20.0.0/16 ! -o br-4081928e710d -j MASQUERADE
"""
# Engine 28 and 29 with iptables: chains of its own, to which FORWARD leads.
IPTABLES = """\
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER-BRIDGE -o br-4081928e710d -j DOCKER
-A DOCKER-FORWARD -i br-4081928e710d -j ACCEPT
-A POSTROUTING -s 172.20.0.0/16 ! -o br-4081928e710d -j MASQUERADE
"""
# Engine 29 with nftables: a table of its own.
NFTABLES = """\
type nat hook postrouting priority srcnat; policy accept;
iifname "br-4081928e710d" counter packets 0 bytes 0 jump filter-forward-out__br-4081928e710d
oifname != "br-4081928e710d" ip saddr 172.20.0.0/16 counter packets 0 bytes 0 masquerade comment "MASQUERADE"
"""
KINDS = {"engine 26": OLDER, "iptables": IPTABLES, "nftables": NFTABLES}
each_kind = pytest.mark.parametrize("rules", KINDS.values(), ids=KINDS.keys())

NO_WAY_OUT = "the network mstdn_outbound has no way out: Docker's rule for its addresses is gone"
NO_FILTER = "the network mstdn_outbound has no filter: Docker's rules for it are gone"


def ways(rules: str, without: str = "") -> Ways:
    kept = tuple(line for line in rules.splitlines() if not (without and without in line))
    return Ways((OUTBOUND,), kept)


@each_kind
def test_rules_that_are_there_are_enough(rules: str) -> None:
    assert list(closed_ways(ways(rules))) == []


@each_kind
def test_a_translation_that_is_gone_is_missed(rules: str) -> None:
    assert list(closed_ways(ways(rules, "172.20.0.0/16"))) == [NO_WAY_OUT]


def test_filter_rules_that_are_gone_are_missed() -> None:
    masquerade = "\n".join(line for line in OLDER.splitlines() if "MASQUERADE" in line)
    assert list(closed_ways(ways(masquerade))) == [NO_FILTER]
    assert list(closed_ways(ways(""))) == [NO_WAY_OUT, NO_FILTER]


def test_chains_to_which_nothing_leads_any_more_do_not_count() -> None:
    assert list(closed_ways(ways(IPTABLES, "-A FORWARD"))) == [NO_FILTER]


def test_a_kernel_that_forwards_nothing_is_named() -> None:
    (problem,) = closed_ways(dataclasses.replace(ways(OLDER), forwarding=False))
    assert "net.ipv4.ip_forward is 0" in problem


def test_each_network_is_looked_at() -> None:
    other = Bridge("front", "br-ad20a45ab5b6", ("172.18.0.0/16",))
    found = list(closed_ways(dataclasses.replace(ways(OLDER), networks=(OUTBOUND, other))))
    assert [text.split()[2] for text in found] == ["front", "front"]


def test_where_docker_leaves_the_firewall_alone_or_has_no_networks_nothing_is_missed() -> None:
    assert list(closed_ways(dataclasses.replace(ways(""), unmanaged=True, forwarding=False))) == []
    assert list(closed_ways(Ways(forwarding=False))) == []


def test_what_the_script_prints_is_read() -> None:
    output = """\
network front br-ad20a45ab5b6 172.18.0.0/16 fd00:1::/64
forwarding 0
unmanaged
rule -A FORWARD -j DOCKER-USER
"""
    assert read(FirewallWays, output) == Ways(
        (Bridge("front", "br-ad20a45ab5b6", ("172.18.0.0/16",)),), ("-A FORWARD -j DOCKER-USER",), False, True
    )
    assert read(FirewallWays, "") == Ways()
