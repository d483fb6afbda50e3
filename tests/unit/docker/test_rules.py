"""What is judged of an engine that is here, before anything is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mstdn.docker.facts import Engine, Setup
from mstdn.docker.packages import PACKAGES
from tests.unit.docker.judging import ENGINE, OURS, found, is_one_error


@pytest.mark.parametrize(
    ("engine", "setup"),
    [
        pytest.param(Engine(), Setup(), id="bare"),
        pytest.param(Engine(), Setup(absent=True, configuration="{}"), id="bare, with an empty daemon.json"),
        pytest.param(Engine(), Setup(absent=True, configuration=OURS), id="a run that was killed before its note"),
        pytest.param(Engine(), Setup(absent=True, configuration=OURS, noted=OURS), id="and after it"),
        pytest.param(Engine(), Setup(forwarding=False), id="a bare server, which passes nothing on yet"),
        pytest.param(ENGINE, Setup(flags=("--config-file", "/etc/docker/daemon.json")), id="the usual file, named"),
        pytest.param(ENGINE, Setup(configuration='{"ip-forward": false}'), id="somebody else sees to forwarding"),
        pytest.param(ENGINE, Setup(flags=("--live-restore", "--debug=false")), id="other options"),
        pytest.param(
            ENGINE,
            Setup(
                configuration='{"default-network-opts": {"bridge": {"com.docker.network.driver.mtu": "1400",'
                ' "com.docker.network.bridge.enable_icc": "true"}}}'
            ),
            id="options of networks that do no harm",
        ),
        pytest.param(ENGINE, Setup(), id="plain"),
        pytest.param(ENGINE, Setup(configuration=OURS, noted=OURS), id="the suite's"),
        pytest.param(ENGINE, Setup(configuration='{"dns": ["192.0.2.53"]}', flags=("-H", "fd://")), id="somebody's"),
        pytest.param(replace(ENGINE, held=frozenset(PACKAGES)), Setup(), id="held in a version that will do"),
        pytest.param(ENGINE, Setup(composes={"/usr/local/x": "2.24.0"}), id="a Compose of its own that is new enough"),
        pytest.param(ENGINE, Setup(configuration=OURS, noted="no JSON"), id="a note that cannot be read"),
        pytest.param(ENGINE, Setup(configuration='{"ip": ""}'), id="no address, which is the engine's default"),
        pytest.param(ENGINE, Setup(configuration='\ufeff{"debug": true}'), id="a mark of the byte order"),
    ],
)
def test_an_engine_that_can_be_joined_gives_no_finding(engine: Engine, setup: Setup) -> None:
    assert found(engine, setup) == []


@pytest.mark.parametrize(
    ("engine", "setup", "settings", "words"),
    [
        pytest.param(
            ENGINE, Setup(swarm=True), {}, ("Swarm mode", "docker swarm leave --force", "another server"), id="swarm"
        ),
        pytest.param(
            ENGINE,
            Setup(swarm=True, configuration='{"live-restore":true}'),
            {},
            ("Swarm mode", "take it out first"),
            id="swarm that does not start",
        ),
    ],
)
def test_a_swarm_is_one_error_with_its_remedy(
    engine: Engine, setup: Setup, settings: dict[str, Any], words: tuple[str, ...]
) -> None:
    is_one_error(engine, setup, settings, words)
