"""Programs, units and timers: what is written, enabled, and taken away."""

from __future__ import annotations

from mstdn.layout import FIREWALL_UNIT, PROGRAMS, UNITS
from mstdn.settings import Settings
from mstdn.timers.operations import installed_timers, wanted_files
from tests.harness import Command, commands_of, settings_with

ON: Settings = settings_with(backup_repository="/srv/backups")
# Nothing runs by a timer.
NO_CHORES = {"chores_profile_media_days": 0, "chores_preview_card_days": 0, "chores_orphans": False}
NONE: Settings = settings_with(alerts_enabled=False, **NO_CHORES)
SOCKET = "mstdn-socket.service"
ENABLED = (
    SOCKET,
    *(
        file.path.rpartition("/")[2]
        for file in wanted_files(ON)
        if file.path.startswith(UNITS) and file.path.endswith(".timer")
    ),
)
UNIT_NAMES = [file.path.rpartition("/")[2] for file in wanted_files(ON) if file.path.startswith(UNITS)]
INSTALLED = (
    f"state 41ed 0:0 {PROGRAMS}\n"
    + "".join(f"state {0o100000 | int(file.mode, 8):x} 0:0 {file.path}\n" for file in wanted_files(ON))
    + "".join(f"sum {file.sha256}  {file.path}\n" for file in wanted_files(ON))
)
WAITING = "".join(
    f"unit {name} loaded {'enabled' if name in ENABLED else 'static'} {'' if name.endswith('.timer') else 'in'}active\n"
    for name in UNIT_NAMES
)
WRITTEN = "".join(f"written {UNITS}/{name}\n" for name in UNIT_NAMES)
GOOD = {"files/state": INSTALLED, "timers/state": WAITING, "files/written": WRITTEN}


def timer_commands(settings: Settings = ON, **facts: str) -> list[Command]:
    return commands_of(
        installed_timers, GOOD | {name.replace("_", "/"): text for name, text in facts.items()}, settings=settings
    )


def test_a_server_without_programs_gets_all_of_them_and_then_they_are_enabled() -> None:
    commands = timer_commands(files_state="", timers_state="", files_written="")
    written = [command.words[-1] for command in commands if command.words[0] == "file"]
    assert written == [file.path for file in wanted_files(ON)]
    assert commands[-1] == Command("timers/enable", ENABLED)


def test_what_is_as_it_should_be_is_left_alone() -> None:
    assert timer_commands() == []


def test_the_units_of_other_components_stay() -> None:
    written = f"written {FIREWALL_UNIT}\n"
    assert timer_commands(files_written=WRITTEN + written) == []
    commands = timer_commands(NONE, files_state="", files_written=written)
    assert "timers/disable" not in {command.script for command in commands}


def test_a_unit_that_was_disabled_stopped_or_is_not_known_is_enabled_again() -> None:
    for state in (
        WAITING.replace("mstdn-backup.timer loaded enabled active", "mstdn-backup.timer loaded disabled active"),
        WAITING.replace("mstdn-backup.timer loaded enabled active", "mstdn-backup.timer loaded enabled inactive"),
        WAITING.replace(f"{SOCKET} loaded enabled", f"{SOCKET} loaded disabled"),
        WAITING + "stale\n",
        "",
    ):
        assert timer_commands(timers_state=state) == [Command("timers/enable", ENABLED)]


def test_a_program_that_was_edited_is_written_again() -> None:
    (backup,) = (file for file in wanted_files(ON) if file.path == f"{PROGRAMS}/backup")
    edited = INSTALLED.replace(backup.sha256, "0" * 64)
    commands = timer_commands(files_state=edited)
    assert [command.script for command in commands] == ["files/put", "timers/enable"]
    assert commands[0].words[-1] == f"{PROGRAMS}/backup"


def test_what_somebody_laid_beside_the_programs_goes() -> None:
    commands = timer_commands(files_state=INSTALLED + f"entry {PROGRAMS}/stranger\n")
    assert commands[0].words[-1] == f"{PROGRAMS}/stranger"


def test_where_nothing_runs_by_a_timer_only_what_follows_the_engine_stays() -> None:
    commands = timer_commands(NONE)
    gone = tuple(f"{UNITS}/{name}" for name in UNIT_NAMES if name != SOCKET)
    assert commands[0] == Command("timers/disable", gone)
    kept = {f"{PROGRAMS}/socket", f"{PROGRAMS}/settings", f"{UNITS}/{SOCKET}"}
    assert {file.path for file in wanted_files(NONE)} == kept
    assert commands[-1] == Command("timers/enable", (SOCKET,))


def test_without_backups_only_their_programs_and_units_go() -> None:
    commands = timer_commands(settings_with())
    of_backups = [name for name in UNIT_NAMES if not name.startswith(("mstdn-alerts", "mstdn-chores", SOCKET))]
    assert commands[0] == Command("timers/disable", tuple(f"{UNITS}/{name}" for name in of_backups))
    assert commands[-1] == Command("timers/enable", (SOCKET, "mstdn-alerts.timer", "mstdn-chores.timer"))
    kept = {file.path for file in wanted_files(settings_with())}
    assert f"{PROGRAMS}/alerts" in kept and f"{PROGRAMS}/backup" not in kept


def test_the_watcher_comes_every_few_minutes_and_waits_for_nobody() -> None:
    files = {
        file.path.rpartition("/")[2]: file.text for file in wanted_files(settings_with(alerts_interval_minutes=10))
    }
    assert "OnCalendar=*:0/10" in files["mstdn-alerts.timer"].splitlines()
    assert "TimeoutStartSec=600" in files["mstdn-alerts.service"].splitlines()
    assert "TimeoutStartSec" not in "".join(file.text for file in wanted_files(ON) if "backup.service" in file.path)
    # It asks whether somebody works, before the lock could be taken.
    assert files["alerts"].index("only_ask=yes") < files["alerts"].index("flock")


def test_the_socket_is_looked_at_after_each_start_of_the_engine() -> None:
    (text,) = (file.text for file in wanted_files(NONE) if file.path == f"{UNITS}/{SOCKET}")
    lines = text.splitlines()
    assert "WantedBy=docker.service" in lines and "ExecStart=/usr/local/lib/mstdn/socket proxy socket-proxy" in lines
    assert any(line.startswith("After=") and "docker.service" in line for line in lines)


def test_programs_are_whole_scripts_and_say_who_wrote_them() -> None:
    files = {file.path: file for file in wanted_files(ON)}
    backup = files[f"{PROGRAMS}/backup"]
    assert backup.mode == "0755"
    assert backup.text.startswith("#!/bin/sh\n# Written by the suite")
    # A backup and a deployment never work at once.
    assert backup.text.index("flock") < backup.text.index("pg_dump")
    # The operator's own look into the repository waits for nobody.
    assert "flock" not in files[f"{PROGRAMS}/restic"].text


def test_the_timer_comes_every_night_a_little_later_and_makes_up_for_a_night_that_was_missed() -> None:
    settings = settings_with(backup_repository="/srv/backups", backup_time="23:15", backup_random_delay_minutes=20)
    (text,) = (file.text for file in wanted_files(settings) if file.path.endswith("mstdn-backup.timer"))
    for line in ("OnCalendar=*-*-* 23:15:00", "RandomizedDelaySec=20min", "Persistent=true"):
        assert line in text.splitlines()
