"""Engines, projects, containers and users of somebody else, and what the suite would do to them. Pure."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mstdn.docker.configuration import Merged
from mstdn.docker.obstacles import default_address
from mstdn.finding import Finding
from mstdn.layout import (
    BACK,
    MASTODON_PROJECT,
    MASTODON_SERVICES,
    MONITORING_PROJECT,
    MONITORING_SERVICES,
    PROXY_PROJECT,
    PROXY_SERVICES,
    STORES,
)

if TYPE_CHECKING:
    from mstdn.docker.facts import Container, Engine, Setup
    from mstdn.preflight.facts import ServerReport
    from mstdn.settings import Settings

DEFAULT_NETWORK = "bridge"
# Compose calls the containers of a service PROJECT-SERVICE-NUMBER: proxy-nginx-1, mstdn-web-2.
_OURS = {
    f"{project}-{service}-": project
    for project, services in (
        (MASTODON_PROJECT, MASTODON_SERVICES),
        (PROXY_PROJECT, PROXY_SERVICES),
        (MONITORING_PROJECT, MONITORING_SERVICES),
    )
    for service in services
}
# The names by which the suite's containers find each other, by the network where they ask for them.
_LOOKED_UP = {
    BACK: ("db", "redis", "web", "streaming"),
    f"{MASTODON_PROJECT}_outbound": STORES,
    f"{PROXY_PROJECT}_control": ("socket-proxy",),
    f"{PROXY_PROJECT}_outbound": ("socket-proxy",),
}


def users(engine: Engine, setup: Setup, settings: Settings, *, installed: bool) -> Iterator[Finding]:
    """Who may use Docker, and so is root, though no setting says so."""
    for user in settings.docker_users:
        if user in setup.strangers:
            yield Finding(
                "error",
                f"docker_users names {user}, but this server has no such user. On the server: adduser {user}; or take "
                "the name out of docker_users.",
            )
    others = sorted((engine.members or frozenset()) - frozenset(settings.docker_users))
    if others and not installed:
        everybody = json.dumps(sorted({*others, *settings.docker_users}))
        yield Finding(
            "error",
            f"{', '.join(others)} may use Docker on this server (group docker), and docker_users, which says who may, "
            f"does not name {'them' if len(others) > 1 else 'this user'}. They are root on it that way. Decide: "
            f"docker_users = {everybody}; or on the server: "
            + " && ".join(f"gpasswd --delete {user} docker" for user in others),
        )


def publishers(there: dict[str, Any], new: Merged, containers: Sequence[Container]) -> Iterator[Finding]:
    """Containers that are reached from outside now, and would not be any more."""
    address = default_address(new.configuration)
    if ipaddress.ip_address(address).is_unspecified:
        return
    joining = there.get("ip") != address
    for container in containers:
        ports = sorted({each.port for each in container.anywhere})
        held, by_default = bool(container.published), DEFAULT_NETWORK in container.networks
        # Nobody can tell of one that is stopped whether it was ever reached from outside since the engine was joined.
        if not ports or not (joining or (held and by_default)):
            continue
        when = (
            ("the engine or the server restarts" if held else "it is started again")
            if by_default
            else "its network is made anew (docker compose down, and up)"
        )
        stopped = "" if held else f" It does not run now; if nobody needs it any more: docker rm {container.name}"
        listed = " and ".join(map(str, ports))
        yield Finding(
            "error" if joining else "warning",
            f"The container {container.name} publishes port {listed} without an address, that is, to everybody. "
            f'docker_bind_address = "{address}" makes that {address} as soon as {when}, and nobody outside would reach '
            f'it any more. If it shall stay reachable: docker_bind_address = "0.0.0.0", or say it in its ports '
            f"(0.0.0.0:{ports[0]}:…).{stopped}",
        )


def other_engines(report: ServerReport) -> Iterator[Finding]:
    """Engines beside which Docker's own cannot be."""
    others = sorted(report.packages - {"docker-ce", "snap:docker"})
    # Where docker-ce is installed, apt has already seen to it that nothing is in its way.
    if others and "docker-ce" not in report.packages:
        yield Finding(
            "error",
            f"Docker is here in the distribution's own packages ({', '.join(others)}), beside which Docker's cannot "
            f"be installed. Remove them: apt-get remove {' '.join(others)}. What is in /var/lib/docker stays.",
        )
    if "snap:docker" in report.packages:
        yield Finding(
            "error",
            "Docker is here as a snap, and two engines would fight over the same ports and networks. Save what its "
            "containers hold, then: snap remove --purge docker",
        )


def other_projects(report: ServerReport, containers: Sequence[Container], settings: Settings) -> Iterator[Finding]:
    """Compose projects of somebody else that have the names of the suite's."""
    roots = {"proxy": settings.proxy_root, "mstdn": settings.mastodon_root}
    for project, root in roots.items():
        directories = {each.directory for each in containers if each.project == project}
        for directory in sorted(directories - {root, *report.directories}):
            yield Finding(
                "error",
                f"Another Compose project is called {project} (in {directory}), as the suite's own in {root} must "
                f"be. Rename it, or take it down: docker compose --project-directory {directory} down",
            )


def taken_names(containers: Sequence[Container]) -> Iterator[Finding]:
    """Containers of somebody else that have names which Compose may want to give to the suite's."""
    for container in containers:
        service = container.name.rstrip("0123456789")
        if service != container.name and _OURS.get(service, container.project) != container.project:
            yield Finding(
                "error",
                f"The container {container.name} is not one of the suite's, but has a name that Compose gives to "
                f"those. Give it another one, with which it goes on as before: docker rename {container.name} "
                f"other-{container.name}; or, if nobody needs it: docker rm --force {container.name}",
            )


def namesakes(containers: Sequence[Container]) -> Iterator[Finding]:
    """Containers of somebody else that are found where the suite's containers look for one of their own."""
    for container in _of_others(containers):
        for network, names in _LOOKED_UP.items():
            taken = sorted(container.called.get(network, frozenset()) & set(names))
            if taken:
                yield Finding(
                    "error",
                    f"The container {container.name} is not one of the suite's, but is called {' and '.join(taken)} in "
                    f"the network {network}, where the suite looks for its own under that name: a part of what "
                    "Mastodon reads and writes goes there. Give it another name there (in Compose: its service and "
                    f"aliases), or take it out: docker network disconnect {network} {container.name}",
                )


def writers(containers: Sequence[Container], roots: Iterable[str]) -> Iterator[Finding]:
    """
    Containers of somebody else that may write to the files of the database or of Redis.

    roots: mastodon_root, as it is set and where it really is.
    """
    stores = [PurePosixPath(root, store) for root in dict.fromkeys(roots) for store in ("database", "redis")]
    for container in _of_others(containers):
        # Those with which the suite itself moves a database belong to no project.
        if container.name.startswith(f"{MASTODON_PROJECT}-"):
            continue
        for path in sorted({path for path in container.writes if _is_within(PurePosixPath(path), stores)}):
            yield Finding(
                "error",
                f"The container {container.name} is not one of the suite's, but may write to {path}: two programs at "
                "work on one database destroy it. Stop it, and give it a place of its own: "
                f"docker stop {container.name}",
            )


def _of_others(containers: Sequence[Container]) -> Iterator[Container]:
    ours = frozenset(_OURS.values())
    return (each for each in containers if each.project not in ours)


def _is_within(path: PurePosixPath, directories: Iterable[PurePosixPath]) -> bool:
    return any(each in (path, *path.parents) for each in directories)
