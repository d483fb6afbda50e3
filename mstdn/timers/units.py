"""
Programs that a server runs by itself, their units and timers, as files. Pure.

There is no Python of ours on a server: a program is the scripts of a component, one after another.
"""

from __future__ import annotations

from mstdn.files.operations import MARK
from mstdn.files.tree import ConfigFile
from mstdn.layout import PROGRAMS, UNITS
from mstdn.shell import text_of

HEAD = f"# {MARK}: change settings instead, and deploy.\n"


def program(name: str, *scripts: str) -> ConfigFile:
    """The program of this name, from these scripts ("backup/make")."""
    text = "".join(map(text_of, scripts))
    return ConfigFile(f"{PROGRAMS}/{name}", f"#!/bin/sh\n{HEAD}{text}", "0755")


def service(name: str, description: str, program_name: str, *, timeout_seconds: int | None = None) -> ConfigFile:
    """
    The unit that runs a program once, at a lower priority than the site. Its output is in the journal under its name.

    timeout_seconds: after which it is ended; None for a program that may take hours.
    """
    timeout = f"TimeoutStartSec={timeout_seconds}\n" if timeout_seconds else ""
    return ConfigFile(
        f"{UNITS}/{name}.service",
        f"""{HEAD}[Unit]
Description={description}
Wants=network-online.target
After=network-online.target docker.service

[Service]
Type=oneshot
ExecStart={PROGRAMS}/{program_name}
SyslogIdentifier={name}
UMask=0077
Nice=10
IOSchedulingClass=idle
{timeout}""",
    )


def timer(name: str, description: str, calendar: str, delay_minutes: int) -> ConfigFile:
    """The timer of a unit. calendar: as systemd.time(7) has it. A time at which the server was off is made up for."""
    return ConfigFile(
        f"{UNITS}/{name}.timer",
        f"""{HEAD}[Unit]
Description={description}

[Timer]
OnCalendar={calendar}
RandomizedDelaySec={delay_minutes}min
Persistent=true

[Install]
WantedBy=timers.target
""",
    )
