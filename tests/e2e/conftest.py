"""
One lab for the whole session, and one server that lives through it: the files are in the order of its life.

What a test changes it puts back. When a test fails, the state of the server's containers comes with the failure.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import pytest

from tests.e2e.instance import Instance, recorded_arguments
from tests.lab.world import Deployment, World

CONTAINERS = "docker ps --all --format '{{.Names}}: {{.Status}}'"
LAST_WORDS = (
    "docker ps --all --format '{{.Names}}' |"
    ' while read -r name; do echo "--- $name"; docker logs --tail 8 "$name" 2>&1; done'
)


@dataclass(frozen=True)
class Life:
    """What pyinfra said of the bare server, of its first deployment, and of the run right after it."""

    bare: Deployment
    first: Deployment
    second: Deployment


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for used in getattr(item, "funcargs", {}).values():
            if isinstance(used, Instance):
                for title, command in (("containers", CONTAINERS), ("their last words", LAST_WORDS)):
                    report.sections.append((f"{title} on {used.host}", used.run(command, check=False)))
    return report


@pytest.fixture(scope="session")
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def bare(world: World) -> Instance:
    """A server that has nothing but SSH and sudo; it is the same one that is deployed later."""
    world.reset()
    return Instance(world, world.server)


@pytest.fixture(scope="session")
def life(bare: Instance) -> Life:
    """The server from bare to deployed."""
    plan = bare.plan()
    with recorded_arguments(bare):
        first = bare.converge()
    return Life(plan, first, bare.converge())


@pytest.fixture(scope="session")
def instance(bare: Instance, life: Life) -> Instance:
    """The deployed instance."""
    return bare


@pytest.fixture(scope="session")
def reborn(world: World) -> Instance:
    """The same machine, bare once more, for a second life."""
    world.reset()
    return Instance(world, world.server)
