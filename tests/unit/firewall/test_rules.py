"""
Firewalls as they are found, and what they would keep from Mastodon.

rulesets/*.txt are what mstdn/firewall/state.sh printed on servers with ufw and firewalld (nft's part unpacked); the
others are texts of distributions and guides.
"""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstdn.finding import Finding
from mstdn.firewall.facts import PacketFilter, Rules
from mstdn.firewall.iptables import base_chains
from mstdn.firewall.packets import Packet, fate
from mstdn.firewall.rules import Situation, findings

RULESETS = Path(__file__).with_name("rulesets")
BY_PROCESS = Situation(ipv6_by_process=True)


def read(*lines: str) -> Rules:
    """What the fact makes of these lines, in which nft's JSON stands as it is."""
    packed = [
        "nft " + base64.b64encode(gzip.compress(line[4:].encode())).decode() if line.startswith("nft ") else line
        for line in lines
    ]
    return PacketFilter().process(["outside eth0", *packed])


def captured(name: str) -> Rules:
    return read(*(RULESETS / f"{name}.txt").read_text().splitlines())


def iptables(text: str, *lines: str) -> Rules:
    """Rules for IPv4 as iptables-save prints them."""
    return read(*(f"iptables {line}" for line in text.strip().splitlines()), *lines)


def nft(*objects: dict[str, Any], lines: tuple[str, ...] = ()) -> Rules:
    return read("nft " + json.dumps({"nftables": [{"metainfo": {}}, *objects]}), *lines)


def chain(name: str, hook: str, policy: str = "accept", family: str = "inet") -> dict[str, Any]:
    return {
        "chain": {
            "family": family,
            "table": "filter",
            "name": name,
            "type": "filter",
            "hook": hook,
            "prio": 0,
            "policy": policy,
        }
    }


def rule(name: str, *expressions: dict[str, Any], family: str = "inet") -> dict[str, Any]:
    return {"rule": {"family": family, "table": "filter", "chain": name, "expr": list(expressions)}}


def match(left: dict[str, Any], right: object, operator: str = "==") -> dict[str, Any]:
    return {"match": {"op": operator, "left": left, "right": right}}


ACCEPT: dict[str, Any] = {"accept": None}
DROP: dict[str, Any] = {"drop": None}
STATE = {"ct": {"key": "state"}}
PORT = {"payload": {"protocol": "tcp", "field": "dport"}}
SOURCE = {"payload": {"protocol": "ip", "field": "saddr"}}
ARRIVES = {"meta": {"key": "iifname"}}
ESTABLISHED = rule("forward", match(STATE, ["established", "related"], "in"), ACCEPT)
REDIRECTED = rule("forward", match({"ct": {"key": "status"}}, "dnat", "in"), ACCEPT)
FROM_BRIDGES = rule("forward", match(ARRIVES, "br-*"), ACCEPT)


def told(rules: Rules, situation: Situation = Situation()) -> list[tuple[str, str]]:  # noqa: B008 (frozen)
    """Level and beginning of each finding."""
    return [(each.level, each.text.split(":")[0]) for each in findings(rules, situation)]


def only(rules: Rules, situation: Situation = Situation()) -> Finding:  # noqa: B008
    (found,) = findings(rules, situation)
    return found


VISITORS = "The firewall keeps visitors and the certificate authority from port 80 (and what else may come)"
WAY_OUT = "The firewall keeps containers from the Internet, and Mastodon has to reach other servers"
ITSELF = "The firewall closes port 80 of this server itself"
IPV6 = "The firewall keeps visitors with IPv6 from port 80"

# --- nothing in the way -------------------------------------------------------------------------

DOCKER = """
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
"""


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(Rules(), id="no rules at all"),
        pytest.param(iptables(DOCKER), id="Docker alone"),
        pytest.param(
            nft(chain("input", "input"), chain("forward", "forward"), chain("output", "output")), id="Debian's"
        ),
        pytest.param(
            nft(chain("forward", "forward", "drop"), ESTABLISHED, REDIRECTED, FROM_BRIDGES), id="with the named rules"
        ),
        pytest.param(
            nft(chain("forward", "forward", "drop"), rule("forward", match(ARRIVES, "@inside"), ACCEPT)), id="a set"
        ),
        pytest.param(
            nft({"table": {"family": "bridge", "name": "filter"}}, chain("f", "forward", "drop", "bridge")),
            id="bridges",
        ),
    ],
)
def test_what_is_not_certainly_in_the_way_is_not_told(rules: Rules) -> None:
    assert told(rules, BY_PROCESS) == []


