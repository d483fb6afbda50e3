"""The scripts on networks, with a stand-in for docker."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mstdn.fact import CouldNotLook
from mstdn.networks.facts import DockerNetworks, Network, Rule
from tests.harness import answer_of, calls_in, run_script, stand_in
from tests.unit.networks.rulesets import DIRECTORY, ENGINE_29, NETWORKS, NFTABLES, Ruleset


def make(directory: Path, internal: str, ipv6: str, *, exists: bool = False) -> subprocess.CompletedProcess[str]:
    docker = f'case "$1 $2" in "network inspect") exit {0 if exists else 1} ;; esac'
    return run_script("networks/make", "front", internal, ipv6, path=stand_in(directory, "docker", docker))


@pytest.mark.parametrize(
    ("internal", "ipv6", "options"),
    [("no", "no", ""), ("yes", "no", " --internal"), ("no", "yes", " --ipv6"), ("yes", "yes", " --internal --ipv6")],
)
def test_a_network_is_made_with_its_options(tmp_path: Path, internal: str, ipv6: str, options: str) -> None:
    answer = make(tmp_path, internal, ipv6)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert calls_in(tmp_path) == [
        "docker network inspect front",
        f"docker network create --driver bridge{options} front",
    ]


def test_a_network_with_other_options_is_replaced(tmp_path: Path) -> None:
    make(tmp_path, "no", "no", exists=True)
    assert calls_in(tmp_path)[1:] == ["docker network rm front", "docker network create --driver bridge front"]


def networks_of(directory: Path, docker: str) -> dict[str, Network]:
    stand_in(directory, "systemctl", "printf 'loaded\\nactive\\n'")
    return answer_of(DockerNetworks.named(["front", "absent"]), path=stand_in(directory, "docker", docker))


def test_networks_that_exist_are_read_beside_one_that_does_not(tmp_path: Path) -> None:
    front = 'network {"name":"front","id":"f1","driver":"bridge","internal":false,"ipv6":true}'
    docker = f"echo '{front}'; echo 'Error response from daemon: network absent not found' >&2; exit 1"
    assert networks_of(tmp_path, docker) == {"front": Network("f1", "bridge", internal=False, ipv6=True)}


@pytest.mark.parametrize("words", ["network front not found", "Error: no such network: front"])
def test_an_engine_without_them_has_none(tmp_path: Path, words: str) -> None:
    assert networks_of(tmp_path, f"echo '{words}' >&2; exit 1") == {}


def test_an_engine_that_does_not_answer_is_not_one_without_networks(tmp_path: Path) -> None:
    with pytest.raises(CouldNotLook, match=r"^Docker does not answer$"):
        networks_of(tmp_path, "echo 'Cannot connect to the Docker daemon' >&2; exit 1")


# --- Ways ---------------------------------------------------------------------------------------


def test_rules_of_iptables_come_with_their_tables_and_both_families(tmp_path: Path) -> None:
    found = ENGINE_29.ways(tmp_path)
    assert [network.bridge for network in found.networks] == ["br-84540da1dce8", "br-cf24b5fb762f"]
    for rule in (
        Rule(4, "filter", "-A FORWARD -j DOCKER-FORWARD"),
        Rule(4, "nat", "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"),
        Rule(4, "raw", "-A PREROUTING -d 172.18.0.3/32 ! -i br-84540da1dce8 -j DROP"),
        Rule(6, "nat", "-A POSTROUTING -s fd12:3456::/64 ! -o br-84540da1dce8 -j MASQUERADE"),
    ):
        assert rule in found.rules


def test_rules_of_nftables_come_with_their_chains_and_maps(tmp_path: Path) -> None:
    rules = {(rule.family, rule.place): rule.text for rule in NFTABLES.ways(tmp_path).rules}
    assert rules[4, "filter-FORWARD"] == "iifname vmap @filter-forward-out-jumps"
    assert rules[6, "nat-PREROUTING"].endswith("jump nat-prerouting-and-output")
    assert rules[4, "nat-prerouting-and-output"].endswith('dnat to 172.18.0.3:80 comment "DNAT"')
    assert rules[4, "filter-forward-in-jumps"].startswith('"br-cf24b5fb762f" : jump')


def test_ipv6_is_not_asked_for_where_no_network_has_it_and_nothing_where_there_is_no_network(tmp_path: Path) -> None:
    assert {rule.family for rule in ENGINE_29.ways(tmp_path, (NETWORKS[1],)).rules} == {4}
    assert "ip6tables-save" not in calls_in(tmp_path)
    (tmp_path / "calls").unlink()
    assert ENGINE_29.ways(tmp_path, ()).rules == ()
    assert not [call for call in calls_in(tmp_path) if "tables" in call or call.startswith("nft")]


def test_rules_of_others_stay_where_they_are(tmp_path: Path) -> None:
    rules = (DIRECTORY / "engine-26.iptables").read_text()
    theirs = (
        "-A FORWARD -i shop0 -j ACCEPT\n-A FORWARD -i br-84540da1dce87 -j DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT\n"
    )
    (tmp_path / "rules.iptables").write_text(rules.replace("-A FORWARD", theirs + "-A FORWARD", 1))
    texts = [rule.text for rule in Ruleset(f"{tmp_path}/rules").ways(tmp_path).rules]
    assert not [text for text in texts if "shop0" in text or "--dport 22" in text]
    assert "-A FORWARD -j DOCKER-USER" in texts


@pytest.mark.parametrize(
    ("text", "unmanaged"),
    [
        ('{"iptables" : false}', {4}),
        ('{"ip6tables": false, "iptables": true}', {6}),
        ('{"iptables": false, "ip6tables": false}', {4, 6}),
        ("{}", set()),
    ],
)
def test_families_that_docker_leaves_to_others_are_named(tmp_path: Path, text: str, unmanaged: set[int]) -> None:
    (tmp_path / "daemon.json").write_text(text)
    assert ENGINE_29.ways(tmp_path).unmanaged == unmanaged
