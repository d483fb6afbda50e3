"""The scripts on networks, with a stand-in for docker."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mstdn.fact import CouldNotLook
from mstdn.networks.facts import DockerNetworks, FirewallWays, Network
from tests.harness import answer_of, calls_in, run_script, stand_in

GLOBAL = "20010db8000000000000000000000007 02 40 00 80     eth0\n"
LINK_LOCAL = "fe800000000000000000000000000007 02 40 20 80     eth0\n"


def make(
    directory: Path, internal: str, ipv6: str, *, exists: bool = False, engine: str = "29.1.2", addresses: str = GLOBAL
) -> subprocess.CompletedProcess[str]:
    """The script, on a server with this version of the engine and these addresses."""
    (directory / "if_inet6").write_text(addresses)
    docker = f'case "$1 $2" in version*) echo {engine} ;; "network inspect") exit {0 if exists else 1} ;; esac'
    return run_script(
        "networks/make",
        "front",
        internal,
        ipv6,
        path=stand_in(directory, "docker", docker),
        instead={"/proc/net/if_inet6": directory / "if_inet6"},
    )


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


@pytest.mark.parametrize(
    ("engine", "addresses", "ipv6"),
    [
        ("27.0.1", GLOBAL, True),
        ("29.1.2", LINK_LOCAL + GLOBAL, True),
        ("26.1.5", GLOBAL, False),
        ("29.1.2", LINK_LOCAL, False),
        ("29.1.2", "", False),
    ],
    ids=["27", "29", "engine too old", "no global address", "no IPv6"],
)
def test_ipv6_is_taken_where_engine_and_server_have_it(tmp_path: Path, engine: str, addresses: str, ipv6: bool) -> None:
    make(tmp_path, "no", "auto", engine=engine, addresses=addresses)
    assert ("--ipv6" in calls_in(tmp_path)[-1].split()) is ipv6


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


def test_what_leads_to_docker_is_seen_also_where_an_older_engine_came_back_after_a_flush(tmp_path: Path) -> None:
    """Engine 26 does not lead to DOCKER-USER again then, and lives without it."""
    saved = "-A FORWARD -j DOCKER-ISOLATION-STAGE-1\n-A FORWARD -o br-4081928e710d -j DOCKER\n-A INPUT -j mine"
    stand_in(tmp_path, "iptables-save", f"echo '{saved}'")
    stand_in(tmp_path, "systemctl", "printf 'loaded\\nactive\\n'")
    stand_in(tmp_path, "nft", "exit 1")
    path = stand_in(tmp_path, "docker", "echo 'network mstdn_outbound br-4081928e710d 172.20.0.0/16'")
    rules = answer_of(FirewallWays.of(["mstdn_outbound"]), path=path).rules
    assert rules == ("-A FORWARD -j DOCKER-ISOLATION-STAGE-1", "-A FORWARD -o br-4081928e710d -j DOCKER")