# --- ufw and firewalld --------------------------------------------------------------------------


def test_ufw_closes_the_server_itself_but_not_what_docker_leads_on() -> None:
    found = only(captured("ufw"))
    assert found.level == "warning" and found.text.startswith(ITSELF)
    assert found.text.endswith("ufw allow 80,443/tcp")


def test_ufw_shuts_out_ipv6_where_a_process_takes_it_in() -> None:
    found = only(captured("ufw"), BY_PROCESS)
    assert found.level == "error" and found.text.startswith(IPV6)
    assert found.text.endswith("ufw allow 80,443/tcp")


def test_firewalld_leads_on_what_docker_redirects_and_closes_the_rest() -> None:
    found = only(captured("firewalld"))
    assert found.level == "warning" and found.text.startswith(ITSELF)
    assert "firewall-cmd --permanent --add-service=http --add-service=https" in found.text


def test_firewalld_with_strict_forward_ports_keeps_visitors_out() -> None:
    text = (RULESETS / "firewalld.txt").read_text()
    dnat = (
        '{"rule":{"family":"inet","table":"firewalld","chain":"filter_FORWARD","expr":[{"match":{"op":"in","left":'
        '{"ct":{"key":"status"}},"right":"dnat"}},{"accept":null}]}},'
    )
    assert dnat in text
    found, *_ = findings(read(*text.replace(dnat, "").splitlines()), Situation())
    assert found.text.startswith(VISITORS)
    assert "StrictForwardPorts=no" in found.text


# --- nftables -----------------------------------------------------------------------------------


def test_a_chain_that_forwards_nothing_new_stops_both_directions_with_the_rules_to_add() -> None:
    visitors, way_out = findings(nft(chain("forward", "forward", "drop"), ESTABLISHED), Situation())
    assert visitors.text.startswith(VISITORS) and "inet filter forward ends with policy drop" in visitors.text
    assert "nft insert rule inet filter forward ct status dnat accept" in visitors.text
    assert way_out.text.startswith(WAY_OUT)
    assert 'nft insert rule inet filter forward iifname "br-*" accept' in way_out.text


def let_out(*ports: tuple[str, int]) -> list[dict[str, Any]]:
    """Rules that let containers reach these ports, on any address."""
    return [
        rule("forward", match({"payload": {"protocol": protocol, "field": "dport"}}, port), ACCEPT)
        for protocol, port in ports
    ]


MAIL = "The firewall keeps containers from the mail server (TCP port {}) unless it is on this server"
DNS = "The firewall keeps containers from the DNS (UDP port 53) unless it is on this server"


@pytest.mark.parametrize(
    ("ports", "smtp_port", "missing"),
    [
        ([("tcp", 443)], 587, [MAIL.format(587), DNS]),
        ([("tcp", 443), ("udp", 53), ("tcp", 587)], 465, [MAIL.format(465)]),
        ([("tcp", 443), ("tcp", 587)], 587, [DNS]),
        ([("tcp", 443), ("tcp", 25), ("udp", 53)], 25, []),
    ],
)
def test_a_chain_that_lets_containers_out_to_some_ports_only_is_asked_for_mail_and_dns_too(
    ports: list[tuple[str, int]], smtp_port: int, missing: list[str]
) -> None:
    rules = nft(chain("forward", "forward", "drop"), ESTABLISHED, REDIRECTED, *let_out(*ports))
    assert told(rules, Situation(smtp_port=smtp_port)) == [("warning", text) for text in missing]


def test_where_the_mail_server_and_the_dns_are_is_not_known() -> None:
    destination = {"payload": {"protocol": "ip", "field": "daddr"}}
    inside = rule("forward", match(destination, {"prefix": {"addr": "10.0.0.0", "len": 8}}), ACCEPT)
    rules = nft(chain("forward", "forward", "drop"), ESTABLISHED, REDIRECTED, inside, *let_out(("tcp", 443)))
    assert told(rules) == []


