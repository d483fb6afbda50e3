"""The scripts that tell systemd, and the one that watches a unit at work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from fcntl import LOCK_EX, LOCK_UN, flock
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mstdn.timers.facts import Unit, Units
from tests.harness import answer_of, calls_in, read, run_script, stand_in

# Prints what was said since the last time it was asked.
JOURNAL = """
while [ $# -gt 0 ]; do case $1 in --cursor-file) cursor=$2 ;; --lines) lines=$2 ;; --sync) exit ;; esac; shift; done
from=$(cat "$cursor" 2>/dev/null || echo 0)
to=$(wc -l <"@HERE@/journal")
echo "$to" >"$cursor"
# No more than was counted: the unit goes on writing.
[ "${lines-}" = 0 ] || head -n "$to" "@HERE@/journal" | tail -n "+$((from + 1))"
"""


WATCHING = ("connection", "timers/watch")


def places(directory: Path) -> dict[str, str | Path]:
    """What stands for the places and the patience of the scripts that watch."""
    return {
        "/run/mstdn-follow": directory / "follow",
        "/run/mstdn-waiting.": directory / "waiting.",
        "do sleep 1; done": "do sleep 0.05; done",
        "        sleep 1\n": "        sleep 0.05\n",
    }


def what_came(answer: CompletedProcess[str]) -> str:
    """What was told after the line about watching again."""
    first, _, rest = answer.stdout.partition("\n")
    assert "Ctrl-C ends the watching only" in first and "journalctl --follow --unit mstdn-" in first
    return rest


def follow(directory: Path, *, active: str = "inactive", works: str, ends: int = 0) -> CompletedProcess[str]:
    """Watch a unit that begins in this state, and does this when it is started."""
    (directory / "journal").write_text("of yesterday\n")
    stand_in(directory, "journalctl", JOURNAL.replace("@HERE@", str(directory)))
    path = stand_in(
        directory,
        "systemctl",
        f'case $1 in show) echo {active} ;; start) cd "{directory}"; {works}; exit {ends} ;; esac',
    )
    words = ("mstdn-backup.service", "The backup")
    return run_script("timers/follow", *words, path=path, instead=places(directory), before=WATCHING)


def test_what_a_unit_says_is_told_while_it_works_and_nothing_older(tmp_path: Path) -> None:
    answer = follow(tmp_path, works="echo 1 of 2 >>journal; sleep 0.2; echo 2 of 2 >>journal")
    assert (answer.returncode, what_came(answer)) == (0, "1 of 2\n2 of 2\n")
    assert not list(tmp_path.glob("follow*"))


def test_a_unit_that_fails_fails_here_after_its_last_words(tmp_path: Path) -> None:
    answer = follow(tmp_path, works="echo the disk is full >>journal", ends=1)
    assert answer.returncode == 1
    assert what_came(answer) == "the disk is full\n"
    assert "The backup failed" in answer.stderr and "journalctl --unit mstdn-backup.service" in answer.stderr


def test_a_unit_that_no_deployment_has_installed_yet_is_named_with_the_command(tmp_path: Path) -> None:
    answer = follow(tmp_path, active="not-found", works=":", ends=5)
    assert answer.returncode == 1 and answer.stdout == ""
    assert "(mstdn-backup.service). Deploy first: pyinfra inventory.py deploy.py" in answer.stderr


def test_one_that_is_at_work_already_is_joined(tmp_path: Path) -> None:
    answer = follow(tmp_path, active="activating", works="echo 2 of 2 >>journal")
    assert answer.returncode == 0
    assert answer.stdout.splitlines()[0].startswith("The backup is at work already")
    assert answer.stdout.splitlines()[-1] == "2 of 2"


def passing(
    directory: Path, *, active: str = "inactive", works: str, ends: int = 0, doing: str = "The move"
) -> CompletedProcess[str]:
    """Watch a unit that is made from the program on standard input. doing: what it is at work on, if it is."""
    (directory / "journal").write_text("")
    (directory / "state").write_text(active)
    stand_in(directory, "journalctl", JOURNAL.replace("@HERE@", str(directory)))
    stand_in(directory, "systemd-run", f'cd "{directory}"; {works}; exit {ends}')
    path = stand_in(
        directory,
        "systemctl",
        f'cd "{directory}"; case "$*" in *Description*) echo "{doing}" ;; *InvocationID*) ;; '
        "show*) cat state; [ ! -e next ] || mv next state ;; esac",
    )
    instead = places(directory) | {"program=/run/": f"program={directory}/"}
    words = ("mstdn-move.service", "The move", "/bin/true", "/srv/mastodon", "postgres:18")
    return run_script(
        "timers/follow", *words, stdin="echo of the program\n", path=path, instead=instead, before=WATCHING
    )


def test_a_unit_that_is_not_installed_is_made_from_the_program_that_comes_along(tmp_path: Path) -> None:
    answer = passing(tmp_path, works="echo 1 of 2 >>journal")
    assert (answer.returncode, what_came(answer)) == (0, "1 of 2\n")
    program = tmp_path / "mstdn-move.program"
    assert program.read_text() == "echo of the program\n"
    (call,) = [call for call in calls_in(tmp_path) if call.startswith("systemd-run")]
    assert "--unit=mstdn-move.service" in call and "--property=ExecStopPost=/bin/true" in call
    assert call.endswith(f" /bin/sh {program} /srv/mastodon postgres:18")
    assert "systemctl reset-failed mstdn-move.service" in calls_in(tmp_path)
    failed = passing(tmp_path, works="echo the disk is full >>journal; echo Job for it failed. >&2", ends=1)
    assert failed.returncode == 1 and failed.stderr.startswith("The move failed")
    # Who has watched it knows, and the server is in order.
    assert calls_in(tmp_path)[-1] == "systemctl reset-failed mstdn-move.service"


def test_what_a_unit_that_is_ended_from_outside_says_at_its_end_is_told(tmp_path: Path) -> None:
    # Its start has failed while it still puts things in order.
    works = "echo deactivating >state; { sleep 0.3; echo To go on: deploy >>journal; echo failed >state; } & :"
    answer = passing(tmp_path, works=works, ends=1)
    assert answer.returncode == 1 and what_came(answer) == "To go on: deploy\n"


def test_why_systemd_makes_no_unit_is_told_in_its_words(tmp_path: Path) -> None:
    answer = passing(tmp_path, works="echo Failed to start transient service unit: why >&2", ends=1)
    assert answer.returncode == 1 and answer.stderr.startswith("Failed to start transient service unit: why\n")


@pytest.mark.parametrize(("ends", "code"), [("inactive", 0), ("failed", 1)])
def test_one_at_work_is_joined_and_not_begun_a_second_time(tmp_path: Path, ends: str, code: int) -> None:
    (tmp_path / "next").write_text(ends)
    answer = passing(tmp_path, active="activating", works="true")
    assert answer.returncode == code
    assert "is at work already" in answer.stdout
    assert not [call for call in calls_in(tmp_path) if call.startswith("systemd-run")]
    assert not list(tmp_path.glob("*.program"))


def test_a_unit_that_does_something_else_comes_to_its_end_first(tmp_path: Path) -> None:
    (tmp_path / "next").write_text("inactive")
    answer = passing(tmp_path, active="activating", works="echo 1 of 2 >>journal", doing="The dump of v4.7.5")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("The dump of v4.7.5 is at work, and comes to its end first.\n")
    assert answer.stdout.endswith("\n1 of 2\n") and "The move goes on whatever happens here" in answer.stdout
    assert len([call for call in calls_in(tmp_path) if call.startswith("systemd-run")]) == 1


def test_where_the_connection_is_lost_nobody_watches_any_more(tmp_path: Path) -> None:
    stand_in(tmp_path, "journalctl")
    path = stand_in(tmp_path, "systemctl", "case $1 in show) echo activating ;; esac")
    # A connection that is a process no more; the unit never ends.
    gone = {"set -eu\nunit=": 'connection="4194305 1"\nset -eu\nunit='}
    answer = run_script(
        "timers/join", "mstdn-deploy.service", path=path, before=WATCHING, instead=places(tmp_path) | gone
    )
    assert answer.returncode == 1 and not list(tmp_path.glob("follow*"))


def join(directory: Path, *states: str, said: str = "") -> CompletedProcess[str]:
    """Wait for the end of a unit that has these states, one at each look, the last one for ever."""
    (directory / "journal").write_text(said)
    (directory / "states").write_text("".join(f"{state}\n" for state in states))
    (directory / "run").write_text("1 2\nalice@laptop with deploy.py, since noon\n")
    stand_in(directory, "journalctl", JOURNAL.replace("@HERE@", str(directory)))
    path = stand_in(
        directory,
        "systemctl",
        f'cd "{directory}"; case "$*" in *Description*) echo "The change of web" ;; *InvocationID*) echo 0f ;; '
        "show*) head -n 1 states; [ $(wc -l <states) = 1 ] || sed -i 1d states ;; esac",
    )
    instead = places(directory) | {"/run/mstdn.run": directory / "run"}
    return run_script("timers/join", "mstdn-deploy.service", path=path, before=WATCHING, instead=instead)


def test_what_an_earlier_run_has_begun_is_waited_for_and_it_is_told_whose_it_is(tmp_path: Path) -> None:
    answer = join(
        tmp_path, "activating", "activating", "deactivating", "inactive", said="web: the new one is healthy\n"
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines() == [
        "The change of web is at work: waiting for its end. On the server: journalctl --follow --unit "
        "mstdn-deploy.service",
        "It was begun by alice@laptop with deploy.py, since noon.",
        "web: the new one is healthy",
    ]
    # Nothing of an earlier time.
    assert any("--lines 20 _SYSTEMD_INVOCATION_ID=0f" in call for call in calls_in(tmp_path))
    assert not list(tmp_path.glob("follow*"))


def test_that_it_failed_is_no_failure_of_the_run_that_waited_and_is_forgotten(tmp_path: Path) -> None:
    answer = join(tmp_path, "activating", "failed")
    assert answer.returncode == 0 and "It failed; the lines above say why." in answer.stdout
    assert "systemctl reset-failed mstdn-deploy.service" in calls_in(tmp_path)
    # Or it ended before anybody could look.
    assert join(tmp_path, "inactive").stdout == ""


def test_a_failure_that_is_past_is_forgotten(tmp_path: Path) -> None:
    assert run_script("timers/forget", "mstdn-deploy.service", path=stand_in(tmp_path, "systemctl")).returncode == 0
    assert calls_in(tmp_path) == ["systemctl reset-failed mstdn-deploy.service"]


def test_to_hold_the_server_is_all_that_a_run_does_before_a_unit(tmp_path: Path) -> None:
    answer = run_script("timers/hold", path=tmp_path)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_units_are_enabled_after_systemd_has_read_them_and_timers_begin_to_wait(tmp_path: Path) -> None:
    path = stand_in(tmp_path, "systemctl")
    assert run_script("timers/enable", "a.timer", "b.timer", "c.service", path=path).returncode == 0
    assert calls_in(tmp_path) == [
        "systemctl daemon-reload",
        "systemctl enable --quiet a.timer b.timer c.service",
        # Otherwise the third of a few runs in a row would be refused.
        "systemctl reset-failed a.timer b.timer c.service",
        "systemctl restart a.timer",
        "systemctl restart b.timer",
    ]


def test_units_are_disabled_before_their_files_go_and_what_is_at_work_is_not_stopped(tmp_path: Path) -> None:
    path = stand_in(tmp_path, "systemctl")
    for name in ("a.timer", "a.service"):
        (tmp_path / name).write_text("")
    assert run_script("timers/disable", tmp_path / "a.timer", tmp_path / "a.service", path=path).returncode == 0
    assert calls_in(tmp_path) == [
        "systemctl disable --quiet --now a.timer",
        "systemctl disable --quiet a.service",
        "systemctl daemon-reload",
        "systemctl reset-failed a.timer",
        "systemctl reset-failed a.service",
    ]
    assert not list(tmp_path.glob("a.*"))


def test_units_are_read_as_systemd_tells_them(tmp_path: Path) -> None:
    shown = """printf '%s\\n' Id=a.timer LoadState=loaded ActiveState=active UnitFileState=enabled \\
    NeedDaemonReload=no '' Id=b.service LoadState=not-found ActiveState=inactive UnitFileState= NeedDaemonReload=yes"""
    found = answer_of(Units.of(["a.timer", "b.service"]), path=stand_in(tmp_path, "systemctl", shown))
    assert found.units == {
        "a.timer": Unit("a.timer", loaded=True, enabled=True, active=True),
        "b.service": Unit("b.service", loaded=False, enabled=False, active=False),
    }
    assert found.stale
    assert not read(Units, "").stale


def test_what_takes_hours_takes_turns(tmp_path: Path) -> None:
    lock = tmp_path / "turns"
    instead = {"/run/mstdn-turn.lock": lock}
    assert run_script("timers/turn", instead=instead).stdout == ""
    with lock.open("w") as held:
        flock(held, LOCK_EX)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(run_script, "timers/turn", instead=instead)
            assert wait({waiting}, timeout=0.3).done == set()
            flock(held, LOCK_UN)
            answer = waiting.result(timeout=10)
    assert answer.returncode == 0 and "is at work, and comes to its end first" in answer.stdout
