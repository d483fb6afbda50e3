"""The chores now."""

from __future__ import annotations

from pyinfra import state

from mstdn.chores.programs import UNIT, chores_of
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.settings import Settings
from mstdn.shell import Commands
from mstdn.timers.following import followed


@operation
def chores_now(settings: Settings) -> Commands:
    """
    Do the chores, or join those that are being done, and tell how it goes.

    It is the unit that the timer starts every week.
    """
    if not chores_of(settings):
        yield from refuse("There are no chores: chores_profile_media_days and its like are all off.")
        return
    if not state.is_executing:
        announce(*(f"tootctl {each}" for each in chores_of(settings)))
    yield followed(UNIT, "Tidying up")
