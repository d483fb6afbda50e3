"""What several components do with a Compose project."""

from collections.abc import Sequence

from pyinfra.api import StringCommand

from mstdn.shell import script


def bring_up(project: str, directory: str, timeout_seconds: int, services: Sequence[str]) -> StringCommand:
    """
    Brings these services of a project up as its files say. It fails, and shows the last log lines of what is not
    healthy in time. directory: of the project's files.
    """
    return script("compose/up", project, directory, str(timeout_seconds), *services, before="compose/unwell")
