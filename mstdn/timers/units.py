"""
Programs that a server runs by itself, their units and timers, as files. Pure.

There is no Python of ours on a server: a program is the scripts of a component, one after another.
"""

from __future__ import annotations

from collections.abc import Mapping

from mstdn.files.operations import MARK
from mstdn.files.tree import ConfigFile
from mstdn.layout import PROGRAMS, UNITS
from mstdn.shell import text_of

HEAD = f"# {MARK}: change settings instead, and deploy.\n"


def program(name: str, *scripts: str) -> ConfigFile:
    """The program of this name, from these scripts ("backup/make")."""
    text = "".join(map(text_of, scripts))
    return ConfigFile(f"{PROGRAMS}/{name}", f"#!/bin/sh\n{HEAD}{text}", "0755")


def service(
    name: str,
    description: str,
    command: str,
    *,
    timeout_seconds: int | None = None,
    failure: str = "",
    success: str = "",
    environment: Mapping[str, str] | None = None,
    wanted_by: str = "",
) -> ConfigFile:
    """
    The unit that runs a program once, at a lower priority than the site. Its output is in the journal under its name.

    command: the program and its arguments. timeout_seconds: after which it is ended; None for one that may take hours.
    failure: the unit that is started when it fails. success: the command that follows otherwise, whose own failure
    counts for nothing. environment: variables of both commands; no secrets, for everybody may read them. wanted_by: the
    unit after each start of which it runs; by default a timer says when.
    """
    timeout = f"TimeoutStartSec={timeout_seconds}\n" if timeout_seconds else ""
    on_failure = f"OnFailure={failure}\n" if failure else ""
    afterwards = f"ExecStartPost=-{PROGRAMS}/{success}\n" if success else ""
    install = f"\n[Install]\nWantedBy={wanted_by}\n" if wanted_by else ""
    variables = "".join(f"Environment={_quoted(f'{key}={value}')}\n" for key, value in (environment or {}).items())
    return ConfigFile(
        f"{UNITS}/{name}.service",
        f"""{HEAD}[Unit]
Description={description}
Wants=network-online.target
After=network-online.target docker.service
{on_failure}
[Service]
Type=oneshot
{variables}ExecStart={PROGRAMS}/{command}
{afterwards}SyslogIdentifier={name}
UMask=0077
Nice=10
IOSchedulingClass=idle
{timeout}{install}""",
    )


def _quoted(text: str) -> str:
    """One word of a setting of systemd, in which nothing is special: systemd.syntax(7), systemd.unit(5) for "%"."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


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
