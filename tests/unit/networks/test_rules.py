"""Which of Docker's rules in the firewall are missed, in rule sets as engines write them."""

from __future__ import annotations

import dataclasses

import pytest

from mstdn.docker.facts import Container, Published
from mstdn.networks.facts import Bridge, FirewallWays, Rule, Ways
from mstdn.networks.rules import closed_ways
from tests.harness import read
from tests.unit.networks.rulesets import ENGINE_26, ENGINE_28, ENGINE_29, NFTABLES, Ruleset

NEW, OLD = (29, 1), (26, 1)
FRONT = Bridge("front", "br-84540da1dce8", ("172.18.0.0/16", "FD12:3456:0::/64"))
OUTBOUND = Bridge("mstdn_outbound", "br-cf24b5fb762f", ("172.20.0.0/16",))
PROXY = Container(
    *("1", "proxy-nginx-1", "i", "i", "running"),
    networks={"front": "n"},
    published=tuple(Published(address, port, "tcp") for address in ("0.0.0.0", "::") for port in (80, 443)),  # noqa: S104
)
KINDS = {"engine 26": ENGINE_26, "engine 28": ENGINE_28, "engine 29": ENGINE_29, "nftables": NFTABLES}
each_kind = pytest.mark.parametrize("rules", KINDS.values(), ids=KINDS.keys())

NO_WAY_OUT = "the network mstdn_outbound has no way out: Docker's rule for its addresses is gone"
NO_FILTER = "the network mstdn_outbound has no filter: Docker's rules for it are gone"
FRONT_HAS_NONE = "the network front has no way out: Docker's rule for its addresses is gone"
FRONT_HAS_NO_FILTER = "the network front has no filter: Docker's rules for it are gone"
ONE_ADDRESS = "visitors of port {} reach proxy-nginx-1 with one address: Docker's rule that leads them there is gone"


def ways(rules: Ruleset, *without: str, family: int = 0) -> Ways:
    """The rules, without those (of the family) that have one of these words."""
    kept = (
        rule
        for rule in rules.rules
        if (family and rule.family != family) or not any(word in f"{rule.place} {rule.text}" for word in without)
    )
    return Ways((FRONT, OUTBOUND), tuple(kept))


def missed(found: Ways, *containers: Container, engine: tuple[int, int] = NEW) -> list[str]:
    return list(closed_ways(found, containers or (PROXY,), engine))


@each_kind
def test_rules_that_are_there_are_enough(rules: Ruleset) -> None:
    assert missed(ways(rules), engine=OLD if rules is ENGINE_26 else NEW) == []


@each_kind
def test_a_translation_that_is_gone_is_missed(rules: Ruleset) -> None:
    assert missed(ways(rules, "172.20.0.0/16"), engine=OLD) == [NO_WAY_OUT]


@each_kind
def test_all_translation_rules_that_are_gone_are_missed(rules: Ruleset) -> None:
    """As after iptables -t nat -F."""
    assert missed(ways(rules, "nat"), engine=OLD) == [FRONT_HAS_NONE, NO_WAY_OUT, ONE_ADDRESS.format("80 and 443")]


@each_kind
def test_rules_for_ports_that_are_gone_are_missed_although_everything_else_is_there(rules: Ruleset) -> None:
    """As after iptables -t nat -F DOCKER, with which every visitor has the address of the bridge."""
    assert missed(ways(rules, "DNAT"), engine=OLD) == [ONE_ADDRESS.format("80 and 443")]
    assert missed(ways(rules, "dport 443 "), engine=OLD) == [ONE_ADDRESS.format("443")]


@each_kind
def test_rules_for_ports_to_which_nothing_leads_are_missed(rules: Ruleset) -> None:
    """As after iptables -t nat -F PREROUTING."""
    gone = ways(rules, "-A PREROUTING", "nat-PREROUTING")
    assert missed(gone, engine=OLD) == [ONE_ADDRESS.format("80 and 443")]


def test_ports_are_missed_only_where_docker_would_have_rules_for_them() -> None:
    without = ways(ENGINE_29, "DNAT")
    for other in (
        dataclasses.replace(PROXY, published=()),
        dataclasses.replace(PROXY, status="exited"),
        dataclasses.replace(PROXY, networks={}),
        # Docker may lead the port through the other network.
        dataclasses.replace(PROXY, networks={"front": "n", "shop": "m"}),
    ):
        assert missed(without, other) == []


