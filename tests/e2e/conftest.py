"""
One server that lives through the session: the files are in the order of its life.

What a test changes it puts back. When a test fails, the state of the server's containers comes with the failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.instance import Instance, recorded_arguments
from tests.lab.addresses import SERVERS, make
from tests.lab.world import Deployment, World

CONTAINERS = "docker ps --all --format '{{.Names}}: {{.Status}}'"
LAST_LINES = (
    "docker ps --all --format '{{.Names}}' |"
    ' while read -r name; do echo "--- $name"; docker logs --timestamps --tail 20 "$name" 2>&1; done'
)
TOUCHED = "test -e /srv/mastodon || command -v docker || command -v curl"


# Servers that were bare in this session and have been lived on since then.
lived_on: set[str] = set()


@dataclass(frozen=True)
class Life:
    """What pyinfra said of the bare server, of its first deployment, and of the run right after it."""

    bare: Deployment
    first: Deployment
    second: Deployment


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("the lab")
    group.addoption("--server", choices=list(SERVERS), default="server", help="the lab's server to live on")
    group.addoption(
        "--keep",
        action="store_true",
        help="take the server as it is: deploy it if it is bare, converge it otherwise, never reset it",
    )
    group.addoption("--all-rows", action="store_true", help="every row of the matrices, not only the sample")
    group.addoption("--part", default="1/1", help="of these rows, every Nth: 2/3 is the second of three parts")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        # A run of all of them takes long. What failed is shown at once, and at the end with the others.
        reporter = item.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"\n{report.nodeid} failed:\n{report.longreprtext}")
        for used in getattr(item, "funcargs", {}).values():
            if isinstance(used, Instance):
                for title, command in (("containers", CONTAINERS), ("their last lines", LAST_LINES)):
                    report.sections.append((f"{title} on {used.host}", used.run(command, check=False)))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The seconds that each file took, for lives.py."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[Path(report.location[0]).name] += round(report.duration)
    terminalreporter.section("seconds by file")
    for name, taken in sorted(seconds.items()):
        terminalreporter.write_line(f"{taken:5} {name}")


@pytest.fixture(scope="session")
def world(pytestconfig: pytest.Config) -> World:
    return World(pytestconfig.getoption("--server"))


def bare_server(world: World, config: pytest.Config) -> Instance:
    """The world's server, with nothing on it but SSH and sudo."""
    server = Instance(world)
    if not config.getoption("--keep"):
        world.reset()
        lived_on.add(world.name)
    elif server.succeeds(TOUCHED):
        pytest.fail(
            f"{world.name} is not bare, and this test needs a bare server. To give it one, type:\n"
            f"{make(f'lab-reset SERVER={world.name}')}",
            pytrace=False,
        )
    return server


@pytest.fixture(scope="session")
def bare(world: World, pytestconfig: pytest.Config) -> Instance:
    """A server that has nothing but SSH and sudo; it is the same one that is deployed later."""
    return bare_server(world, pytestconfig)


@pytest.fixture(scope="session")
def life(bare: Instance) -> Life:
    """The server from bare to deployed."""
    plan = bare.plan()
    with recorded_arguments(bare):
        first = bare.converge()
    return Life(plan, first, bare.converge())


@pytest.fixture(scope="session")
def instance(world: World, request: pytest.FixtureRequest) -> Instance:
    """The deployed instance."""
    server = Instance(world)
    kept = request.config.getoption("--keep") or world.name in lived_on
    if kept and server.succeeds(TOUCHED):
        server.converge()
    else:
        request.getfixturevalue("life")
    return server


@pytest.fixture(scope="session")
def reborn(world: World, pytestconfig: pytest.Config) -> Instance:
    """A bare machine once more, for a second life."""
    return bare_server(world, pytestconfig)