def test_a_server_that_may_not_ask_the_dns() -> None:
    https = rule("output", match(PORT, 443), ACCEPT)
    finding = only(nft(chain("output", "output", "drop"), https))
    assert (finding.level, finding.text.split(" unless")[0]) == (
        "warning",
        "The firewall keeps this server itself from the DNS (UDP port 53)",
    )
    assert "nft insert rule inet filter output udp dport 53 accept" in finding.text


def test_answers_that_are_not_let_back_count_as_well() -> None:
    rules = nft(chain("forward", "forward", "drop"), REDIRECTED, FROM_BRIDGES)
    assert told(rules) == [("error", WAY_OUT)]


def test_a_way_in_for_ssh_only() -> None:
    rules = nft(
        chain("input", "input", "drop"),
        rule("input", match(STATE, ["established", "related"], "in"), ACCEPT),
        rule("input", match({"meta": {"key": "iif"}}, "lo"), ACCEPT),
        rule("input", match(PORT, 22), ACCEPT),
        rule("input", match({"meta": {"key": "l4proto"}}, "ipv6-icmp"), ACCEPT),
    )
    assert told(rules) == [("warning", ITSELF)]
    found = only(rules, BY_PROCESS)
    assert found.text.startswith(IPV6)
    assert "nft insert rule inet filter input tcp dport '{ 80, 443 }' accept" in found.text


@pytest.mark.parametrize(
    ("opens", "closed"),
    [
        (rule("input", match(PORT, {"set": [22, 80, 443]}), ACCEPT), False),
        (rule("input", match(PORT, {"set": [22, {"range": [80, 443]}]}), ACCEPT), False),
        (rule("input", match(PORT, {"set": [22, 80]}), ACCEPT), True),
        (rule("input", match(PORT, "@open"), ACCEPT), False),
        (rule("input", match(PORT, 22, "!="), ACCEPT), False),
        (rule("input", match(SOURCE, {"prefix": {"addr": "10.0.0.0", "len": 8}}), match(PORT, 80), ACCEPT), True),
        (rule("input", {"limit": {"rate": 15}}, match(PORT, {"range": [1, 1024]}), ACCEPT), False),
        (rule("input", {"vmap": {"key": PORT, "data": {"set": [[22, ACCEPT], [80, ACCEPT], [443, ACCEPT]]}}}), False),
        (rule("input", {"vmap": {"key": PORT, "data": {"set": [[22, ACCEPT], [80, DROP]]}}}), True),
        (rule("input", {"vmap": {"key": PORT, "data": "@ports"}}), False),
        (rule("input", {"jump": {"target": "web"}}), False),
        (rule("input", {"goto": {"target": "nothing"}}), True),
        (rule("input", {"xt": {"type": "target", "name": "ACCEPT"}}), False),
        # nft before 1.0.6, which is that of Ubuntu 22.04.
        (rule("input", match(PORT, {"set": [80, 443]}), {"xt": None}, ACCEPT), False),
        (rule("input", {"xt": None}), False),
        # Forms of which nobody here knows: they may mean anything.
        (rule("input", {"jump": None}), False),
        (rule("input", match({"meta": "iifname"}, "eth0"), ACCEPT), False),
        (rule("input", match(PORT, {"range": ["http", "https"]}), ACCEPT), False),
        (rule("input", {"counter": {}}, {"log": {}}), True),
    ],
)
def test_a_rule_that_opens_the_ports_opens_them_and_no_other_does(opens: dict[str, Any], *, closed: bool) -> None:
    rules = nft(
        chain("input", "input", "drop"),
        opens,
        rule("web", match(PORT, {"set": [80, 443]}), ACCEPT),
        {"chain": {"family": "inet", "table": "filter", "name": "nothing"}},
    )
    assert bool(told(rules)) is closed


def test_a_drop_of_some_visitors_is_not_one_of_all() -> None:
    rules = nft(
        chain("input", "input"),
        rule("input", match(SOURCE, "@blocked"), DROP),
        rule("input", match(SOURCE, {"prefix": {"addr": "192.0.2.0", "len": 24}}), DROP),
        rule("input", match(STATE, "invalid", "in"), DROP),
    )
    assert told(rules) == []


