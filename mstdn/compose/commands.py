"""What several components do with a Compose project."""

from collections.abc import Mapping, Sequence

from pyinfra.api import StringCommand

from mstdn.compose.project import Way
from mstdn.shell import Commands, script
from mstdn.timers.following import deployment_work


def bring_up(project: str, directory: str, timeout_seconds: int, services: Sequence[str]) -> StringCommand:
    """
    Brings these services of a project up as its files say. It fails, and shows the last log lines of what is not
    healthy in time. directory: of the project's files.
    """
    return script("compose/up", project, directory, str(timeout_seconds), *services, before="compose/health")


def roll(
    project: str, directory: str, timeout_seconds: int, ways: Mapping[str, Way], retired: Sequence[str], move: str
) -> Commands:
    """
    Has containers of a project make room for others where its files say something else now.

    directory: of the project's files. timeout_seconds: for each to become healthy. ways: by service, in this order.
    retired: IDs of containers that have to go in any case. move: the script that leads visitors from one to another.
    The work is that of a unit of the server, for two web must not be left to chance when the connection breaks.
    """
    program = ("compose/health", move, "compose/put_in_order", "connection", "lock", "compose/roll")
    words = [f"{service}={way.value}" for service, way in ways.items()]
    what = f"The change of {', '.join(ways)}"
    yield from deployment_work(what, project, directory, str(timeout_seconds), *words, "--", *retired, program=program)
