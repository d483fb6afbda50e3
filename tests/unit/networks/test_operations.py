"""What the operation on networks decides."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.networks.operations import WantedNetwork, docker_networks
from tests.harness import Command, commands_of, container_line, refusal_of


NETWORKS = [WantedNetwork("front", ipv6=None), WantedNetwork("back-mstdn", internal=True)]


def network(name: str, driver: str = "bridge", internal: str = "false", ipv6: str = "false", attached: str = "") -> str:
    return f'{{"name":"{name}","driver":"{driver}","internal":{internal},"ipv6":{ipv6},"attached":"{attached}"}}\n'


def network_commands(*existing: str, wanted: list[WantedNetwork] = NETWORKS) -> list[Command]:
    return commands_of(docker_networks, {"networks/state": "".join(existing)}, networks=wanted)


def test_a_bare_server_gets_both_networks() -> None:
    assert network_commands() == [
        Command("networks/make", ("front", "no", "auto")),
        Command("networks/make", ("back-mstdn", "yes", "no")),
    ]


@pytest.mark.parametrize("ipv6", ["true", "false"])
def test_auto_accepts_what_the_engine_gave_the_network(ipv6: str) -> None:
    assert network_commands(network("front", ipv6=ipv6), network("back-mstdn", internal="true")) == []


BACK = {"name": "back-mstdn", "internal": "true"}


@pytest.mark.parametrize(
    ("drift", "said"),
    [
        pytest.param({"internal": "false"}, "not internal", id="not internal"),
        pytest.param({"driver": "macvlan"}, "driver macvlan", id="driver"),
        pytest.param({"ipv6": "true"}, "IPv6 is on", id="IPv6"),
    ],
)
def test_drift_of_a_network_is_repaired_only_when_nothing_is_attached(drift: dict[str, str], said: str) -> None:
    front = network("front")
    assert network_commands(front, network(**BACK | drift)) == [Command("networks/make", ("back-mstdn", "yes", "no"))]
    attached = front + network(**BACK | drift, attached="mstdn-db-1 mstdn-web-1")
    refusal = refusal_of(docker_networks, {"networks/state": attached}, networks=NETWORKS)
    assert said in refusal
    assert "mstdn-db-1, mstdn-web-1" in refusal


def test_a_network_as_wanted_may_be_in_use() -> None:
    assert network_commands(network("front", attached="x"), network(**BACK, attached="y")) == []


@pytest.mark.parametrize(("wanted", "found", "option"), [(True, "false", "yes"), (False, "true", "no")])
def test_a_forced_ipv6_setting_is_enforced(wanted: bool, found: str, option: str) -> None:
    front = [WantedNetwork("front", ipv6=wanted)]
    assert network_commands(network("front", ipv6=found), wanted=front) == [
        Command("networks/make", ("front", "no", option))
    ]
    assert network_commands(network("front", ipv6=str(wanted).lower()), wanted=front) == []
