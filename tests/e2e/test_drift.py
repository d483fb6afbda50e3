"""
The drift matrix: whatever happens to a deployed server (drifts.py) is foretold by a plan, mended by a run, and nothing
else is touched; the run after that changes nothing. What is refused on purpose is refused in words, with nothing
changed.

A run of all rows writes docs/reliability.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from tests.e2e.drifts import DOMAIN, DRIFTS, Drift, P
from tests.e2e.instance import Instance
from tests.e2e.reliability import Row, of_part, record
from tests.harness import ROOT
from tests.lab.addresses import INTERNET
from tests.lab.commands import CommandError, wait_until

FUNCTIONS = r"""
c() {
    docker ps --all --quiet --no-trunc --filter label=com.docker.compose.oneoff=False \
        --filter "label=com.docker.compose.project=$1" --filter "label=com.docker.compose.service=$2"
}
image() { docker inspect --format '{{.Config.Image}}' "$(c "$1" "$2")"; }
started() { docker inspect --format '{{.State.StartedAt}}' "$(c "$1" "$2")"; }
"""

# Not by a filter of "docker ps": after a restart of the engine it tells late that a container is looked at anew.
STARTING = "docker inspect --format '{{with .State.Health}}{{.Status}}{{end}}' $(docker ps --all --quiet)"

# What a server is, one thing in each line.
LOOK = (ROOT / "tests/e2e/look.sh").read_text()


@dataclass(frozen=True)
class State:
    """`things`: all of LOOK; `containers`: ID and start time by "project/service"."""

    things: frozenset[str]
    containers: dict[str, str]


def look(instance: Instance) -> State:
    lines = instance.run(LOOK).splitlines()
    words = [line.split(" ", 2) for line in lines if line.startswith("container ")]
    return State(
        frozenset(line for line in lines if line and not line.startswith("container ")),
        {name: identity for _, name, identity in words},
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "drift" in metafunc.fixturenames:
        every = metafunc.config.getoption("--all-rows")
        rows = of_part(DRIFTS if every else [row for row in DRIFTS if row.sample], metafunc.config.getoption("--part"))
        metafunc.parametrize("drift", rows, ids=[row.name for row in rows])


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, bool]]:
    """Which rows held; all of them together are the table."""
    held: dict[str, bool] = {}
    yield held
    rows = [Row(row.name, answer(row), held[row.name]) for row in DRIFTS if row.name in held]
    record("drifts", [row.name for row in DRIFTS], rows, ("What happened", "What a run does"))


def on_server(row: Drift, instance: Instance) -> Drift:
    """The row with this server's domain in it."""

    def here(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(here, value))
        return value.replace(DOMAIN, instance.domain) if isinstance(value, str) else value

    return replace(row, **{each.name: here(getattr(row, each.name)) for each in fields(row) if each.name != "name"})


def answer(row: Drift) -> str:
    if row.refused:
        return f"refuses: “… {' … '.join(row.refused)} …”"
    if not row.planned:
        return "nothing: it is right, or comes right by itself"
    return "; ".join(operation.partition(" | ")[2] for operation in row.planned) + f" (“{'”, “'.join(row.words)}”)"


@pytest.fixture(scope="module")
def well(instance: Instance) -> list[State]:
    """The last state in which the server was as it should be."""
    instance.converge()
    return [settled(instance)]


def settled(instance: Instance) -> State:
    """Every container is what it will be: none is starting."""
    wait_until("no container is starting", lambda: "starting" not in instance.run(STARTING), 120)
    return look(instance)


def test_a_drift_is_foretold_and_mended_and_nothing_else_is_touched(
    instance: Instance, drift: Drift, well: list[State], results: dict[str, bool]
) -> None:
    before = look(instance)
    results[drift.name] = False
    drift = on_server(drift, instance)
    try:
        assert before.things == well[-1].things, "something happened between two rows"
        instance.server.run(FUNCTIONS + drift.make, timeout=300)
        if drift.refused:
            refused(instance, drift, before)
        else:
            mended(instance, drift, before)
        results[drift.name] = True
    finally:
        if not results[drift.name]:
            recover(instance, drift)
        well.append(settled(instance))


def refused(instance: Instance, drift: Drift, before: State) -> None:
    drifted = look(instance)
    said = instance.refusal()
    assert [word for word in drift.refused if word not in said] == [], said
    assert look(instance) == drifted, "it was refused, and something was changed"
    instance.run(FUNCTIONS + drift.undo)
    assert instance.converge().changed == []
    assert look(instance) == before


def mended(instance: Instance, drift: Drift, before: State) -> None:
    plan = instance.plan()
    assert plan.planned == list(drift.planned), plan.stderr
    assert [word for word in drift.words if word not in plan.stderr] == [], plan.stderr
    run = instance.converge()
    assert set(run.changed) == set(plan.planned), run.stderr
    instance.run(FUNCTIONS + drift.mended)
    after = settled(instance)
    differing = sorted(each for each in after.things ^ before.things if not is_anew(each, drift))
    assert not differing, "\n".join(differing)
    touched = {
        name: f"{identity}, then {after.containers.get(name)}"
        for name, identity in before.containers.items()
        if after.containers.get(name) != identity
    }
    assert touched.keys() == set(drift.touched), f"{touched}\n{run.stderr}"
    assert_works(instance)
    again = instance.converge()
    assert again.changed == [], again.stderr


def is_anew(line: str, drift: Drift) -> bool:
    # A new inner nginx starts beside the old one, so it has another address, which docker-gen writes there.
    addresses = (f"{P}/conf.d/default.conf",) if "mstdn/nginx" in drift.touched else ()
    return any(path in line for path in (*drift.anew, *addresses)) and line.startswith(("sum ", "file "))


def assert_works(instance: Instance) -> None:
    """Visitors get in by the certificate, web and Sidekiq get out."""
    assert instance.visit("/health").status == 200
    for service in ("web", "sidekiq"):
        process = f"$(docker inspect --format '{{{{.State.Pid}}}}' $(c mstdn {service}))"
        reach = f"timeout 5 bash -c 'exec 3<>/dev/tcp/{INTERNET.ipv4}/443'"
        instance.run(f"{FUNCTIONS} nsenter --net --target {process} {reach}")


def recover(instance: Instance, drift: Drift) -> None:
    """After a row that failed: what can be done so that the next one begins with a server that is well."""
    if drift.undo:
        instance.server.run(FUNCTIONS + drift.undo, check=False)
    try:
        instance.converge()
    except CommandError:
        instance.server.run("systemctl restart docker.service", check=False)
        for root in ("/srv/proxy", "/srv/mastodon"):
            command = f"cd {root} && docker compose up --detach --force-recreate --remove-orphans --wait"
            instance.server.run(command, check=False, timeout=300)
        instance.converge()
