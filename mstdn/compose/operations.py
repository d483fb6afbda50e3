"""Compose projects."""

from collections import Counter
from collections.abc import Sequence

from pyinfra import host
from pyinfra.api import operation

from mstdn.compose.facts import ComposeProject
from mstdn.shell import Commands, script
from mstdn.stack import Stack


@operation()
def compose_project(
    project: str,
    directory: str,
    services: Sequence[str],
    stack: Stack,
    revision: str,
    reload: str,
    timeout_seconds: int,
) -> Commands:
    """
    Ensure that the project runs as its files say: every service healthy, on the present images, nothing else.

    + project, directory: its name and where its compose.yaml lies
    + services: that shall run
    + stack: the project's files
    + revision: of all that containers are made from; a change makes Compose replace what it affects
    + reload: name of the script that makes running services read stack.reloaded anew, called with the directory
    + timeout_seconds: for all services to become healthy; then the run fails and shows the last words of the others

    Neither "up --dry-run" nor "config --hash" can tell whether something is to be done (docker/compose#14029, #14001,
    #10907), so the suite notes on the server what it applied.
    """
    applied, loaded = f"{directory}/state/applied", f"{directory}/state/loaded"
    state = host.get_fact(
        ComposeProject,
        project=project,
        applied=applied,
        loaded=loaded,
        applied_files=[*(file.path for file in stack.made_from), *([stack.secrets] if stack.secrets else [])],
        loaded_files=[file.path for file in stack.reloaded],
    )
    running = Counter(container.service for container in state.containers if container.well)
    as_wanted = state.applied == revision and set(running) == set(services) and len(state.containers) == running.total()
    if not as_wanted:
        yield script("compose/up", project, directory, str(timeout_seconds))
        yield script("files/write", applied, "0:0", "0644", stdin=f"{revision}\n")
    if state.loaded != stack.reload_revision:
        if state.containers:
            yield script(reload, directory)
        yield script("files/write", loaded, "0:0", "0644", stdin=f"{stack.reload_revision}\n")