@pytest.mark.parametrize(
    "strange",
    ["-A INPUT -j", "-A INPUT -p tcp -m tcp --dport www -j ACCEPT", "-A INPUT -m comment --comment \"it's -j ACCEPT"],
)
def test_a_rule_of_iptables_in_a_form_that_is_not_known_may_mean_anything(strange: str) -> None:
    text = f"*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{strange}\nCOMMIT\n"
    assert told(iptables(text)) == []
    assert told(iptables(text.replace(strange, "-A INPUT -i lo -j ACCEPT"))) == [("warning", ITSELF)]


# --- Before it is known where a packet goes -----------------------------------------------------

EARLY = (
    "The firewall keeps visitors and the certificate authority from port 80 (and what else may come) before it is known"
)
NOTHING_ELSE = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"


def early(table: str, *rules: str, policy: str = "ACCEPT") -> Rules:
    lines = "".join(f"-A PREROUTING {each}\n" for each in rules)
    return iptables(f"*{table}\n:PREROUTING {policy} [0:0]\n{lines}COMMIT\n{NOTHING_ELSE}", "outside eth0")


def arriving(*rules: dict[str, Any], priority: int = -150, **changes: str) -> Rules:
    own = chain("pre", "prerouting", "drop")
    own["chain"] |= {"prio": priority, **changes}
    return nft(own, *rules, lines=("outside eth0",))


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(early("raw", "-p tcp -m tcp --dport 80 -j DROP"), id="raw"),
        pytest.param(early("mangle", "-p tcp -m tcp --dport 22 -j ACCEPT", policy="DROP"), id="mangle"),
        pytest.param(arriving(rule("pre", match(PORT, 22), ACCEPT)), id="a chain of nftables"),
        pytest.param(arriving(rule("pre", match(PORT, 22), ACCEPT), priority=-300), id="an early one"),
        pytest.param(arriving(hook="ingress", family="netdev", dev="eth0"), id="of one interface"),
    ],
)
def test_visitors_who_are_kept_before_it_is_known_where_they_go_are_told_of(rules: Rules) -> None:
    found = list(findings(rules, Situation()))
    assert found[0].level == "error" and found[0].text.startswith(EARLY)
    assert "PREROUTING -p tcp -m multiport --dports 80,443 -j ACCEPT" in found[0].text or (
        "pre tcp dport '{ 80, 443 }' accept" in found[0].text
    )


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(
            early(
                "raw",
                "-i eth0 -d 172.16.0.0/12 -j DROP",
                "-i eth0 -s 10.0.0.0/8 -j DROP",
                "-m rpfilter --invert -j DROP",
            ),
            id="addresses that nobody outside has",
        ),
        pytest.param(
            early("mangle", "-m conntrack --ctstate INVALID -j DROP", "-m socket -j DROP", "-f -j DROP"),
            id="what is odd",
        ),
        pytest.param(early("raw", "-m conntrack --ctstate NEW -j DROP"), id="a state that is not known so early"),
        pytest.param(early("raw", "-m addrtype --dst-type LOCAL -j DROP"), id="a place that is not known so early"),
        pytest.param(early("nat", "-p tcp -m tcp --dport 80 -j DROP"), id="a table in which nothing is dropped"),
        pytest.param(arriving(table="mstdn"), id="the suite's own"),
        pytest.param(arriving(priority=0), id="behind the redirection, where it may be for anybody"),
        pytest.param(arriving(hook="ingress", family="netdev", dev="eth9"), id="of another interface"),
        pytest.param(
            arriving(
                rule("pre", match(STATE, ["established", "related"], "in"), ACCEPT),
                rule("pre", match(ARRIVES, "br-*"), ACCEPT),
                rule("pre", match(PORT, {"set": [22, 80, 443]}), ACCEPT),
            ),
            id="one that lets them pass",
        ),
    ],
)
def test_visitors_who_may_pass_there_are_not(rules: Rules) -> None:
    assert told(rules) == []


def test_containers_who_are_kept_there_from_the_internet_are_told_of() -> None:
    # Their answers to visitors come from there too.
    visitors, way_out = findings(early("raw", "-s 172.16.0.0/12 -j DROP"), Situation())
    assert visitors.text.startswith(EARLY) and way_out.text.startswith(WAY_OUT)
    assert "iptables -t raw -I PREROUTING -i br-+ -j ACCEPT" in way_out.text


