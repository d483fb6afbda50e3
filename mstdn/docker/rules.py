"""
What may be wrong with the engine that is here, and what the suite would do to whoever uses it. Pure.

    versions.py      versions that are too old, packages that are held
    options.py       what daemon.json and the unit say
    neighbours.py    engines, projects, containers and users of somebody else
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mstdn.docker import neighbours, options, versions
from mstdn.docker.configuration import Merged, keys_of_others, merged, parsed
from mstdn.docker.packages import DAEMON_JSON
from mstdn.finding import Finding

if TYPE_CHECKING:
    from mstdn.docker.facts import Container, Engine, Setup
    from mstdn.settings import Settings

# The states of a container that holds its ports.
ALIVE = ("running", "paused", "restarting")


def findings(
    engine: Engine,
    setup: Setup,
    containers: Sequence[Container],
    settings: Settings,
    wanted: Mapping[str, Any],
    *,
    installed: bool,
) -> Iterator[Finding]:
    """
    What is in the way of the suite in this engine, and what of others would be in the suite's.

    wanted: the suite's part of daemon.json. installed: this server has an instance of the suite's already.
    """
    yield from _swarm(setup)
    yield from versions.too_old(engine, setup, settings)
    yield from versions.held(engine, settings)
    yield from neighbours.users(engine, setup, settings, installed=installed)
    try:
        there, noted = parsed(setup.configuration), noted_configuration(setup)
    except ValueError as error:
        yield Finding("error", f"{DAEMON_JSON} is not valid: {error}. The engine does not start with it; correct it.")
        return
    yield from options.left_over(keys_of_others(there, noted, dict(wanted)), setup)
    yield from options.refused(there, noted, setup)
    new = merged(there, noted, dict(wanted), setup.flags)
    yield from neighbours.publishers(there, new, containers)


def noted_configuration(setup: Setup) -> dict[str, Any] | None:
    """The suite's part of daemon.json as it was written last. A note that cannot be read is none."""
    try:
        return None if setup.noted is None else parsed(setup.noted)
    except ValueError:
        return None


def merged_configuration(setup: Setup, wanted: str) -> Merged:
    """What daemon.json shall hold, where findings() found nothing wrong. wanted: the suite's part, JSON."""
    return merged(parsed(setup.configuration), noted_configuration(setup), json.loads(wanted), setup.flags)


def silent_engine() -> Finding:
    """What is in the way where the engine runs and does not answer: it hangs, or its socket is gone."""
    return Finding(
        "error",
        "Docker runs on this server and does not answer, so nobody can see what is there. What it said last: "
        "journalctl --unit docker --lines 20. On the server: systemctl restart docker.socket docker.service; with "
        "live-restore, which the suite sets, containers go on meanwhile.",
    )


def _swarm(setup: Setup) -> Iterator[Finding]:
    if not setup.swarm:
        return
    stopped = ""
    if setup.configuration and re.search(r'"live-restore"\s*:\s*true', setup.configuration):
        stopped = (
            f' {DAEMON_JSON} has "live-restore": true, with which this engine cannot start: take it out first, and '
            "systemctl start docker."
        )
    yield Finding(
        "error",
        "The engine on this server is in Swarm mode, in which Docker does not start with live-restore, and without "
        "that it could not be restarted under a running Mastodon. If the swarm is not needed (docker node ls, docker "
        "service ls; its services end): docker swarm leave --force. If it is, use another server for Mastodon."
        + stopped,
    )
