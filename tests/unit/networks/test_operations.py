"""What the operation on networks decides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mstdn.networks.operations import WantedNetwork, docker_networks
from tests.harness import Command, commands_of, container_line, refusal_of

NETWORKS = [WantedNetwork("front", ipv6=None), WantedNetwork("back-mstdn", internal=True)]


def network(name: str, *, driver: str = "bridge", internal: bool = False, ipv6: bool = False) -> str:
    found = {"name": name, "id": f"id-of-{name}", "driver": driver, "internal": internal, "ipv6": ipv6}
    return f"network {json.dumps(found)}\n"


def attached_to(name: str, *services: str) -> str:
    return "".join(container_line(service, networks={name: f"id-of-{name}"}) for service in services)


def network_commands(
    *existing: str, containers: str = "", wanted: list[WantedNetwork] = NETWORKS, engine: str = "", server: str = ""
) -> list[Command]:
    facts = {
        "networks/state": "".join(existing),
        "docker/containers": containers,
        "docker/state": f"codename debian trixie\narchitecture amd64\n{engine}",
        "sizing/state": f"memory 4194304\n{server}",
    }
    return commands_of(docker_networks, facts, networks=wanted)


def test_a_bare_server_gets_both_networks() -> None:
    assert network_commands() == [
        Command("networks/make", ("front", "no", "no")),
        Command("networks/make", ("back-mstdn", "yes", "no")),
    ]


@pytest.mark.parametrize(
    ("engine", "server", "ipv6"),
    [
        ("package docker-ce 5:27.0.1-1~debian.13~trixie\n", "ipv6\n", "yes"),
        ("package docker-ce 5:29.1.2-1~debian.13~trixie\n", "ipv6\n", "yes"),
        ("package docker-ce 5:26.1.5-1~debian.13~trixie\n", "ipv6\n", "no"),
        ("package docker-ce 5:29.1.2-1~debian.13~trixie\n", "", "no"),
        ("", "ipv6\n", "yes"),
    ],
    ids=["27", "29", "engine too old", "no address of the server's own", "the engine is still to be installed"],
)
def test_ipv6_is_taken_where_engine_and_server_have_it(engine: str, server: str, ipv6: str) -> None:
    front, _ = network_commands(engine=engine, server=server)
    assert front == Command("networks/make", ("front", "no", ipv6))


@pytest.mark.parametrize("ipv6", [True, False])
def test_auto_accepts_what_the_engine_gave_the_network(ipv6: bool) -> None:
    assert network_commands(network("front", ipv6=ipv6), network("back-mstdn", internal=True)) == []


BACK: dict[str, Any] = {"name": "back-mstdn", "internal": True}


@pytest.mark.parametrize(
    ("drift", "reason"),
    [
        pytest.param({"internal": False}, "not internal", id="not internal"),
        pytest.param({"driver": "macvlan"}, "driver macvlan", id="driver"),
        pytest.param({"ipv6": True}, "IPv6 is on", id="IPv6"),
    ],
)
def test_drift_of_a_network_is_repaired_only_when_nothing_is_attached(drift: dict[str, Any], reason: str) -> None:
    front = network("front")
    assert network_commands(front, network(**BACK | drift)) == [Command("networks/make", ("back-mstdn", "yes", "no"))]
    containers = attached_to("back-mstdn", "db", "web") + attached_to("front", "nginx")
    facts = {"networks/state": front + network(**BACK | drift), "docker/containers": containers}
    refusal = refusal_of(docker_networks, facts, networks=NETWORKS)
    assert reason in refusal
    assert "containers use it: mstdn-db-1, mstdn-web-1. " in refusal


def test_a_network_as_wanted_may_be_in_use() -> None:
    containers = attached_to("front", "nginx") + attached_to("back-mstdn", "db")
    assert network_commands(network("front"), network(**BACK), containers=containers) == []


@pytest.mark.parametrize(("wanted", "found", "option"), [(True, False, "yes"), (False, True, "no")])
def test_a_forced_ipv6_setting_is_enforced(wanted: bool, found: bool, option: str) -> None:
    front = [WantedNetwork("front", ipv6=wanted)]
    assert network_commands(network("front", ipv6=found), wanted=front) == [
        Command("networks/make", ("front", "no", option))
    ]
    assert network_commands(network("front", ipv6=wanted), wanted=front) == []


def test_what_runs_on_other_networks_hinders_nothing() -> None:
    containers = attached_to("other", "db")
    existing = (network("front"), network("back-mstdn"))
    assert network_commands(*existing, containers=containers) == [Command("networks/make", ("back-mstdn", "yes", "no"))]


@pytest.mark.parametrize("silent", ["networks/state", "docker/containers"])
def test_where_docker_does_not_run_a_plan_announces_nothing_and_a_run_says_why(silent: str) -> None:
    facts = {silent: "unknown Docker does not run\n"}
    assert commands_of(docker_networks, facts, networks=NETWORKS) == []
    (command,) = commands_of(docker_networks, facts, executing=True, networks=NETWORKS)
    assert command.words == ("_say_no", "This could not be looked at: Docker does not run.")
