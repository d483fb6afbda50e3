"""What in an engine would end a run in its middle."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mstdn.docker.facts import Engine, Setup
from mstdn.docker.obstacles import default_address, findings, ipv6_findings
from tests.unit.docker.judging import ENGINE

STATIC = Setup(program="/usr/local/bin/dockerd")


def pools(*found: tuple[str, int], **more: object) -> Setup:
    return Setup(
        configuration=json.dumps({"default-address-pools": [{"base": a, "size": b} for a, b in found], **more})
    )


@pytest.mark.parametrize(
    ("engine", "setup", "packages"),
    [
        pytest.param(Engine(), Setup(absent=True), (), id="bare"),
        pytest.param(ENGINE, Setup(program="/usr/bin/dockerd"), ("docker-ce",), id="Docker's own packages"),
        pytest.param(Engine(), Setup(program="/usr/sbin/dockerd"), ("docker.io",), id="somebody's, told elsewhere"),
        pytest.param(ENGINE, pools(("10.10.0.0/16", 24)), (), id="256 networks"),
        pytest.param(ENGINE, pools(("10.10.0.0/16", 16), ("10.64.0.0/14", 16), ("10.9.0.0/16", 16)), (), id="6 in all"),
        pytest.param(
            ENGINE, pools(("10.64.0.0/14", 16), ("10.9.0.0/16", 16), bip="10.1.0.1/24"), (), id="5 and its own"
        ),
        pytest.param(ENGINE, pools(("fd00:1::/48", 64)), (), id="of IPv6 only"),
        pytest.param(ENGINE, Setup(configuration='{"default-address-pools": "x"}'), (), id="told by the engine"),
        pytest.param(ENGINE, Setup(configuration="no JSON"), (), id="told elsewhere"),
    ],
)
def test_an_engine_that_will_do_gives_no_finding(engine: Engine, setup: Setup, packages: tuple[str, ...]) -> None:
    assert list(findings(engine, setup, packages, installed=False)) == []


@pytest.mark.parametrize(
    ("engine", "setup", "words"),
    [
        pytest.param(
            replace(ENGINE, masked=("docker.service", "docker.socket")),
            Setup(),
            ("docker.service and docker.socket are masked", "systemctl unmask docker.service docker.socket"),
            id="masked",
        ),
        pytest.param(
            Engine(),
            STATIC,
            ("(/usr/local/bin/dockerd), but no package", "rm /usr/local/bin/dockerd"),
            id="of no package",
        ),
        pytest.param(
            ENGINE,
            Setup(elsewhere="context other"),
            ("Root's docker commands go to other (context)", "docker context use default"),
            id="context",
        ),
        pytest.param(
            ENGINE,
            Setup(elsewhere="DOCKER_HOST tcp://192.0.2.1:2375"),
            ("go to tcp://192.0.2.1:2375 (DOCKER_HOST)", "/etc/environment"),
            id="variable",
        ),
        pytest.param(
            ENGINE, pools(("10.10.0.0/16", 16)), ("addresses to 1 networks only", '"size": 24'), id="one network"
        ),
        pytest.param(
            ENGINE,
            Setup(flags=("--default-address-pool", "base=10.10.0.0/16,size=18")),
            ("addresses to 4 networks only",),
            id="four, by the unit",
        ),
    ],
)
def test_what_would_end_a_run_in_its_middle_is_one_error_with_its_remedy(
    engine: Engine, setup: Setup, words: tuple[str, ...]
) -> None:
    (found,) = findings(engine, setup, (), installed=False)
    assert found.level == "error"
    assert all(each in found.text for each in words), found.text


def test_networks_that_are_there_need_no_further_addresses() -> None:
    assert not list(findings(ENGINE, pools(("10.10.0.0/16", 16)), (), installed=True))


@pytest.mark.parametrize("setup", [Setup(configuration='{"ip6tables": false}'), Setup(flags=("--ip6tables=false",))])
def test_visitors_by_ipv6_who_would_share_one_address_are_told_of(setup: Setup) -> None:
    (found,) = ipv6_findings(setup, ipv6=True)
    assert found.level == "warning" and "networks_ipv6 = False" in found.text
    assert not list(ipv6_findings(setup, ipv6=False))
    assert not list(ipv6_findings(Setup(configuration='{"ip6tables": true}'), ipv6=True))


@pytest.mark.parametrize("there", ["", "localhost", 5, ["192.0.2.1"], None])
def test_an_address_that_only_the_engine_can_judge_is_its_default(there: object) -> None:
    assert default_address({"ip": there}) == default_address({})
    assert default_address({"ip": "192.0.2.1"}) == "192.0.2.1"
