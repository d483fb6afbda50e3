"""What is judged of an engine that is here, before anything is changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mstdn.docker.facts import Container, Engine, Published, Setup
from mstdn.docker.packages import PACKAGES, PREREQUISITES
from mstdn.docker.rules import findings
from mstdn.finding import Finding
from mstdn.render import render
from tests.harness import settings_with

VERSION = "5:29.1.2-1~debian.13~trixie"
ENGINE = Engine(packages=dict.fromkeys((*PREREQUISITES, *PACKAGES), VERSION), members=frozenset())
OURS = render("docker/daemon.json.j2", settings=settings_with())


def found(
    engine: Engine = ENGINE,
    setup: Setup = Setup(),  # noqa: B008 (frozen)
    containers: tuple[Container, ...] = (),
    *,
    installed: bool = False,
    **settings: Any,
) -> list[Finding]:
    wanted = json.loads(render("docker/daemon.json.j2", settings=settings_with(**settings)))
    return list(findings(engine, setup, containers, settings_with(**settings), wanted, installed=installed))


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


def with_versions(**versions: str) -> Engine:
    names = {name.replace("-", "_"): name for name in PACKAGES}
    return replace(ENGINE, packages={**ENGINE.packages, **{names[key]: value for key, value in versions.items()}})


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
        pytest.param(
            with_versions(docker_ce="5:24.0.9-1~debian.12~bookworm"),
            Setup(),
            {},
            ("Docker Engine 5:24.0.9-1~debian.12~bookworm is too old", "25.0 or newer", "--only-upgrade docker-ce"),
            id="old engine",
        ),
        pytest.param(
            ENGINE,
            Setup(),
            {"docker_version": "5:20.10.24-1~debian.13~trixie"},
            ("5:20.10.24-1~debian.13~trixie is too old", "Set docker_version to a newer one"),
            id="old pin",
        ),
        pytest.param(
            with_versions(docker_compose_plugin="2.21.0-1~debian.12~bookworm"),
            Setup(),
            {},
            ("Docker Compose 2.21.0-1~debian.12~bookworm is too old", "2.24 or newer"),
            id="old Compose",
        ),
        pytest.param(
            ENGINE,
            Setup(composes={"/root/.docker/cli-plugins/docker-compose": ""}),
            {},
            ("(Compose of an unknown version)", "mv /root/.docker/cli-plugins/docker-compose /root/"),
            id="Compose of one's own",
        ),
        pytest.param(
            replace(Engine(packages={"curl": "1"}), held=frozenset({"git", "curl", "docker-ce"})),
            Setup(),
            {},
            ("apt may not touch git, docker-ce", "apt-mark unhold git docker-ce"),
            id="held and missing",
        ),
        pytest.param(
            replace(ENGINE, held=frozenset({"docker-ce"})),
            Setup(),
            {"docker_version": "5:29.1.3-1~debian.13~trixie"},
            ("apt may not touch docker-ce", "apt-mark unhold docker-ce"),
            id="held in another version than the pinned one",
        ),
        pytest.param(
            ENGINE, Setup(strangers=frozenset({"alice"})), {"docker_users": ["alice"]}, ("adduser alice",), id="no user"
        ),
        pytest.param(
            replace(ENGINE, members=frozenset({"bob", "ci"})),
            Setup(),
            {"docker_users": ["alice"]},
            ("bob, ci may use Docker", 'docker_users = ["alice", "bob", "ci"]', "gpasswd --delete ci docker"),
            id="members",
        ),
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
def test_what_cannot_be_joined_is_one_error_with_its_remedy(
    engine: Engine, setup: Setup, settings: dict[str, Any], words: tuple[str, ...]
) -> None:
    (finding,) = found(engine, setup, **settings)
    assert finding.level == "error"
    for each in words:
        assert each in finding.text


def test_members_of_an_installed_server_are_the_settings() -> None:
    assert found(replace(ENGINE, members=frozenset({"bob"})), installed=True) == []


def test_a_key_of_the_suites_that_became_an_option_of_the_unit_is_not_refused_but_taken_out() -> None:
    both = "specified both as a flag and in the configuration file: live-restore: (from flag: true, from file: true)"
    setup = Setup(configuration=OURS, noted=OURS, flags=("--live-restore",), invalid=both)
    assert found(setup=setup) == []
    (finding,) = found(setup=replace(setup, noted="{}"))
    assert "would not start again" in finding.text


def publishing(network: str, **changes: Any) -> Container:
    return Container(
        **{
            "id": "1",
            "name": "other",
            "image": "i",
            "reference": "i",
            "status": "running",
            "networks": {network: "n"},
            "published": (Published("0.0.0.0", 8025, "tcp"),),  # noqa: S104
            "anywhere": (Published("0.0.0.0", 8025, "tcp"),),  # noqa: S104
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("network", "when"), [("bridge", "the engine or the server restarts"), ("shop_default", "docker compose down")]
)
def test_a_container_that_would_be_reached_by_nobody_any_more_is_named(network: str, when: str) -> None:
    (finding,) = found(containers=(publishing(network),))
    assert finding.level == "error"
    for words in ("other publishes port 8025", when, 'docker_bind_address = "0.0.0.0"', "0.0.0.0:8025:"):
        assert words in finding.text


@pytest.mark.parametrize(
    ("container", "settings"),
    [
        (publishing("bridge"), {"docker_bind_address": "0.0.0.0"}),  # noqa: S104
        (publishing("bridge", anywhere=()), {}),
    ],
)
def test_a_container_that_loses_nothing_is_not_named(container: Container, settings: dict[str, Any]) -> None:
    assert found(containers=(container,), **settings) == []


@pytest.mark.parametrize("status", ["exited", "created", "dead", "restarting"])
def test_one_that_does_not_run_would_lose_its_port_when_it_is_started(status: str) -> None:
    stopped = publishing("bridge", status=status, published=(), anywhere=(Published("", 8025, "tcp"),))
    (finding,) = found(containers=(stopped,))
    assert finding.level == "error"
    for words in ("other publishes port 8025", "as soon as it is started again", "docker rm other"):
        assert words in finding.text
    # Later it is as one that was made under the suite's own configuration.
    assert found(setup=Setup(configuration=OURS, noted=OURS), containers=(stopped,)) == []


def test_once_the_engine_is_joined_only_what_a_restart_would_take_is_named() -> None:
    setup = Setup(configuration=OURS, noted=OURS)
    assert found(setup=setup, containers=(publishing("shop_default"),)) == []
    assert [each.level for each in found(setup=setup, containers=(publishing("bridge"),))] == ["warning"]
