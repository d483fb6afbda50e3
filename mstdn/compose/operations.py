"""Compose projects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from pyinfra import state

from mstdn.asking import ask, forget
from mstdn.compose.commands import bring_up, roll
from mstdn.compose.facts import Applied, AppliedProject, Settled
from mstdn.compose.project import Project
from mstdn.compose.rules import Steps, making_of, of_project, steps, stopped, wanted_revision, way_of
from mstdn.docker.facts import Containers
from mstdn.files.commands import file_step, put, put_file
from mstdn.files.operations import not_written
from mstdn.images.facts import ImageStates
from mstdn.layout import NETWORKS
from mstdn.networks.facts import DockerNetworks
from mstdn.operation import announce
from mstdn.refusal import refuse
from mstdn.shell import Commands, script


def converge_project(
    project: Project,
    images: Sequence[str],
    timeout_seconds: int,
    refusing: Callable[[], Mapping[str, str]] = dict,
) -> Commands:
    """
    The commands that make the project run as its files say: every service healthy, on the present images, nothing else.

    images: references of all images that the suite knows. timeout_seconds: for all services to become healthy; then the
    run fails and shows the last log lines of the others. refusing: asks which services do not let others in.

    Only the containers concerned are touched, and those that can make room for new ones do so without a gap. The
    operator's own compose.override.yaml is honoured: its services are started too, but neither counted nor waited for.
    """
    applied = ask(AppliedProject.of(project.directory, project.made_from_paths, project.reloaded_paths))
    if applied.led:
        yield from refuse(
            f"{project.directory}/.env sets {' and '.join(applied.led)}, with which Compose would not do what the "
            "suite's files say. Take that out of it. What you want to add to the project belongs in "
            "compose.override.yaml."
        )
        return
    if applied.broken:
        path, _, verdict = applied.broken.partition(" ")
        yield from refuse(f"Compose cannot read {path}. Correct it, or move it away. In its own words: {verdict}")
        return
    todo = _look(project, applied, images, refusing())
    if todo.waiting and state.is_executing and not todo.changes_containers:
        # After a restart of the daemon every container counts as starting for a while, and most of them are well.
        ask(Settled.of(project.name, timeout_seconds))
        forget()
        todo = _look(project, applied, images, refusing())
    if todo.changes_containers:
        announce(*(f"{project.title}: {reason}" for reason in todo.reasons), *_notices(project, applied, todo))
        yield from _change(project, applied, todo, timeout_seconds)
        revision = wanted_revision(project, applied)
        parts = json.dumps(dict(project.parts), sort_keys=True)
        notes = [("parts", parts)] if applied.parts != project.parts else []
        notes += [("applied", revision)]
        yield put([file_step(f"{project.directory}/state/{name}", "0:0", "0644", text) for name, text in notes])
        yield from _note(project)
    elif todo.note:
        announce(*(f"{project.title}: {reason}" for reason in todo.reasons))
        yield from _note(project)
    if todo.reload:
        # A container that was made a moment ago has read it; one that was not has to be told.
        yield script(project.reload, project.directory)
        loaded = f"{project.directory}/state/loaded"
        yield put_file(loaded, "0:0", "0644", project.reload_revision)


def running_project(
    project: Project,
    images: Sequence[str],
    timeout_seconds: int,
    refusing: Callable[[], Mapping[str, str]] = dict,
) -> Commands:
    """
    The commands of converge_project. Refuses where the project's files are not on the server as they should be, and do
    not come earlier in this run: somebody runs the file of tasks/ by itself that starts it.
    """
    if paths := not_written(project.files):
        yield from refuse(
            f"{project.title[0].upper()}{project.title[1:]} starts by its files, and this run does not write them. Not "
            f"as the settings say, or not there: {', '.join(paths)}. Everything in its order: "
            "pyinfra inventory.py deploy.py"
        )
        return
    yield from converge_project(project, images, timeout_seconds, refusing)


def _look(project: Project, applied: Applied, images: Sequence[str], refusing: Mapping[str, str]) -> Steps:
    containers, present = ask(Containers.all()), ask(ImageStates.of(images)).ids
    networks = {name: network.id for name, network in ask(DockerNetworks.named(NETWORKS)).items()}
    return steps(project, applied, containers, present, networks, refusing)


def _notices(project: Project, applied: Applied, todo: Steps) -> Iterator[str]:
    """What people should know who wait while containers stop."""
    containers = ask(Containers.all())
    services = stopped(project, applied, containers, todo)
    for service in services:
        if service in project.replaced and way_of(service, project, containers) is not project.replaced[service]:
            yield f"{service} publishes a port, which two of it could not: it stops before the new one starts"
        elif service in project.notices:
            yield project.notices[service]


def _change(project: Project, applied: Applied, todo: Steps, timeout_seconds: int) -> Commands:
    if todo.resume:
        yield script("compose/resume", *todo.resume)
    if todo.renew:
        yield script("compose/renew", project.directory, *todo.renew)
    if todo.restart:
        yield script("compose/restart", *todo.restart)
    if todo.roll:
        if project.first and applied.revision != wanted_revision(project, applied):
            yield bring_up(project.name, project.directory, timeout_seconds, project.first)
        containers = ask(Containers.all())
        ways = {service: way_of(service, project, containers) for service in todo.roll}
        yield from roll(project.name, project.directory, timeout_seconds, ways, todo.retired, project.move)
    yield bring_up(project.name, project.directory, timeout_seconds, project.services)


def _note(project: Project) -> Commands:
    containers = ask(Containers.all())
    making = making_of(project, of_project(project, containers))
    path = f"{project.directory}/state/making"
    yield put_file(path, "0:0", "0644", json.dumps(making, sort_keys=True))
    if project.mounted:
        yield script("compose/note_mounts", project.directory, *project.mounted)
