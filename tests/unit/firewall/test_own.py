"""Where the suite's firewall may be, and what it would close on a server that somebody uses already."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mstdn.docker.facts import Container, Published
from mstdn.finding import Finding
from mstdn.firewall.facts import PacketFilter, Rules, Setup, Socket
from mstdn.firewall.own import findings, firewall_of_others, is_here
from tests.harness import settings_with
from tests.unit.firewall.test_rules import DOCKER, captured, iptables, read

SSH = Setup(ssh_ports=(22,))
NO_RULES, OURS = Rules(), Rules(ours="[]")


def open_to_all(*sockets: tuple[str, int, str], address: str = "0.0.0.0") -> Setup:  # noqa: S104
    return Setup(ssh_ports=(22,), sockets=tuple(Socket(one, address, port, who) for one, port, who in sockets))


def container(name: str, *published: Published, status: str = "running") -> Container:
    return Container(id="1", name=name, image="i", reference="i", status=status, published=published)


def found(
    setup: Setup = SSH,
    *containers: Container,
    rules: Rules = NO_RULES,
    **settings: Any,
) -> list[Finding]:
    return list(findings(rules, setup, containers, ["198.51.100.7"], settings_with(**settings)))


def only(*arguments: Any, **options: Any) -> str:
    (finding,) = found(*arguments, **options)
    assert finding.level == "error"
    return finding.text


# --- A firewall that is there ---------------------------------------------------------------------

INPUT_DROPS = """
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
REJECTS_THE_REST = INPUT_DROPS.replace(":INPUT DROP", ":INPUT ACCEPT").replace(
    "COMMIT", "-A INPUT -j REJECT --reject-with icmp-port-unreachable\nCOMMIT"
)
FAIL2BAN = """
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:f2b-sshd - [0:0]
-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
-A f2b-sshd -s 203.0.113.7/32 -j REJECT --reject-with icmp-port-unreachable
-A f2b-sshd -j RETURN
COMMIT
"""
ONE_PORT = INPUT_DROPS.replace(":INPUT DROP", ":INPUT ACCEPT").replace(
    "COMMIT", "-A INPUT -p tcp -m tcp --dport 3306 -j DROP\nCOMMIT"
)
DOCKER_USER = DOCKER.replace(
    "-A DOCKER-USER -j RETURN",
    "-A DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 443 -j RETURN\n-A DOCKER-USER -i eth0 -j DROP",
)
REDIRECTED = """
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A PREROUTING -i eth0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.0.0.5:443
COMMIT
"""


@pytest.mark.parametrize(
    ("rules", "is_firewall"),
    [
        pytest.param(Rules(), "", id="nothing"),
        pytest.param(iptables(DOCKER), "", id="Docker"),
        pytest.param(iptables(FAIL2BAN), "", id="fail2ban"),
        pytest.param(iptables(ONE_PORT), "", id="one port that is closed"),
        pytest.param(iptables(INPUT_DROPS), "the chain INPUT of iptables", id="a policy"),
        pytest.param(iptables(REJECTS_THE_REST), "the chain INPUT of iptables", id="a last rule"),
        pytest.param(iptables(DOCKER_USER), "the chain FORWARD of iptables", id="DOCKER-USER"),
        pytest.param(
            iptables(REDIRECTED),
            "a rule that redirects ports (-A PREROUTING -i eth0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination "
            "10.0.0.5:443)",
            id="ports that lead elsewhere",
        ),
        pytest.param(captured("firewalld"), "firewalld", id="firewalld"),
        pytest.param(read("manager ufw", "manager nftables"), "nftables and ufw", id="two programs"),
    ],
)
def test_a_firewall_is_one_that_closes_what_nobody_named(rules: Rules, is_firewall: str) -> None:
    assert firewall_of_others(rules) == is_firewall


def test_the_suites_own_table_is_no_firewall_of_others() -> None:
    rules = PacketFilter().process(["outside eth0"])
    assert firewall_of_others(rules) == ""
    assert not is_here(rules, Setup())
    assert is_here(OURS, Setup()) and is_here(Rules(), Setup(rules="1")) and is_here(Rules(), Setup(unit="1"))


