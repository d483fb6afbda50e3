"""Users and containers of somebody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mstdn.docker.facts import Container, Engine, Published, Setup
from tests.unit.docker.judging import ENGINE, OURS, found, is_one_error


@pytest.mark.parametrize(
    ("engine", "setup", "settings", "words"),
    [
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
    ],
)
def test_users_that_no_setting_names_are_one_error_with_its_remedy(
    engine: Engine, setup: Setup, settings: dict[str, Any], words: tuple[str, ...]
) -> None:
    is_one_error(engine, setup, settings, words)


def test_members_of_an_installed_server_are_the_settings() -> None:
    assert found(replace(ENGINE, members=frozenset({"bob"})), installed=True) == []


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
