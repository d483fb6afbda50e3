"""Watching a unit of the server at work."""

from __future__ import annotations

from pyinfra.api import StringCommand

from mstdn.shell import script


def followed(unit: str, what: str, *arguments: str, program: str | None = None) -> StringCommand:
    """
    The command that starts the unit, or joins it where it works already, and tells what it says until it ends.

    what: it does, for people ("The backup"). program: the text of one for a unit that is not installed; then
    `arguments` are the command that systemd runs once it has ended, and the program's own. The work is the server's:
    whoever loses the connection loses none of it.
    """
    # The unit takes the lock itself, and has to know whose run waits for it.
    return script("timers/follow", unit, what, *arguments, before="connection", stdin=program, told=True, lock=False)
