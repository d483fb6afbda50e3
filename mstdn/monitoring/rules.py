"""What monitoring consists of, and what is left of it where it is turned off. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from mstdn.layout import (
    MASTODON_PROJECT,
    MASTODON_SERVICES,
    MONITORING,
    MONITORING_PROJECT,
    MONITORING_SERVICES,
    PROXY_PROJECT,
    PROXY_SERVICES,
)
from mstdn.problems import Problem

if TYPE_CHECKING:
    from mstdn.docker.facts import Container as DockerContainer
    from mstdn.monitoring.facts import Role
    from mstdn.settings import Settings

PASSWORD = "MONITORING_PASSWORD"  # noqa: S105 (its name)
# What PostgreSQL lets its role do: see statistics and settings, and no row of a table. Source: PostgreSQL's manual,
# Predefined Roles.
RIGHTS = ("pg_monitor",)

# With these, web and Sidekiq would tell somebody else, or nobody: _LOCAL is a server inside of each process, and Puma's
# workers fill copies of it that nobody can ask (mastodon/mastodon#33734).
WIRED = (
    "MASTODON_PROMETHEUS_EXPORTER_ENABLED",
    "MASTODON_PROMETHEUS_EXPORTER_HOST",
    "MASTODON_PROMETHEUS_EXPORTER_LOCAL",
    "MASTODON_PROMETHEUS_EXPORTER_PORT",
    "PROMETHEUS_EXPORTER_HOST",
    "PROMETHEUS_EXPORTER_PORT",
)
CHOSEN = {
    "MASTODON_PROMETHEUS_EXPORTER_SIDEKIQ_DETAILED_METRICS": "monitoring_details",
    "MASTODON_PROMETHEUS_EXPORTER_WEB_DETAILED_METRICS": "monitoring_details",
}


def the_exporter_is_wired_once(monitoring_enabled: bool, mastodon_environment: Mapping[str, str]) -> Iterator[Problem]:
    """Without monitoring_enabled, an exporter of the operator's own may be named there."""
    for name in mastodon_environment if monitoring_enabled else ():
        setting = f'mastodon_environment["{name}"]'
        if name in WIRED:
            yield Problem(setting, "monitoring_enabled decides it", "remove it, or set monitoring_enabled = False")
        elif name in CHOSEN:
            yield Problem(setting, "it has a setting of its own", f"the setting {CHOSEN[name]}; remove it here")


def services_of(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The services that shall run with these settings, by their projects, in their order."""
    monitoring = {MONITORING_PROJECT: MONITORING_SERVICES} if settings.monitoring_enabled else {}
    return {MASTODON_PROJECT: MASTODON_SERVICES, PROXY_PROJECT: PROXY_SERVICES, **monitoring}


def lacking(role: Role) -> str:
    """What is not in order with the role in PostgreSQL, in words; "" where it is."""
    if role.refused:
        return f"PostgreSQL does not let the exporter in: {role.refused}"
    if not role.there:
        return "PostgreSQL has no role for the exporter"
    if missing := [each for each in RIGHTS if each not in role.member_of]:
        return f"the exporter's role in PostgreSQL is no member of {', '.join(missing)}"
    if further := sorted({*role.member_of} - {*RIGHTS} | {*role.rights}):
        return f"the exporter's role in PostgreSQL may do more than it should: {', '.join(further)}"
    return ""


def left_containers(containers: Iterable[DockerContainer]) -> list[str]:
    """The IDs of those that belong to monitoring."""
    return [each.id for each in containers if each.project == MONITORING_PROJECT]


def left_network(networks: Container[str], containers: Iterable[DockerContainer]) -> str:
    """The network, if it is there and nobody else is on it; "" otherwise."""
    others = [each for each in containers if each.project != MONITORING_PROJECT and MONITORING in each.networks]
    return MONITORING if MONITORING in networks and not others else ""


def left_secrets(names: Collection[str]) -> bool:
    """Whether the password is still among the instance's secrets. It goes last: more may be left."""
    return PASSWORD in names