def test_what_is_closed_for_ipv6_by_which_nobody_comes_is_not_told() -> None:
    text = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    rules = read(*(f"ip6tables {line}" for line in text.splitlines()))
    assert told(rules, Situation(ipv6=False)) == []
    assert told(rules, Situation(ipv6=True)) == [("warning", ITSELF)]


def test_a_file_that_flushes_everybodys_rules_is_named() -> None:
    found = only(read("manager nftables", "flushes /etc/nftables.conf"))
    assert found.level == "warning"
    assert "/etc/nftables.conf begins with flush ruleset" in found.text and "systemctl restart docker" in found.text


def test_the_table_of_iptables_is_read_from_iptables_and_not_twice() -> None:
    blind = "nft " + json.dumps(
        {
            "nftables": [
                chain("FORWARD", "forward", "drop", family="ip"),
                rule("FORWARD", {"xt": {"type": "match", "name": "conntrack"}}, {"drop": None}, family="ip"),
            ]
        }
    )
    assert told(iptables(DOCKER, blind)) == []


# --- iptables -----------------------------------------------------------------------------------

ORACLE = """
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [463:49013]
:InstanceServices - [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p udp --sport 123 -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
-A OUTPUT -d 169.254.0.0/16 -j InstanceServices
-A InstanceServices -d 169.254.0.2/32 -p tcp -m owner --uid-owner 0 -m tcp --dport 3260 -j ACCEPT
-A InstanceServices -d 169.254.0.0/16 -p udp -j REJECT --reject-with icmp-port-unreachable
COMMIT
"""


def test_the_image_of_oracle_cloud_rejects_in_input_and_docker_comes_before_its_forward() -> None:
    found = only(iptables(ORACLE, "manager netfilter-persistent"))
    assert found.level == "warning" and found.text.startswith(ITSELF)
    assert "INPUT has -A INPUT -j REJECT" in found.text
    assert found.text.endswith(
        "iptables -I INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT && netfilter-persistent save"
    )


def before_docker(line: str, text: str = DOCKER) -> str:
    return text.replace("-A FORWARD -j DOCKER-USER", f"{line}\n-A FORWARD -j DOCKER-USER")


def in_docker_user(*lines: str) -> str:
    return DOCKER.replace("-A DOCKER-USER -j RETURN", "\n".join([*lines, "-A DOCKER-USER -j RETURN"]))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (before_docker("-A FORWARD -j REJECT --reject-with icmp-host-prohibited"), [VISITORS, WAY_OUT]),
        (before_docker("-A FORWARD -p tcp -m multiport --dports 80,443 -j DROP"), [VISITORS, WAY_OUT]),
        (before_docker("-A FORWARD -p tcp -m tcp --dport 25 -j DROP"), []),
        (before_docker("-A FORWARD -m conntrack --ctstate INVALID -j DROP"), []),
        (in_docker_user("-A DOCKER-USER -i eth0 -m conntrack --ctstate NEW -j DROP"), [VISITORS]),
        (in_docker_user("-A DOCKER-USER -i eth0 -j DROP"), [VISITORS, WAY_OUT]),
        (in_docker_user("-A DOCKER-USER -i eth0 ! -s 192.0.2.0/24 -j DROP"), [VISITORS, WAY_OUT]),
        (in_docker_user("-A DOCKER-USER -i eth0 -m set --match-set blocked src -j DROP"), []),
        (in_docker_user("-A DOCKER-USER -i eth0 -m set ! --match-set allowed src -j DROP"), []),
        (in_docker_user("-A DOCKER-USER -o eth0 -j REJECT --reject-with icmp-admin-prohibited"), [VISITORS, WAY_OUT]),
        (in_docker_user("-A DOCKER-USER -i eth1 -j DROP"), []),
        (
            in_docker_user(
                "-A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
                "-A DOCKER-USER -i eth0 -p tcp -m multiport --dports 80,443 -j RETURN",
                "-A DOCKER-USER -i eth0 -j DROP",
            ),
            [],
        ),
        (
            in_docker_user(
                "-A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
                '-A DOCKER-USER -i eth0 -p tcp -m tcp --dport 443 -m comment --comment "only this" -j RETURN',
                "-A DOCKER-USER -i eth0 -j DROP",
            ),
            [VISITORS],
        ),
    ],
)
def test_chains_of_ones_own_beside_docker(text: str, kept: list[str]) -> None:
    assert told(iptables(text)) == [("error", each) for each in kept]


