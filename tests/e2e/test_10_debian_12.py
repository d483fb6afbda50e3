"""The older Debian, from bare to verified."""

from __future__ import annotations

import json

import pytest

from mstdn import versions
from tests.e2e.instance import Instance
from tests.lab.world import World


@pytest.fixture(name="server12", scope="module")
def _server12(world: World) -> Instance:
    server = world.add_server("server12")
    world.reset("server12")
    return Instance(world, server, "server12", "social12.example.org")


def test_debian_12_is_deployed_as_planned_and_converges(server12: Instance) -> None:
    assert 'VERSION_ID="12"' in server12.run("cat /etc/os-release")
    plan = server12.plan()
    first = server12.converge()
    assert set(plan.planned) == set(first.changed)
    described = json.loads(server12.visit("/api/v2/instance").body)
    assert (described["domain"], described["version"]) == ("social12.example.org", versions.MASTODON.removeprefix("v"))
    assert server12.converge().changed == []
