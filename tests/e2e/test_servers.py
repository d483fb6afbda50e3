"""
The matrix of servers: whatever is on a server before the suite comes (servers.py) is joined and still works afterwards,
or is refused in words before anything changes.

A run of all rows writes docs/reliability.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e import reliability
from tests.e2e.instance import Instance, with_settings
from tests.e2e.reliability import of_part, record
from tests.e2e.servers import DEPLOYED, DOCKER, IMAGE, ROWS, Row
from tests.lab import addresses, lab
from tests.lab.addresses import INTERNET
from tests.lab.world import Deployment, World

# The plain Docker of many servers, as Docker's own instructions have it; and what a server that is in use has as well.
PLAIN_DOCKER = """
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --yes --no-install-recommends curl ca-certificates git gpg >/dev/null
install -d /etc/apt/keyrings
curl -fsSL https://download.docker.com/linux/debian/gpg -o /etc/apt/keyrings/docker.asc
echo "deb [arch=$(dpkg --print-architecture) signed-by=/etc/apt/keyrings/docker.asc]" \
    https://download.docker.com/linux/debian trixie stable >/etc/apt/sources.list.d/docker.list
apt-get update -qq
apt-get install -qq --yes --no-install-recommends docker-ce docker-ce-cli containerd.io docker-buildx-plugin \
    docker-compose-plugin >/dev/null
"""
# What a refusal may not have touched. Whenever a container comes or goes, docker-gen writes conf.d, and 5 to 20 s later
# acme-companion makes or removes the links to certificates.
LOOK = (
    "find /etc /srv /usr/local /var/lib/dpkg /var/lib/mstdn -xdev -not -path '/srv/mastodon/database/*'"
    " -not -path '/srv/mastodon/redis/*' -not -path '/srv/proxy/conf.d*'"
    " -not '(' -path '/srv/proxy/certs*' -not '(' -type f -name '*.pem' ')' ')'"
    " -not -name mtab -printf '%p %T@ %m %U\\n' "
    "2>/dev/null | sort; docker ps --all --no-trunc --quiet 2>/dev/null | sort; cat /proc/swaps | cut -f 1"
)


class Place:
    """
    The server of all rows. `base`: what it is now; "" after a row that only a fresh one can follow. deployed: called
    once, at the first row that wants one, for the server that earlier tests have left deployed.
    """

    def __init__(self, world: World, deployed: Callable[[], Instance]) -> None:
        self.world, self.instance = world, Instance(world)
        self.base, self.kept = "", ""
        self.deployed: Callable[[], Instance] | None = deployed

    def become(self, base: str) -> None:
        if self.base == base:
            return
        deployed, self.deployed = self.deployed, None
        if base == DEPLOYED and deployed:
            self.instance, self.base = deployed(), base
            return
        if base == DOCKER and self.kept:
            lab.reset(self.world.name, self.kept)
            self.instance.run("timeout 60 sh -c 'until docker ps >/dev/null 2>&1; do sleep 0.2; done'")
        else:
            self.world.reset()
        if base == DOCKER and not self.kept:
            self.instance.server.run(PLAIN_DOCKER, timeout=300)
            self.kept = lab.keep(self.world.name)
        if base == DEPLOYED:
            self.instance.converge()
        if base != DEPLOYED:
            # So that containers of somebody else can be had without a download each.
            self.instance.run(f"! command -v docker >/dev/null || docker pull --quiet {IMAGE} >/dev/null")
        self.base = base


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "row" in metafunc.fixturenames:
        every = metafunc.config.getoption("--all-rows")
        rows = of_part(ROWS if every else [row for row in ROWS if row.sample], metafunc.config.getoption("--part"))
        # On what earlier tests have left, so that it is not made once more.
        rows = sorted(rows, key=lambda row: row.base != DEPLOYED)
        metafunc.parametrize("row", rows, ids=[row.there for row in rows])


@pytest.fixture(name="place", scope="module")
def _place(world: World, request: pytest.FixtureRequest) -> Iterator[Place]:
    place = Place(world, lambda: request.getfixturevalue("instance"))
    yield place
    world.reset()
    if place.kept:
        lab.forget(place.kept)


@pytest.fixture(name="results", scope="module")
def _results() -> Iterator[dict[str, bool]]:
    """Which rows held; all of them together are the table."""
    held: dict[str, bool] = {}
    yield held
    rows = [reliability.Row(row.there, answer(row), held[row.there]) for row in ROWS if row.there in held]
    record("servers", [row.there for row in ROWS], rows, ("What was there", "What a run does"))


def answer(row: Row) -> str:
    """What the table says that a run does."""
    words = f" (“… {' … '.join(row.says)} …”)" if row.says else ""
    return f"{'joins it' if row.joined else 'refuses'}{words}"


def test_a_server_is_joined_or_refused(place: Place, row: Row, results: dict[str, bool]) -> None:
    place.become(row.base)
    instance = place.instance
    results[row.there] = False
    base, place.base = place.base, ""
    instance.server.run(in_this_lab(row.prepare, instance), timeout=300)
    if row.joined:
        joined(place, row)
    else:
        refused(instance, row)
    if row.undo:
        instance.server.run(in_this_lab(row.undo, instance), timeout=300)
        place.base = base
    results[row.there] = True


def refused(instance: Instance, row: Row) -> None:
    before = set(instance.run(LOOK).splitlines())
    run = said(instance, row)
    assert run.returncode == 1, f"changed {run.changed}:\n{run.stderr}"
    assert_told(row, run, instance)
    assert "Nothing was changed" in run.stderr
    assert sorted(before ^ set(instance.run(LOOK).splitlines())) == []


def joined(place: Place, row: Row) -> None:
    instance = place.instance
    run = said(instance, row)
    assert run.returncode == 0, run.stderr
    assert_told(row, run, instance)
    second = said(instance, row)
    assert (second.returncode, second.changed) == (0, []), second.stderr
    if row.reboots:
        place.world.reboot()
    instance.run(in_this_lab(row.works, instance))


def said(instance: Instance, row: Row) -> Deployment:
    settings = {name: in_this_lab(value, instance) for name, value in row.settings.items()}
    arguments = [*row.files, *with_settings(settings)]
    return instance.world.pyinfra(*arguments, apply=True, check=False)


def assert_told(row: Row, run: Deployment, instance: Instance) -> None:
    assert "Traceback" not in run.stderr, run.stderr
    for words in row.says:
        assert in_this_lab(words, instance) in run.stderr, run.stderr


def in_this_lab(value: Any, instance: Instance) -> Any:
    """A text with this lab's own names and addresses in it; anything else as it is."""
    if not isinstance(value, str):
        return value
    words = {"{domain}": instance.domain, "{internet}": INTERNET.ipv4, "{lab}": f"{addresses.NAME}-swap"}
    for word, meaning in words.items():
        value = value.replace(word, meaning)
    return value
