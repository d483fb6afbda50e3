"""Settings that were renamed: the old name is known for one release, and says the new one."""

from __future__ import annotations

from dataclasses import dataclass

from mstdn.problems import Problem


@dataclass(frozen=True)
class Renamed:
    """`new`: today's name. `since`: the version of the suite that brought it. `instead`: what to type."""

    new: str
    since: str
    instead: str


RENAMED = {
    "proxy_trust_downstream": Renamed(
        "proxy_downstream_addresses",
        "0.2.0",
        'proxy_downstream_addresses = ["203.0.113.0/24"], with the addresses of your load balancer or CDN; without '
        "one, remove it",
    ),
}


def renamed(key: str) -> Problem:
    """What to say of a setting under its old name."""
    today = RENAMED[key]
    return Problem(key, f"since {today.since} it is called {today.new}", today.instead)
