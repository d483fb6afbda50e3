"""Watching a unit of the server at work."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from hashlib import sha256

from pyinfra.api import StringCommand

from mstdn.layout import DEPLOYMENT
from mstdn.shell import Commands, script, text_of

# What goes before scripts that watch. The unit takes the lock itself, and has to know whose run waits for it.
WATCHING = ("connection", "timers/watch")
# What every program of the unit of deployments begins with.
ENDED = "timers/ended"
DEPLOYMENT_UNIT = f"{DEPLOYMENT}.service"


def followed(unit: str, what: str, *arguments: str, program: str | None = None) -> StringCommand:
    """
    The command that starts the unit, or joins it where it works already, and tells what it says until it ends.

    what: it does, for people ("The backup"). program: the text of one for a unit that is not installed; then
    `arguments` are the command that systemd runs once it has ended, and the program's own. The work is the server's:
    whoever loses the connection loses none of it.
    """
    return script("timers/follow", unit, what, *arguments, before=WATCHING, stdin=program, told=True, lock=False)


def deployment_work(what: str, *arguments: str, program: Sequence[str], stdin: str | None = None) -> Commands:
    """
    The commands that have the unit of deployments do what takes long, and tell how it goes until it ends.

    what: it does, for people, with whatever makes it another work than the one before ("The change of web"). arguments:
    the program's; none is secret, for everybody may read them. program: names of the scripts that make it, after
    timers/ended. systemd runs it once more, with the same arguments, when it has ended in whatever way: where that
    script says so, the first of these puts in order what a program that was killed could not, and ends. stdin: what the
    last of them reads there; it is not secret either.
    """
    yield script("timers/hold")
    *before, last = map(text_of, (ENDED, *program))
    again = shlex.join(["/bin/sh", f"/run/{DEPLOYMENT}.program", *arguments])
    text = "".join([*before, "" if stdin is None else on_standard_input(stdin), last])
    yield followed(DEPLOYMENT_UNIT, what, again, *arguments, program=text)


def on_standard_input(text: str) -> str:
    """What has the rest of a script read this."""
    end = f"mstdn-{sha256(text.encode()).hexdigest()[:16]}"
    return f"exec <<'{end}'\n{text.rstrip(chr(10))}\n{end}\n"


def joined(unit: str) -> StringCommand:
    """The command that waits for the end of a unit at work, however it ends, and tells what it says."""
    return script("timers/join", unit, before=WATCHING, told=True, lock=False)
