"""The drill now."""

from __future__ import annotations

from pyinfra import state

from mstdn.backup.rules import OFF
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.settings import Settings
from mstdn.shell import Commands
from mstdn.timers.following import followed

UNIT = "mstdn-drill.service"


@operation
def drill_now(settings: Settings) -> Commands:
    """
    Prove the newest backup, or join the drill that is being held, and tell how it goes.

    It is the unit that the timer starts every week. The instance is not touched.
    """
    if not settings.backup_repository:
        yield from refuse(OFF)
        return
    if not state.is_executing:
        announce(f"restores the newest backup in {settings.backup_repository} aside, and proves it")
    yield followed(UNIT, "The drill")
