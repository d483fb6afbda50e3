"""An engine that can be joined, and what is found where something of it is otherwise."""

from __future__ import annotations

import json
from typing import Any

from mstdn.docker.facts import Container, Engine, Setup
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


def is_one_error(engine: Engine, setup: Setup, settings: dict[str, Any], words: tuple[str, ...]) -> None:
    """One finding, an error, has these words."""
    (finding,) = found(engine, setup, **settings)
    assert finding.level == "error"
    for each in words:
        assert each in finding.text
