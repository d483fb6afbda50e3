"""
What has to be done so that a Compose project runs as its files say. Pure.

"docker compose up" makes what is missing, starts what has ended and replaces what its files no longer describe. All
else it takes for up to date: a paused container, one that is unhealthy, one that "docker update" or "docker network
disconnect" changed, one whose mounted file was replaced. Neither "up --dry-run" nor "config --hash" can tell whether
something is to be done (docker/compose#14029, #14001, #10907). So the suite notes on the server what it applied, and
looks itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mstdn.compose.facts import Applied
from mstdn.compose.project import Project, Way
from mstdn.docker.facts import Container


@dataclass
class Steps:
    """
    What to do, in this order. `resume`, `restart`: container IDs. `renew`: services whose containers are made anew.
    `roll`: services whose container makes room for a new one if that would be another, `retired` the IDs of containers
    that have to make room in any case. `up`: let Compose make and start what is missing. `note`: only note what is
    there. `reload`: let services read their configuration anew. `waiting`: some containers are still starting; what
    they become is not known yet. `reasons`: why, for people.
    """

    resume: list[str] = field(default_factory=list)
    restart: list[str] = field(default_factory=list)
    renew: list[str] = field(default_factory=list)
    roll: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    up: bool = False
    note: bool = False
    reload: bool = False
    waiting: bool = False
    reasons: list[str] = field(default_factory=list)

    @property
    def changes_containers(self) -> bool:
        """Whether any container is touched."""
        return bool(self.resume or self.restart or self.renew or self.roll or self.up)


def of_project(project: Project, containers: Iterable[Container]) -> list[Container]:
    """The project's containers, but for those of "docker compose run", which are somebody's own business."""
    return [each for each in containers if each.project == project.name and not each.once]


def wanted_revision(project: Project, applied: Applied) -> str:
    """What state/applied should say: the project's revision, and the operator's own override file."""
    return f"{project.revision} {applied.override}".strip()


def steps(
    project: Project,
    applied: Applied,
    containers: Iterable[Container],
    images: Mapping[str, str],
    networks: Mapping[str, str],
    refusing: Mapping[str, str] | None = None,
) -> Steps:
    """
    The steps from what is to what is wanted.

    containers: all of the engine. images: the ID of each image on the server by reference. networks: the present ID of
    each of the suite's networks by name. refusing: services that do not let others in with the password of today, with
    their words.
    """
    refusing = refusing or {}
    found = of_project(project, containers)
    todo = Steps()
    if applied.revision != wanted_revision(project, applied):
        todo.up = True
        todo.reasons.append("its configuration changed" if applied.revision else "it is not as its files say")
    for service in project.services:
        mine = [each for each in found if each.service == service]
        if len(mine) != 1:
            todo.up = True
            todo.reasons.append(f"{service} does not exist" if not mine else f"{service} exists {len(mine)} times")
        for container in mine:
            _judge(container, applied.making.get(service, ""), images, networks, refusing, todo)
    # With an override file, further services are the operator's; without one they are left from an older configuration.
    if not applied.override and (strangers := sorted({each.service for each in found} - set(project.services))):
        todo.up = True
        todo.reasons += [f"{service} is no longer part of it" for service in strangers]
    _judge_mounts(project, applied, found, todo)
    _judge_listeners(project, applied, found, networks, todo)
    if applied.revision != wanted_revision(project, applied):
        # Compose makes those anew that its files describe in another way now. To restart them before would be once too
        # often.
        todo.renew += [each.service for each in found if each.id in todo.restart]
        todo.retired += todo.restart
        todo.restart = []
    anew = applied.revision != wanted_revision(project, applied) and not _is_being_made(project, applied, found)
    _replace(project, found, todo, anew=anew)
    todo.reload = bool(project.reloaded) and applied.loaded != project.reload_revision
    unknown = applied.making != making_of(project, found) or applied.mounted.keys() != project.mounted.keys()
    if not todo.changes_containers and unknown:
        todo.note = True
        todo.reasons.append("what its containers were made with is not noted")
    return todo


def _is_being_made(project: Project, applied: Applied, found: Iterable[Container]) -> bool:
    """Whether the project is on its way to being there for the first time: nobody is served, so nobody has to move."""
    return not applied.making and not {*project.services} <= {each.service for each in found}


def _replace(project: Project, found: Sequence[Container], todo: Steps, *, anew: bool) -> None:
    """
    Containers that can make room for new ones without a gap do so, instead of being restarted or made anew in place.

    `anew`: the files may describe every container in another way now. Which they do, only Compose can tell.
    """
    for service in project.replaced:
        mine = [each for each in found if each.service == service]
        way = way_of(service, project, found)
        if len(mine) < 2 and not any(each.status == "running" for each in mine):
            continue
        serving = {each.id for each in mine if each.status == "running" and each.health != "unhealthy"}
        away = [each for each in todo.restart if each in serving and way is not Way.AFTER]
        todo.retired += away
        todo.restart = [each for each in todo.restart if each not in away]
        if anew or away or len(mine) > 1 or service in todo.renew:
            todo.roll.append(service)
        todo.renew = [each for each in todo.renew if each != service]
    todo.retired = [each.id for each in found if each.id in todo.retired and each.service in todo.roll]


def way_of(service: str, project: Project, containers: Iterable[Container]) -> Way:
    """
    How the container of one of project.replaced makes room for a new one.

    Two of them cannot publish one port, which the operator's own compose.override.yaml may say.
    """
    way = project.replaced[service]
    publishes = any(each.published for each in of_project(project, containers) if each.service == service)
    return Way.AFTER if publishes and way is Way.BESIDE else way


def stopped(project: Project, applied: Applied, containers: Iterable[Container], todo: Steps) -> list[str]:
    """The services whose containers are stopped or replaced, as far as it can be told beforehand."""
    anew = applied.revision != wanted_revision(project, applied)
    found = of_project(project, containers)
    touched = {each.service for each in found if each.id in {*todo.restart, *todo.retired}} | {*todo.renew}
    if anew:
        touched |= {each for each in project.services if applied.parts.get(each, "") != project.parts.get(each)}
    there = {each.service for each in found if each.status == "running"}
    return [each for each in project.services if each in touched & there]


def _judge_mounts(project: Project, applied: Applied, found: Iterable[Container], todo: Steps) -> None:
    """Whoever mounts a file that was changed, or will be, still has the old one."""
    wanted = {file.path: file.sha256 for file in project.files}
    for path, services in project.mounted.items():
        noted = applied.mounted.get(path)
        if noted and (path in applied.edited or wanted.get(path, noted) != noted):
            for container in found:
                if (
                    container.service in services
                    and container.status == "running"
                    and not _is_concerned(container, todo)
                ):
                    todo.restart.append(container.id)
                    todo.reasons.append(f"{container.service} was started with another {path}")


def _judge_listeners(
    project: Project, applied: Applied, found: Iterable[Container], networks: Mapping[str, str], todo: Steps
) -> None:
    """
    Restart the services that hold a connection to a container that lost its network.

    Nothing closes that connection. It ends with an error, up to 150 s later, and after an error the client of Docker
    that docker-gen is built with never gets another event, while its pings succeed (go-dockerclient 1.13.2, event.go:
    each error opens a further stream, until two of its locks wait for each other).
    """
    cut_off = {
        each.service
        for each in found
        if _lost_networks(each, networks) or "networks" in _differing(applied.making.get(each.service, ""), each)
    }
    for container in found:
        heard = project.listeners.get(container.service, "")
        if heard in cut_off and container.status == "running" and not _is_concerned(container, todo):
            todo.restart.append(container.id)
            todo.reasons.append(f"{container.service} lost its connection to {heard}")


def _lost_networks(container: Container, networks: Mapping[str, str]) -> list[str]:
    return sorted(name for name, identity in container.networks.items() if networks.get(name, identity) != identity)


def _differing(making: str, container: Container) -> str:
    return differences(making, container.making) if making else ""


def _is_concerned(container: Container, todo: Steps) -> bool:
    return container.id in todo.restart or container.service in todo.renew


def _judge(
    container: Container,
    making: str,
    images: Mapping[str, str],
    networks: Mapping[str, str],
    refusing: Mapping[str, str],
    todo: Steps,
) -> None:
    service = container.service
    lost = _lost_networks(container, networks)
    if images.get(container.reference, container.image) != container.image:
        # Compose sees that by itself, as long as its files name the same image.
        todo.renew.append(service)
        todo.retired.append(container.id)
        todo.reasons.append(f"{service} runs another image than {container.reference} is now")
    elif differing := _differing(making, container):
        todo.renew.append(service)
        todo.retired.append(container.id)
        todo.reasons.append(f"{service} was changed by hand: {differing}")
    elif lost:
        todo.renew.append(service)
        todo.retired.append(container.id)
        todo.reasons.append(f"{service} is on a network {', '.join(lost)} that no longer exists")
    elif container.status == "paused":
        todo.resume.append(container.id)
        todo.reasons.append(f"{service} is paused")
    elif container.status in ("dead", "restarting"):
        # The one Docker tried to remove and could not, and it can never be started again. The other ends whenever it is
        # started: what it holds of its own may be broken; or Docker itself kills it, for ever, as happens to one that
        # ended while the engine was starting (moby/moby#48912). "docker restart" helps neither.
        todo.renew.append(service)
        todo.reasons.append(f"{service} is {container.status}")
    elif container.status != "running":
        todo.up = True
        todo.reasons.append(f"{service} is {container.status}")
    elif container.gone:
        todo.restart.append(container.id)
        todo.reasons.append(f"{service} holds {', '.join(container.gone)}, which is no longer there")
    elif container.health == "unhealthy":
        todo.restart.append(container.id)
        todo.reasons.append(f"{service} is unhealthy")
    elif service in refusing:
        # It reads its password when it starts.
        todo.restart.append(container.id)
        todo.reasons.append(f"{service} does not let Mastodon in: {refusing[service]}")
    elif container.health == "starting":
        todo.waiting = True


def making_of(project: Project, containers: Sequence[Container]) -> dict[str, str]:
    """What state/making should say: what the container of each of the project's services was made with."""
    return {each.service: each.making for each in containers if each.service in project.services}


def differences(before: str, now: str) -> str:
    """
    The names of what differs between two texts Container.making; "" for nothing.

    What only one of them names says nothing: another version of the suite may have noted more, or less.
    """
    old, new = (_without_numbers(json.loads(each)) for each in (before, now))
    return ", ".join(sorted(key for key in old.keys() & new.keys() if old[key] != new[key]))


def _without_numbers(making: dict[str, Any]) -> dict[str, Any]:
    """Up to 0.2.0 the container's own name, "mstdn-web-1", was noted among those by which others find it."""
    networks = making.get("networks")
    if isinstance(networks, dict):
        making["networks"] = {
            network: [name for name in names if not re.fullmatch(r".+-\d+", name)]
            for network, names in networks.items()
        }
    return making
