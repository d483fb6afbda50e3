"""The system's own updates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyinfra import host

from mstdn.asking import ask
from mstdn.fact import Question
from mstdn.files.operations import converge_tree, states_of
from mstdn.files.tree import ConfigFile
from mstdn.operation import announce, operation
from mstdn.settings import Settings
from mstdn.shell import Commands, script
from mstdn.updates.facts import UpdateState
from mstdn.updates.rules import FILE, PACKAGE, is_refused, wanted_text


def update_questions() -> Iterator[Question[Any]]:
    """What system_updates asks."""
    yield UpdateState.of_the_server()
    yield states_of([], absent=[FILE])


@operation
def system_updates(settings: Settings) -> Commands:
    """
    Ensure that security fixes of the system install themselves, unless somebody has turned that off.

    What is configured there already stays: the suite adds a file of its own, and where it is not wanted takes that away
    again. The package stays, for it may be somebody else's.
    """
    found = ask(UpdateState.of_the_server())
    if not settings.updates_enabled or is_refused(found):
        yield from converge_tree([], absent=[FILE])
        host.noop("the system is left as it is")
        return
    if not found.installed:
        announce(f"not installed: {PACKAGE}")
        yield script("apt/install", PACKAGE)
    file = ConfigFile(FILE, wanted_text(docker=settings.updates_docker))
    yield from converge_tree([file])