@each_kind
def test_filter_rules_that_are_gone_are_missed(rules: Ruleset) -> None:
    """As after iptables -F: the rule for a port names the bridge too, but filters nothing."""
    assert missed(ways(rules, "filter"), engine=OLD) == [FRONT_HAS_NO_FILTER, NO_FILTER]


@each_kind
def test_a_rule_set_that_is_gone_as_a_whole_is_missed(rules: Ruleset) -> None:
    assert missed(ways(rules, ""), engine=OLD) == [
        *(FRONT_HAS_NONE, FRONT_HAS_NO_FILTER, NO_WAY_OUT, NO_FILTER),
        ONE_ADDRESS.format("80 and 443"),
    ]


@pytest.mark.parametrize("rules", [ENGINE_26, ENGINE_28, ENGINE_29], ids=["26", "28", "29"])
def test_chains_to_which_nothing_leads_any_more_do_not_count(rules: Ruleset) -> None:
    assert missed(ways(rules, "-A FORWARD"), engine=OLD) == [FRONT_HAS_NO_FILTER, NO_FILTER]


@pytest.mark.parametrize("rules", [ENGINE_29, NFTABLES], ids=["iptables", "nftables"])
def test_rules_for_ipv6_are_missed_where_the_network_has_it_and_the_engine_writes_them(rules: Ruleset) -> None:
    gone = ways(rules, "nat", family=6)
    assert missed(gone) == [
        "the network front has no way out for IPv6: Docker's rule for its addresses is gone",
        ONE_ADDRESS.format("80 and 443").replace("address", "address for IPv6"),
    ]
    # An engine before 27 has no rules for it, so a restart would bring none.
    assert missed(gone, engine=OLD) == []
    assert missed(dataclasses.replace(gone, unmanaged=frozenset({6}))) == []
    ipv4 = dataclasses.replace(FRONT, subnets=FRONT.subnets[:1])
    assert missed(dataclasses.replace(gone, networks=(ipv4, OUTBOUND))) == []


@each_kind
def test_a_bridge_with_a_name_of_its_own_is_found_by_it(rules: Ruleset) -> None:
    renamed = [dataclasses.replace(rule, text=rule.text.replace("br-84540da1dce8", "front0")) for rule in rules.rules]
    front = dataclasses.replace(FRONT, bridge="front0")
    assert missed(Ways((front, OUTBOUND), tuple(renamed)), engine=OLD) == []
    # The beginning of a name is another network.
    front = dataclasses.replace(FRONT, bridge="front")
    assert missed(Ways((front, OUTBOUND), tuple(renamed)), engine=OLD) == [FRONT_HAS_NONE, FRONT_HAS_NO_FILTER]


def test_a_kernel_that_forwards_nothing_is_named() -> None:
    (problem,) = missed(dataclasses.replace(ways(ENGINE_29), forwarding=False))
    assert "net.ipv4.ip_forward is 0" in problem


def test_where_docker_leaves_the_firewall_to_others_or_has_no_networks_nothing_is_missed() -> None:
    unmanaged = dataclasses.replace(ways(ENGINE_29, ""), unmanaged=frozenset({4}), forwarding=False)
    assert missed(unmanaged) == []
    assert missed(Ways(forwarding=False)) == []


def test_what_the_script_prints_is_read() -> None:
    output = """\
network front br-ad20a45ab5b6 172.18.0.0/16 fd00:1::/64
forwarding 0
unmanaged 6
rule 4 filter -A FORWARD -j DOCKER-USER
rule 6 nat-PREROUTING fib daddr type local counter jump nat-prerouting-and-output
"""
    assert read(FirewallWays, output) == Ways(
        (Bridge("front", "br-ad20a45ab5b6", ("172.18.0.0/16", "fd00:1::/64")),),
        (
            Rule(4, "filter", "-A FORWARD -j DOCKER-USER"),
            Rule(6, "nat-PREROUTING", "fib daddr type local counter jump nat-prerouting-and-output"),
        ),
        forwarding=False,
        unmanaged=frozenset({6}),
    )
    assert read(FirewallWays, "") == Ways()
