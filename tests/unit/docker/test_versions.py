"""Versions of the engine and of Compose, and packages that are held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mstdn.docker.facts import Engine, Setup
from mstdn.docker.packages import PACKAGES
from tests.unit.docker.judging import ENGINE, is_one_error


def with_versions(**versions: str) -> Engine:
    names = {name.replace("-", "_"): name for name in PACKAGES}
    return replace(ENGINE, packages={**ENGINE.packages, **{names[key]: value for key, value in versions.items()}})


@pytest.mark.parametrize(
    ("engine", "setup", "settings", "words"),
    [
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
    ],
)
def test_what_is_too_old_or_held_is_one_error_with_its_remedy(
    engine: Engine, setup: Setup, settings: dict[str, Any], words: tuple[str, ...]
) -> None:
    is_one_error(engine, setup, settings, words)
