"""
A second life from bare, with an older release: pyinfra is killed again and again on the way, and everything is
finished by the next run.
"""

from __future__ import annotations

import shlex
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.instance import Instance, said_until
from tests.lab.commands import wait_until

RELEASE = {"mastodon_version": "v4.6.9"}
UNIT = "mstdn-deploy"


def test_a_key_that_is_not_the_pinned_one_is_refused_before_apt_knows_it(reborn: Instance) -> None:
    refusal = reborn.refusal("tasks/docker.py", docker_key_fingerprint="0123456789ABCDEF" * 2 + "01234567")
    assert "expected" in refusal and "0123456789ABCDEF" in refusal and "do not continue" in refusal
    assert not reborn.succeeds("ls /etc/apt/keyrings/docker.asc || grep -rqs download.docker.com /etc/apt")


def kill_when(reborn: Instance, condition: str, **settings: Any) -> None:
    """Start a run, and kill pyinfra with all that belongs to it as soon as the condition is true on the server."""
    run = reborn.begin(**(settings or RELEASE))
    # The server itself looks all the time: some of these states are over in a moment.
    over = "/run/nobody-waits-for-it"
    look = f"rm -f {over}; until {{ {condition}; }} >/dev/null || test -e {over}; do sleep 0.02; done"
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(reborn.run, f"timeout 180 sh -c {shlex.quote(look)}", check=False)
        try:
            wait_until(condition, lambda: run.returncode is not None or seen.done(), timeout=180, interval=0.01)
        finally:
            run.kill()
            reborn.run(f"touch {over}")
            output = run.communicate()
    assert run.returncode == -signal.SIGKILL, f"The run was over before it could be killed:\n{output}"


def runs(program: str, *words: str) -> str:
    """A condition: the program runs on the server, with these words among its arguments in this order."""
    pattern = "".join([rf"^\S*{program}\x00", *(rf"(.*\x00)?{word}\x00" for word in words)])
    return f"grep -a -q -s -P '{pattern}' /proc/[0-9]*/cmdline"


def then_to_the_unit(signal_name: str, condition: str) -> str:
    """A condition: that one, and the unit of deployments has just got this signal."""
    return f"{condition} && systemctl kill --signal {signal_name} {UNIT}"


MAKES_THE_DATABASE = runs("docker", "compose", "run", "db:prepare")
# The program by its arguments: its steps are over too soon to be seen.
PUBLISHES = runs("sh", f"/run/{UNIT}.program", "/srv/mastodon/assets")


def cut_the_power_of_the_database(there: str, not_yet: str) -> str:
    """A condition: PostgreSQL's directory has the first file but not the second; its container is killed at once."""
    container = "docker ps --quiet --no-trunc --filter label=com.docker.compose.service=db"
    database = "/srv/mastodon/database"
    return f"test -e {database}/{there} && ! test -e {database}/{not_yet} && docker kill $({container})"


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(runs("dpkg", "--status-fd"), id="packages"),
        pytest.param(runs("git", "fetch", "--depth"), id="checkout"),
        pytest.param(runs("docker", "pull"), id="pulls"),
    ],
)
def test_pyinfra_is_killed_in_the_middle_of(reborn: Instance, condition: str) -> None:
    kill_when(reborn, condition)


def test_a_network_that_differs_is_made_anew_while_nothing_is_attached(reborn: Instance) -> None:
    reborn.run("docker network rm back-mstdn && docker network create back-mstdn")
    assert reborn.converge("tasks/networks.py").changed
    assert reborn.run("docker network inspect --format '{{.Internal}}' back-mstdn").strip() == "true"
    assert reborn.converge("tasks/networks.py").changed == []


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(runs("docker", "run", "--log-driver", "none"), id="secrets"),
        pytest.param(cut_the_power_of_the_database("PG_VERSION", "postmaster.opts"), id="initdb"),
        pytest.param(cut_the_power_of_the_database("postmaster.opts", "base/16384"), id="the database's first start"),
        pytest.param(then_to_the_unit("KILL", MAKES_THE_DATABASE), id="the database, and its unit too"),
    ],
)
def test_pyinfra_is_killed_later_in_the_middle_of(reborn: Instance, condition: str) -> None:
    kill_when(reborn, condition)


@pytest.mark.parametrize(
    ("condition", "what", "done"),
    [
        pytest.param(
            MAKES_THE_DATABASE,
            "The making of the database of v4.6.9",
            "grep -qx MASTODON_VERSION=v4.6.9 /srv/mastodon/state/installed.env",
            id="database",
        ),
        pytest.param(
            PUBLISHES,
            "The publishing of the assets of",
            "test -f /srv/mastodon/assets/current/.complete && ! test -e /srv/mastodon/assets/.publishing",
            id="assets",
        ),
    ],
)
def test_what_a_killed_run_had_begun_goes_on_without_it_and_is_joined(
    reborn: Instance, condition: str, what: str, done: str
) -> None:
    # It stands still until the next run has come.
    kill_when(reborn, then_to_the_unit("STOP", condition))
    assert not reborn.succeeds(done)
    joining = reborn.begin("tasks/preflight.py", **RELEASE)
    said = said_until(joining, "is at work: waiting for its end")
    reborn.run(f"systemctl kill --signal CONT {UNIT}")
    said += joining.communicate(timeout=120)
    assert joining.returncode == 0 and what in said and "It failed" not in said, said
    # The run that joined does nothing else.
    assert reborn.succeeds(done)


def test_the_unit_that_publishes_assets_is_killed_as_well(reborn: Instance) -> None:
    reborn.run("rm /srv/mastodon/assets/current/.complete")
    kill_when(reborn, then_to_the_unit("KILL", PUBLISHES))
    wait_until("it is put in order", lambda: not reborn.succeeds(f"systemctl is-active {UNIT} | grep -q ing$"), 30)
    assert not reborn.succeeds("test -e /srv/mastodon/assets/.publishing")


def test_pyinfra_is_killed_while_mastodon_starts(reborn: Instance) -> None:
    kill_when(reborn, "docker ps --all --quiet --filter label=com.docker.compose.service=web | grep -q .")


def test_the_next_run_finishes_everything_and_the_one_after_changes_nothing(reborn: Instance) -> None:
    reborn.converge(**RELEASE)
    assert reborn.visit("/api/v2/instance").status == 200
    assert reborn.converge(**RELEASE).changed == []


def test_nothing_half_done_is_left_behind(reborn: Instance) -> None:
    assert (
        reborn.run("find /srv /etc -name '.*.new' -o -name '.making' -o -name '.handing*' -o -name '.publishing'") == ""
    )
    assert reborn.run("dpkg --audit") == ""
    assert reborn.run("docker ps --all --quiet --filter label=com.docker.compose.oneoff=True") == ""
