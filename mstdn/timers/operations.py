"""Programs, units and timers, converged as one tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mstdn.alerts.programs import alert_programs, alert_settings
from mstdn.asking import ask
from mstdn.backup.programs import backup_programs, program_settings
from mstdn.chores.programs import chore_programs, chore_settings
from mstdn.drill.programs import drill_programs, drill_settings
from mstdn.fact import Question
from mstdn.files.operations import converge_tree, states_of, written_in
from mstdn.files.tree import ConfigDirectory, ConfigFile
from mstdn.kinds.dotenv import dotenv_text
from mstdn.layout import FIREWALL_UNIT, PROGRAM_SETTINGS, PROGRAMS, UNITS, MastodonLayout
from mstdn.operation import announce, operation
from mstdn.proxy.programs import proxy_programs
from mstdn.settings import Settings
from mstdn.shell import Commands, script
from mstdn.timers.facts import Unit, Units

DIRECTORIES = (ConfigDirectory(PROGRAMS, exclusive=True),)


def wanted_files(settings: Settings) -> tuple[ConfigFile, ...]:
    """Every program, unit and timer that a server with these settings has; what they are told comes with them."""
    programs = [*proxy_programs(), *alert_programs(settings), *chore_programs(settings)]
    told = alert_settings(settings) | chore_settings(settings)
    if settings.backup_repository:
        programs += [*backup_programs(settings), *drill_programs(settings)]
        told |= program_settings(settings) | drill_settings(settings)
    text = dotenv_text(_places(settings) | told, "What the programs here are told. Written by the suite.")
    return (*programs, ConfigFile(PROGRAM_SETTINGS, text))


def _places(settings: Settings) -> dict[str, str]:
    return {
        "LOCAL_DOMAIN": settings.local_domain,
        "MASTODON_ROOT": MastodonLayout(settings.mastodon_root).root,
        "PROXY_ROOT": settings.proxy_root,
    }


def timer_questions(settings: Settings) -> Iterator[Question[Any]]:
    """What installed_timers asks."""
    files = wanted_files(settings)
    yield written_in(UNITS)
    yield states_of(files, DIRECTORIES, ())
    yield Units.of(_units(files))


@operation
def installed_timers(settings: Settings) -> Commands:
    """
    Ensure the programs, units and timers that the settings want, enabled and waiting, and no others of the suite.

    What is of others in systemd's directory stays: the suite's own say so in their first line.
    """
    files = wanted_files(settings)
    # The firewall's unit is its component's, and is no program that runs by itself.
    paths = {FIREWALL_UNIT, *(file.path for file in files)}
    if gone := [path for path in ask(written_in(UNITS)) if path not in paths]:
        announce(*(f"{path} is no longer wanted" for path in gone))
        yield script("timers/disable", *gone)
    written = list(converge_tree(files, DIRECTORIES, ()))
    yield from written
    states, enabled = ask(Units.of(_units(files))), _enabled(files)
    idle = [name for name in enabled if not _is_waiting(states.units.get(name))]
    if not written:
        announce(*(f"{name} is not enabled, or does not wait" for name in idle))
        if states.stale:
            announce("systemd has not read its files since they changed")
    if written or idle or states.stale:
        yield script("timers/enable", *enabled)


def _is_waiting(unit: Unit | None) -> bool:
    """A timer waits for its time; a service works now and then."""
    return unit is not None and unit.enabled and (unit.active or not unit.name.endswith(".timer"))


def _units(files: Iterable[ConfigFile]) -> list[str]:
    return [file.path.rpartition("/")[2] for file in files if file.path.startswith(f"{UNITS}/")]


def _enabled(files: Sequence[ConfigFile]) -> list[str]:
    """The units that say themselves when they are started; the others are started by those."""
    return _units(file for file in files if "\n[Install]\n" in file.text)
