"""What daemon.json and the unit of the engine say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mstdn.docker.facts import Engine, Setup
from tests.unit.docker.judging import ENGINE, OURS, found, is_one_error


@pytest.mark.parametrize(
    ("engine", "setup", "settings", "words"),
    [
        pytest.param(ENGINE, Setup(configuration="{"), {}, ("daemon.json is not valid", "line 1"), id="no JSON"),
        pytest.param(
            ENGINE,
            Setup(configuration="{}", link="/etc/docker/managed.json"),
            {},
            ("is a link to /etc/docker/managed.json", "cp --remove-destination"),
            id="a link",
        ),
        pytest.param(
            ENGINE,
            Setup(configuration="{}", invalid="the following directives don't match any configuration option: x"),
            {},
            ("would not start again", "don't match any configuration option: x"),
            id="not valid",
        ),
        pytest.param(
            ENGINE,
            Setup(unreadable="DOCKER_OPTS"),
            {},
            ("by the variable DOCKER_OPTS, which cannot be read", "systemctl edit docker.service"),
            id="options that nobody can read",
        ),
        pytest.param(
            Engine(),
            Setup(absent=True, configuration='{"graph": "/srv/docker", "live-restore": true}'),
            {},
            ("daemon.json (graph, live-restore) would tell it", "mv /etc/docker/daemon.json /root/", "install Docker"),
            id="a daemon.json without an engine",
        ),
        pytest.param(
            Engine(),
            Setup(absent=True, configuration=OURS[:-2] + ', "graph": "/srv/docker"}', noted=OURS),
            {},
            ("daemon.json (graph) would tell it",),
            id="the suite's daemon.json and more, without an engine",
        ),
        pytest.param(
            Engine(),
            Setup(absent=True, leftovers=("/etc/systemd/system/docker.service.d/own.conf",)),
            {},
            ("mv /etc/systemd/system/docker.service.d/own.conf /root/ && systemctl daemon-reload",),
            id="a drop-in of the unit without an engine",
        ),
        *(
            pytest.param(
                ENGINE,
                Setup(flags=flags),
                {},
                ("has the engine read /etc/docker/own.json", "cp /etc/docker/own.json /etc/docker/daemon.json"),
                id=f"another file, {len(flags)}",
            )
            for flags in (("--config-file=/etc/docker/own.json",), ("--config-file", "/etc/docker/own.json"))
        ),
        *(
            pytest.param(
                ENGINE, Setup(flags=(flag,)), {}, ("--live-restore=false", "systemctl edit --full"), id=f"no {flag}"
            )
            for flag in ("--live-restore=false", "--live-restore=0", "--live-restore=F")
        ),
        *(
            pytest.param(
                ENGINE,
                Setup(configuration=text, flags=flags, forwarding=False),
                {},
                ("net.ipv4.ip_forward is 0", "sysctl --system", words),
                id=f"no forwarding, {text} {flags}",
            )
            for text, flags, words in (
                ('{"ip-forward": false}', (), "ip-forward"),
                ("{}", ("--ip-forward=false",), "ip-forward"),
                ('{"firewall-backend": "nftables"}', (), "nftables"),
                ("{}", ("--firewall-backend=nftables",), "nftables"),
            )
        ),
        *(
            pytest.param(ENGINE, setup, {}, (words, "default-network-opts", "driver_opts"), id=f"networks, {words}")
            for setup, words in (
                (
                    Setup(
                        configuration='{"default-network-opts": {"bridge":'
                        ' {"com.docker.network.bridge.enable_ip_masquerade": "false"}}}'
                    ),
                    "enable_ip_masquerade = false",
                ),
                (
                    Setup(flags=("--default-network-opt=bridge=com.docker.network.bridge.enable_icc=false",)),
                    "enable_icc = false",
                ),
                (
                    Setup(flags=("--default-network-opt", "bridge=com.docker.network.bridge.gateway_mode_ipv4=routed")),
                    "gateway_mode_ipv4 = routed",
                ),
            )
        ),
        pytest.param(ENGINE, Setup(configuration='{"iptables": false}'), {}, ("iptables: false",), id="no rules"),
        pytest.param(ENGINE, Setup(flags=("--iptables=false",)), {}, ("iptables: false",), id="no rules by option"),
        pytest.param(
            ENGINE, Setup(configuration='{"userns-remap": "default"}'), {}, ("userns-remap",), id="other users"
        ),
    ],
)
def test_what_an_engine_is_told_and_the_suite_cannot_work_with_is_one_error_with_its_remedy(
    engine: Engine, setup: Setup, settings: dict[str, Any], words: tuple[str, ...]
) -> None:
    is_one_error(engine, setup, settings, words)


def test_a_key_of_the_suites_that_became_an_option_of_the_unit_is_not_refused_but_taken_out() -> None:
    both = "specified both as a flag and in the configuration file: live-restore: (from flag: true, from file: true)"
    setup = Setup(configuration=OURS, noted=OURS, flags=("--live-restore",), invalid=both)
    assert found(setup=setup) == []
    (finding,) = found(setup=replace(setup, noted="{}"))
    assert "would not start again" in finding.text
