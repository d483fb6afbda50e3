"""Watching a unit of the server at work."""

from __future__ import annotations

from pyinfra.api import StringCommand

from mstdn.shell import script


def followed(unit: str, what: str) -> StringCommand:
    """
    The command that starts the unit, or joins it where it works already, and tells what it says until it ends.

    what: it does, for people ("The backup"). The work is the server's: whoever loses the connection loses none of it.
    """
    # The unit takes the lock itself, and has to know whose run waits for it.
    return script("timers/follow", unit, what, before="connection", told=True, lock=False)
