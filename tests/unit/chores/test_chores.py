"""What is tidied up every week: each chore with the lock for itself, behind everybody else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mstdn.chores.operations import chores_now
from mstdn.chores.programs import chore_programs, chore_settings, chores_of
from mstdn.kinds.dotenv import dotenv_text
from tests.harness import Command, calls_in, commands_of, refusal_of, run_script, settings_with, stand_in

OFF = settings_with(chores_profile_media_days=0, chores_preview_card_days=0, chores_orphans=False)


def test_the_chores_follow_the_settings() -> None:
    assert chores_of(settings_with()) == (
        "media remove --prune-profiles --days 30 --concurrency 1",
        "preview_cards remove --days 180 --concurrency 1",
        "media remove-orphans",
    )
    # A store charges for each look.
    assert "media remove-orphans" not in chores_of(settings_with(s3_enabled=True, s3_bucket="media"))
    assert chores_of(OFF) == () and chore_programs(OFF) == () and chore_settings(OFF) == {}


def test_the_timer_comes_every_week_and_each_chore_takes_the_lock() -> None:
    files = {file.path.rpartition("/")[2]: file.text for file in chore_programs(settings_with(chores_day="Mon"))}
    assert "OnCalendar=Mon *-*-* 05:00:00" in files["mstdn-chores.timer"]
    for line in ("Nice=10", "IOSchedulingClass=idle"):
        assert line in files["mstdn-chores.service"].splitlines()
    assert "flock" in files["chore"] and "flock" not in files["chores"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("srv/state", "notes"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "srv/state/installed.env").write_text("MASTODON_VERSION=v4.7.60\n")
    told = {"MASTODON_ROOT": f"{tmp_path}/srv"} | chore_settings(settings_with())
    (tmp_path / "settings").write_text(dotenv_text(told))
    stand_in(tmp_path, "chore")
    # web is at work.
    stand_in(tmp_path, "docker", f"cat 2>/dev/null '{tmp_path}/web'")
    (tmp_path / "web").write_text("0a1b\n")
    return tmp_path


def instead(home: Path) -> dict[str, str | Path]:
    return {"/usr/local/lib/mstdn/settings": home / "settings"}


def chores_in(home: Path) -> list[str]:
    return [call for call in calls_in(home) if call.startswith("chore ")]


def all_chores(home: Path) -> subprocess.CompletedProcess[str]:
    places = {"notes=/var/lib/mstdn": f"notes={home}/notes", "here=${0%/*}": f"here={home}/bin"}
    return run_script("chores/all", path=home / "bin", instead=instead(home) | places)


def test_all_are_done_and_noted(home: Path) -> None:
    assert all_chores(home).returncode == 0
    assert chores_in(home) == [f"chore {each}" for each in chores_of(settings_with())]
    assert (home / "notes/chores-result").read_text().splitlines()[1:] == ["result ok", "why "]


def test_one_that_fails_keeps_no_other_from_being_done(home: Path) -> None:
    stand_in(home, "chore", 'case "$*" in *profiles*) exit 1 ;; esac')
    assert all_chores(home).returncode == 1
    assert len(chores_in(home)) == 3
    note = (home / "notes/chores-result").read_text()
    assert "result failed" in note and "tootctl media remove --prune-profiles" in note and "orphans" not in note


def test_told_to_stop_they_make_room_and_have_not_failed(home: Path) -> None:
    # systemd tells all of them, and those that begin while it does.
    stand_in(home, "chore", "kill -TERM $PPID; exit 143")
    stand_in(home, "mv", 'kill -TERM $$; exec /bin/mv "$@"')
    answer = all_chores(home)
    assert answer.returncode == 0 and "They were told to stop" in answer.stdout
    assert len(chores_in(home)) == 1
    assert "result skipped" in (home / "notes/chores-result").read_text()


def test_while_mastodon_is_down_until_a_deployment_nothing_is_done(home: Path) -> None:
    (home / "web").write_text("")
    answer = all_chores(home)
    assert answer.returncode == 0 and "Mastodon does not run" in answer.stdout
    assert chores_in(home) == []


def test_without_an_instance_or_while_one_is_restored_nothing_is_done(home: Path) -> None:
    (home / "notes/restoring").touch()
    assert all_chores(home).returncode == 0
    (home / "notes/restoring").unlink()
    (home / "srv/state/installed.env").unlink()
    assert all_chores(home).returncode == 0
    assert chores_in(home) == [] and not (home / "notes/chores-result").exists()


# As docker compose run does with the command after the service.
DOCKER = 'while [ "$1" != migrate ]; do shift; done; shift; cd "{home}/inside" && exec "$@"'


@pytest.mark.parametrize(("ends", "said"), [(0, ""), (1, ""), (137, "memory and swap are full")])
def test_a_chore_runs_behind_everybody_and_tells_its_end_only(home: Path, ends: int, said: str) -> None:
    (home / "inside").mkdir()
    path = stand_in(home, "docker", DOCKER.format(home=home))
    for program in ("ionice", "nice"):
        stand_in(home, program, 'while [ "$1" != bin/tootctl ]; do shift; done; exec "$@"' if program == "nice" else "")
    # One line for each file, and its sum.
    stand_in(home / "inside", "tootctl", f"printf 'Found and removed orphan: a\\n\\nRemoved 9 orphans\\n'; exit {ends}")
    answer = run_script("chores/one", "media", "remove-orphans", path=path, instead=instead(home))
    assert (answer.returncode, answer.stdout) == (ends, "tootctl media remove-orphans\nRemoved 9 orphans\n")
    assert said in answer.stderr
    assert any(call.startswith("ionice -c 3 -p ") for call in calls_in(home))
    assert "nice -n 19 bin/tootctl media remove-orphans" in calls_in(home)


def test_the_chores_now_are_those_of_the_timer() -> None:
    assert commands_of(chores_now, {}, executing=True, settings=settings_with()) == [
        Command("timers/follow", ("mstdn-chores.service", "Tidying up"))
    ]
    assert "chores_profile_media_days" in refusal_of(chores_now, {}, settings=OFF)