def test_ufw_docker_leads_on_only_what_it_is_told_to() -> None:
    text = in_docker_user(
        "-A DOCKER-USER -j ufw-user-forward",
        "-A DOCKER-USER -s 10.0.0.0/8 -j RETURN",
        "-A DOCKER-USER -s 172.16.0.0/12 -j RETURN",
        "-A DOCKER-USER -s 192.168.0.0/16 -j RETURN",
        "-A DOCKER-USER -p udp -m udp --sport 53 --dport 1024:65535 -j RETURN",
        "-A DOCKER-USER -d 172.16.0.0/12 -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ufw-docker-logging-deny",
        "-A ufw-docker-logging-deny -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix UFW",
        "-A ufw-docker-logging-deny -j DROP",
    ).replace(
        ":DOCKER-USER - [0:0]", ":DOCKER-USER - [0:0]\n:ufw-user-forward - [0:0]\n:ufw-docker-logging-deny - [0:0]"
    )
    found = only(iptables(text, "manager ufw"))
    assert found.text.startswith(VISITORS)
    assert "ufw route allow proto tcp from any to any port 80" in found.text
    route = "-A ufw-user-forward -p tcp -m tcp --dport {} -j ACCEPT"
    opened = text.replace("COMMIT", "\n".join([route.format(80), route.format(443), "COMMIT"]))
    assert told(iptables(opened, "manager ufw")) == []


def test_a_server_that_may_not_reach_the_internet_itself() -> None:
    text = DOCKER.replace(
        ":OUTPUT ACCEPT [0:0]", ":OUTPUT DROP [0:0]\n-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT"
    )
    found = only(iptables(text))
    assert found.text.startswith("The firewall keeps this server itself from the Internet")
    assert "iptables -I OUTPUT -p tcp -m multiport --dports 80,443 -j ACCEPT" in found.text
    assert told(iptables(text.replace("COMMIT", "-A OUTPUT -m owner --uid-owner 0 -j ACCEPT\nCOMMIT"))) == []


def test_rules_of_the_older_kind_count_beside_the_newer() -> None:
    legacy = "*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n-A DOCKER-USER -i eth0 -j DROP\nCOMMIT"
    assert told(iptables(DOCKER + legacy)) == [("error", VISITORS), ("error", WAY_OUT)]


SHAPES = st.sampled_from(
    [
        *(
            "-p tcp",
            "! -p udp",
            "-i eth0",
            "! -i lo",
            "-o br-+",
            "-s 10.0.0.0/8",
            "! -s 10.0.0.0/8",
            "-m mark --mark 0x1",
        ),
        *("-m conntrack --ctstate NEW", "-m tcp --dport 80", "-m multiport --dports 22,80:443", "-m recent --rcheck"),
    ]
)


@given(st.lists(st.tuples(st.lists(SHAPES, max_size=3), st.sampled_from(["ACCEPT", "DROP", "RETURN", "LOG", "own"]))))
def test_a_packet_is_called_dropped_only_if_no_rule_before_may_have_let_it_pass(
    rules: list[tuple[list[str], str]],
) -> None:
    lines = ["*filter", ":FORWARD DROP [0:0]", ":own - [0:0]", "-A own -m mark --mark 0x2 -j ACCEPT"]
    lines += [f"-A FORWARD {' '.join(shapes)} -j {target}" for shapes, target in rules]
    (forward,) = base_chains([*lines, "COMMIT"], 4)
    packet = Packet("forward", 4, "eth0", "br-0123456789ab", "151.101.3.10", "172.18.0.5", "tcp", 80, redirected=True)
    found = fate(forward, packet)
    mark = [at for at, (shapes, target) in enumerate(rules) if "mark" in " ".join(shapes) and target == "ACCEPT"]
    others = {"! -p udp", "! -i lo", "! -s 10.0.0.0/8", "-p tcp", "-i eth0", "-o br-+", "-m mark --mark 0x1"}
    others |= {"-m conntrack --ctstate NEW", "-m tcp --dport 80", "-m multiport --dports 22,80:443"}
    first = [at for at in mark if set(rules[at][0]) <= others]
    if found and first:
        certain = [at for at, (shapes, target) in enumerate(rules) if target in ("DROP", "RETURN") and at < first[0]]
        assert certain, "a rule that may let the packet pass came before"
