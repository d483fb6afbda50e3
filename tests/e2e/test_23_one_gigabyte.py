"""The server that most have: one core and 1 GB. Its kernel ends what takes more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mstdn import versions
from tests.e2e.instance import Instance
from tests.e2e.visitors import visitors_without_pause
from tests.lab.addresses import SMALL_MIB
from tests.lab.commands import wait_until
from tests.lab.world import Deployment, World

OLD = {"mastodon_version": "v4.6.9"}
BACKUPS: dict[str, Any] = {"backup_repository": "/srv/backups"}
BACKUP, DRILL, RESTORE = "tasks/backup.py", "tasks/drill.py", "tasks/restore.py"


@pytest.fixture(name="small", scope="module")
def _small(world: World) -> Instance:
    server = world.add_server("small")
    world.reset("small")
    return Instance(world, server, "small", "small.example.org")


@pytest.fixture(name="first", scope="module")
def _first(small: Instance) -> Deployment:
    plan = small.plan(**OLD)
    run = small.converge(**OLD)
    assert run.changed == plan.planned
    return run


@pytest.fixture(name="erin", scope="module")
def _erin(small: Instance, first: Deployment) -> str:
    """Her access token."""
    return small.token("erin")


def version(instance: Instance) -> str:
    return str(json.loads(instance.visit("/api/v2/instance").body)["version"])


def limits(instance: Instance) -> dict[str, int]:
    """What Docker was told each service may take, in MiB."""
    told = '{{index .Config.Labels "com.docker.compose.service"}} {{.HostConfig.Memory}}'
    lines = instance.run(f"docker inspect --format '{told}' $(docker ps --quiet --filter name=mstdn-)").splitlines()
    return {name: int(limit) // 2**20 for name, limit in (line.split() for line in lines)}


def test_it_is_deployed_with_what_suits_its_memory(small: Instance, first: Deployment) -> None:
    assert f"MemTotal: {SMALL_MIB * 1024} kB" in small.run("cat /proc/meminfo")
    environment = small.inside("mstdn", "web", "env").splitlines()
    assert {"WEB_CONCURRENCY=0", "MAX_THREADS=3"} <= set(environment)
    assert limits(small)["web"] <= SMALL_MIB
    assert small.visit("/api/v2/instance").status == 200
    assert small.converge(**OLD).changed == []


def test_it_is_upgraded_and_no_visitor_notices(small: Instance, erin: str) -> None:
    with visitors_without_pause(small, erin, at_least=3000) as seen:
        run = small.converge()
    assert "a new web starts beside the old one" in run.stderr
    assert seen.failed == [] and seen.asked >= 3000
    assert version(small) == versions.MASTODON.removeprefix("v")
    assert small.converge().changed == []


def test_a_part_that_the_kernel_ends_for_want_of_memory_comes_back_by_itself(small: Instance, erin: str) -> None:
    before = small.started()
    puma = small.run(f"docker inspect --format '{{{{.State.Pid}}}}' {small.container('mstdn', 'web')}").strip()
    # The kernel is asked to begin with web, and somebody takes memory until it has to.
    processes = small.run(f"pgrep --ns {puma} --nslist pid").split()
    small.run("".join(f"echo 1000 >/proc/{process}/oom_score_adj;" for process in processes))
    took_all = small.run("sh -c 'exec tail /dev/zero'; echo $?", check=False)
    assert took_all.split()[-1] == "137", took_all
    # One that was ended stays in the list of processes until its parent has asked how.
    wait_until("all of web has ended", lambda: not small.succeeds(f"ps --pid {','.join(processes)}"), 30)
    wait_until("web is back", lambda: small.serves(f"/api/v2/instance?at={puma}"), 180)
    after = small.started()
    assert "mstdn/web" in {name for name in before if before[name] != after[name]}
    # Somebody's post of that time is not lost, and there is nothing for a run to do.
    assert small.visit("/inbox", "--data", "{}").status == 202
    wait_until("all are healthy", lambda: "starting" not in small.run("docker ps"), 120)
    assert small.converge().changed == []


def test_a_drill_is_held_where_there_is_memory_for_it_and_refused_in_words_where_not(
    small: Instance, erin: str
) -> None:
    small.converge(**BACKUPS)
    refused = small.converge(DRILL, **BACKUPS)
    assert "No drill was held: it takes 1024 MiB of memory and swap" in refused.stderr
    enough = BACKUPS | {"drill_memory_mib": 256}
    small.converge("tasks/timers.py", **enough)
    held = small.converge(DRILL, **enough)
    assert "rows" in held.stderr and "No drill was held" not in held.stderr


def test_it_is_brought_back_from_its_backup(small: Instance, erin: str) -> None:
    header = ("--header", f"Authorization: Bearer {erin}")
    assert small.visit("/api/v1/statuses", *header, "--data-urlencode", "status=kept").status == 200
    small.converge(BACKUP, **BACKUPS)
    assert small.visit("/api/v1/statuses", *header, "--data-urlencode", "status=lost").status == 200
    small.converge(RESTORE, **BACKUPS, replace="yes")
    posts = json.loads(small.visit(f"/api/v1/timelines/public?at={len(erin)}").body)
    assert [each["content"] for each in posts] == ["<p>kept</p>"]
    assert small.converge(**BACKUPS).changed == []