# --- What would be closed -------------------------------------------------------------------------


def test_what_answers_from_outside_is_named_before_it_is_closed_with_what_keeps_it_open() -> None:
    setup = open_to_all(("tcp", 9999, "python3"), ("udp", 51820, ""), ("tcp", 25, "master"))
    shop = container("shop", Published("0.0.0.0", 8080, "tcp"), Published("::", 8080, "tcp"))  # noqa: S104
    text = only(setup, shop, firewall_tcp_ports=[993])
    assert "TCP 8080 (the container shop), TCP 9999 (python3), UDP 51820 (the kernel), TCP 25 (master)" in text
    assert "firewall_tcp_ports = [993, 25, 8080, 9999], firewall_udp_ports = [51820]" in text
    assert "firewall_enabled = True" in text and "firewall_enabled = False" in text


@pytest.mark.parametrize(
    "setup",
    [
        pytest.param(open_to_all(("tcp", 9999, "x"), address="10.0.0.1"), id="an address of its own"),
        pytest.param(open_to_all(("tcp", 22, "other"), ("tcp", 80, "x"), ("tcp", 443, "x")), id="open anyway"),
        pytest.param(open_to_all(("tcp", 111, "rpcbind"), ("udp", 5353, "avahi-daemon")), id="of a distribution"),
        pytest.param(open_to_all(("udp", 41641, "tailscaled"), ("udp", 40000, "named")), id="they call themselves"),
        pytest.param(open_to_all(("tcp", 8080, "docker-proxy")), id="told by Docker"),
    ],
)
def test_what_nobody_outside_uses_is_not_named(setup: Setup) -> None:
    assert found(setup) == []


def test_a_container_that_publishes_to_the_server_only_or_does_not_run_is_not_named() -> None:
    assert found(SSH, container("shop", Published("127.0.0.1", 8080, "tcp"))) == []
    assert found(SSH, container("shop", Published("", 8080, "tcp"), status="exited")) == []
    assert "8080" in only(SSH, container("shop", Published("198.51.100.7", 8080, "tcp")))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"firewall_tcp_ports": [8025, "9990-9999"]}, id="opened"),
        pytest.param({"verify_open_ports": [8025, 9999]}, id="meant to answer"),
        pytest.param({"firewall_enabled": True}, id="closed on purpose"),
        pytest.param({"firewall_enabled": False}, id="no firewall"),
    ],
)
def test_a_decision_of_the_operator_is_enough(settings: dict[str, Any]) -> None:
    assert found(open_to_all(("tcp", 9999, "x"), ("tcp", 8025, "y")), **settings) == []


def test_where_somebody_else_decides_what_is_open_nothing_is_asked() -> None:
    assert found(open_to_all(("tcp", 9999, "x")), rules=iptables(INPUT_DROPS)) == []


def test_what_is_closed_already_is_told_until_it_is_said_to_be_meant_so() -> None:
    setup = open_to_all(("tcp", 9999, "x"))
    (finding,) = found(setup, rules=OURS)
    assert finding.level == "warning"
    assert "keeps closed what listens to the outside: TCP 9999 (x). firewall_tcp_ports = [9999] opens" in finding.text
    assert found(setup, rules=OURS, firewall_enabled=True) == []


def test_an_inside_interface_that_leads_to_the_internet_is_refused() -> None:
    rules = Rules(outside=("eth0",))
    for names, means in ((["eth0", "eth1"], "eth0"), (["eth1", "e*"], "e*, and so eth0")):
        text = only(SSH, rules=rules, firewall_inside_interfaces=names)
        assert f"firewall_inside_interfaces names {means}, by which" in text
    bridged = replace(SSH, uplinks=("br0",))
    assert "names br*, and so br0" in only(bridged, rules=rules, firewall_inside_interfaces=["br*"])
    assert found(SSH, rules=rules, firewall_inside_interfaces=["eth1"]) == []
