"""The way back: dumps that are proven, and a database that is complete before it takes the place of another."""

from __future__ import annotations

import dataclasses
import stat
import subprocess
from pathlib import Path

import pytest

from mstdn.app.project import mastodon_project
from mstdn.compose.facts import Applied
from mstdn.compose.rules import steps
from mstdn.database.facts import DatabaseDumps, Dumps
from mstdn.docker.facts import Containers
from tests.harness import answer_of, calls_in, container_line, read, run_script, settings_with, stand_in

INSTALLED = "LOCAL_DOMAIN=social.example.org\nMASTODON_VERSION=v4.6.9\n"
UPGRADED = INSTALLED.replace("v4.6.9", "v4.7.60")
RETURNING = INSTALLED + "NEXT_VERSION=v4.7.60\nMIGRATIONS=returning\n"
# The container of the service that "docker ps" is asked for.
LISTED = "echo \"$*\" | sed 's/.*service=\\([a-z]*\\).*/id-of-\\1/'"
PROGRAMS = ("web", "streaming", "sidekiq")
START = "docker compose start web streaming sidekiq"


def run_in(
    directory: Path, name: str, release: str, note: str, *, docker: str = "", put_aside: bool = False
) -> subprocess.CompletedProcess[str]:
    """
    A script on a database whose dump has two tables. docker: cases of what fails. put_aside: a database is.

    Mastodon's programs are stopped, or run where a file "running" is. "policy-ID" is what their rule became.
    """
    for each in ("state", "database", "rollback"):
        (directory / each).mkdir(exist_ok=True)
    (directory / "installed.env").write_text(note)
    if put_aside:
        (directory / "put_aside").touch()
    text = f"""case "$*" in
    {docker}
    *pg_dump*) echo dumped ;;
    *'pg_restore --list'*) echo '1; 0 1 TABLE DATA public accounts'; echo '2; 0 2 TABLE DATA public statuses' ;;
    *pg_restore*) cat >/dev/null ;;
    *'--dbname postgres --no-psqlrc --quiet') cat >>"{directory}/asked" ;;
    *"datname = 'mastodon_put_aside'"*) if [ -e "{directory}/put_aside" ]; then echo 1; else echo 0; fi ;;
    'ps '*'status=exited '*) {LISTED} ;;
    'ps '*'status=running '*) [ ! -e "{directory}/running" ] || {LISTED} ;;
    'inspect '*RestartPolicy*) cat "{directory}/policy-$4" 2>/dev/null || echo always ;;
    'update --restart '*) echo "$3" >"{directory}/policy-$4" ;;
    *'RENAME TO mastodon_put_aside'*) : >"{directory}/put_aside" ;;
    *'DROP DATABASE mastodon_put_aside'*) rm "{directory}/put_aside" ;;
    esac"""
    path = stand_in(directory, "docker", text)
    marker = directory / "installed.env"
    # As the unit of the server has them.
    before = ("timers/ended", "database/put_back_in_order", "database/migrations", "timers/growth")
    return run_script(name, directory, release, marker, before=before, path=path, instead={"sleep 15": "sleep 0.1"})


def files_in(directory: Path) -> list[str]:
    return sorted(each.name for each in (directory / "rollback").iterdir())


def test_the_database_is_dumped_under_the_release_that_it_leaves_and_the_dump_is_read(tmp_path: Path) -> None:
    answer = run_in(tmp_path, "database/dump", "v4.7.60", INSTALLED)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert files_in(tmp_path) == ["v4.6.9.dump"]
    assert stat.S_IMODE((tmp_path / "rollback/v4.6.9.dump").stat().st_mode) == 0o600
    assert "The dump of 2 tables" in answer.stdout
    assert any("pg_restore --file /dev/null" in call for call in calls_in(tmp_path))


def test_how_large_a_dump_is_is_told_while_it_grows_and_not_afterwards(tmp_path: Path) -> None:
    answer = run_in(tmp_path, "database/dump", "v4.7.60", INSTALLED, docker="*pg_dump*) sleep 0.5; echo dumped ;;")
    said = answer.stdout.splitlines()
    assert said[1].startswith("  dumped: ") and said[1].endswith(" MiB of at most 1")
    assert said[-1].startswith("The dump of 2 tables")


@pytest.mark.parametrize(
    ("docker", "words"),
    [
        ("*pg_dump*) echo 'No space left on device' >&2; exit 1 ;;", "could not be dumped"),
        ("*'pg_restore --list'*) exit 1 ;;", "has no tables"),
        ("*'pg_restore --file'*) echo 'unexpected end of file' >&2; exit 1 ;;", "cannot be read to its end"),
    ],
)
def test_a_dump_that_is_none_is_removed_and_the_old_release_serves(tmp_path: Path, docker: str, words: str) -> None:
    answer = run_in(tmp_path, "database/dump", "v4.7.60", INSTALLED, docker=docker)
    assert answer.returncode == 1
    assert words in answer.stderr and "v4.6.9 still serves" in answer.stderr and "are free" in answer.stderr
    assert files_in(tmp_path) == []


def go_back(
    directory: Path, note: str = UPGRADED, *, database_mib: int = 0, **options: object
) -> subprocess.CompletedProcess[str]:
    (directory / "rollback").mkdir(exist_ok=True)
    (directory / "rollback" / "v4.6.9.dump").touch()
    (directory / "elsewhere").mkdir()
    # On a bigger disk.
    (directory / "database").symlink_to(directory / "elsewhere")
    (directory / "elsewhere" / "1").write_bytes(b"x" * database_mib * 1024 * 1024)
    return run_in(directory, "database/restore_dump", "v4.6.9", note, **options)  # type: ignore[arg-type]


def order(directory: Path) -> list[str]:
    """What was done, in words of the commands."""
    words = ("compose stop", "pg_dump", "CREATE DATABASE", "--exit-on-error", "RENAME", "DROP DATABASE mastodon_put")
    return [word for call in calls_in(directory) for word in words if word in call]


def rules_of_restart(directory: Path) -> list[str]:
    """Of the programs, as this way back has left them; "" where it did not touch it."""
    files = [directory / f"policy-id-of-{service}" for service in PROGRAMS]
    return [file.read_text().strip() if file.exists() else "" for file in files]


def test_the_database_goes_back_once_the_other_is_complete(tmp_path: Path) -> None:
    answer = go_back(tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    steps = ["compose stop", "pg_dump", "CREATE DATABASE", "--exit-on-error", "RENAME", "DROP DATABASE mastodon_put"]
    assert order(tmp_path) == steps
    assert (tmp_path / "installed.env").read_text() == INSTALLED
    assert files_in(tmp_path) == ["left-v4.7.60.dump", "v4.6.9.dump"]
    assert 'mastodon_version = "v4.6.9" and deploy' in answer.stdout
    assert sorted(each.name for each in tmp_path.iterdir() if "installed" in each.name) == ["installed.env"]


@pytest.mark.parametrize(
    "docker",
    [
        "*'pg_restore --file'*) exit 1 ;;",
        "*pg_dump*) exit 1 ;;",
        "*'CREATE DATABASE'*) exit 1 ;;",
        "*--exit-on-error*) exit 1 ;;",
        "*RENAME*) exit 1 ;;",
    ],
)
def test_a_way_back_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, docker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = go_back(tmp_path, docker=docker)
    assert answer.returncode == 1 and "v4.7.60 serves on, and nothing is lost" in answer.stderr
    assert (tmp_path / "installed.env").read_text() == UPGRADED
    monkeypatch.setenv("SERVICE_RESULT", "exit-code")
    assert "ended from outside" not in put_back_in_order(tmp_path).stdout
    assert calls_in(tmp_path)[-1] == START
    # Also after a reboot, and without having become another where this had not come so far.
    assert rules_of_restart(tmp_path) == (["always"] * 3 if "RENAME" in docker else [""] * 3)
    assert "v4.6.9.dump" in files_in(tmp_path) and ".left.new" not in files_in(tmp_path)
    assert "DROP DATABASE IF EXISTS mastodon_returning" in (tmp_path / "asked").read_text()


def put_back_in_order(directory: Path, release: str = "v4.6.9") -> subprocess.CompletedProcess[str]:
    """What systemd runs once the unit has ended, with the arguments that the unit had."""
    words = ("database/put_back_in_order", directory, release, directory / "installed.env")
    return run_script(*words, before="timers/ended", path=directory / "bin")


def test_one_that_was_killed_has_mastodon_serve_on_and_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert go_back(tmp_path, docker="*pg_dump*) exit 1 ;;").returncode == 1
    (tmp_path / "rollback/.left.new").touch()
    for name, value in (("SERVICE_RESULT", "signal"), ("EXIT_CODE", "killed"), ("EXIT_STATUS", "TERM")):
        monkeypatch.setenv(name, value)
    answer = put_back_in_order(tmp_path)
    assert "To go on: pyinfra inventory.py tasks/rollback.py --data rollback_to=v4.6.9" in answer.stdout
    assert files_in(tmp_path) == ["v4.6.9.dump"]
    assert calls_in(tmp_path)[-1] == START
    assert "mstdn-dump" in (tmp_path / "asked").read_text()


def test_what_the_engine_is_about_to_stop_is_waited_for_before_it_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever asked for the stop was killed, and the engine goes on with it.
    assert go_back(tmp_path, docker="'compose stop web'*) kill -s KILL $PPID ;;").returncode == -9
    calls = (tmp_path / "calls").read_text()
    monkeypatch.setenv("SERVICE_RESULT", "signal")
    for last in (["docker compose stop web streaming sidekiq", START], [START]):
        (tmp_path / "calls").write_text(calls)
        (tmp_path / "bin/docker").write_text((tmp_path / "bin/docker").read_text().replace("kill -s KILL $PPID", ":"))
        assert put_back_in_order(tmp_path).returncode == 0
        started = [each for each in calls_in(tmp_path)[len(calls.splitlines()) :] if "web streaming sidekiq" in each]
        # A second time there is nothing that was begun.
        assert started == last


@pytest.mark.parametrize(
    ("result", "note"),
    [
        pytest.param("success", INSTALLED, id="it is through"),
        pytest.param("signal", RETURNING, id="killed before its end"),
        pytest.param("signal", INSTALLED, id="killed at its end"),
        pytest.param("signal", "", id="nobody knows how far"),
    ],
)
def test_once_the_databases_change_places_mastodon_stays_stopped(
    tmp_path: Path, result: str, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert go_back(tmp_path).returncode == 0
    (tmp_path / "installed.env").write_text(note)
    monkeypatch.setenv("SERVICE_RESULT", result)
    assert put_back_in_order(tmp_path).returncode == 0
    assert START not in calls_in(tmp_path) and rules_of_restart(tmp_path) == ["no"] * 3


def test_a_reboot_after_the_way_back_brings_none_of_mastodons_programs_back(tmp_path: Path) -> None:
    assert go_back(tmp_path).returncode == 0
    assert rules_of_restart(tmp_path) == ["no"] * 3
    calls = calls_in(tmp_path)
    last = max(number for number, call in enumerate(calls) if "update --restart no" in call)
    assert last < next(number for number, call in enumerate(calls) if "RENAME" in call)
    # A reboot before that brings back what can live with the database of then.
    assert min(number for number, call in enumerate(calls) if "update --restart no" in call) > next(
        number for number, call in enumerate(calls) if "--exit-on-error" in call
    )


@pytest.mark.parametrize("service", PROGRAMS)
def test_the_deployment_that_follows_makes_what_was_kept_down_anew(service: str) -> None:
    project = mastodon_project(settings_with(), 4096, ipv6=False)
    there = [read(Containers, container_line(each))[0] for each in project.services]
    noted = Applied(project.revision, project.reload_revision, {each.service: each.making for each in there})
    rule = {"Name": "no", "MaximumRetryCount": 0}
    (kept_down,) = read(Containers, container_line(service, restart=rule, status="exited"))
    containers = [kept_down if each.service == service else each for each in there]
    for revision in (project.revision, "of the release after"):
        applied = dataclasses.replace(noted, revision=revision)
        assert service in steps(project, applied, containers, {}, {}).renew


def test_one_that_fails_after_another_was_finished_does_not_start_what_that_one_keeps_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert go_back(tmp_path).returncode == 0
    (tmp_path / "rollback/v4.5.2.dump").touch()
    answer = run_in(tmp_path, "database/restore_dump", "v4.5.2", INSTALLED, docker="*pg_dump*) exit 1 ;;")
    assert answer.returncode == 1 and 'stays stopped until you set mastodon_version = "v4.6.9"' in answer.stderr
    monkeypatch.setenv("SERVICE_RESULT", "exit-code")
    assert put_back_in_order(tmp_path, "v4.5.2").returncode == 0
    assert START not in calls_in(tmp_path) and rules_of_restart(tmp_path) == ["no"] * 3


def test_what_mastodon_wrote_after_the_dump_is_not_lost_where_the_engine_had_started_it(tmp_path: Path) -> None:
    (tmp_path / "running").touch()
    answer = go_back(tmp_path)
    assert answer.returncode == 1 and "Mastodon was started meanwhile" in answer.stderr
    assert "RENAME" not in order(tmp_path) and (tmp_path / "installed.env").read_text() == UPGRADED


@pytest.mark.parametrize("case", ["'ps '*", "'update '*"])
def test_as_long_as_mastodon_might_come_back_by_itself_the_databases_keep_their_places(
    tmp_path: Path, case: str
) -> None:
    answer = go_back(tmp_path, docker=f"{case}) echo 'out of memory' >&2; exit 1 ;;")
    assert answer.returncode == 1 and "could not be kept from starting by itself.\nout of memory" in answer.stderr
    assert "RENAME" not in order(tmp_path) and (tmp_path / "installed.env").read_text() == UPGRADED


# --- Questions that fail ------------------------------------------------------------------------

SILENT = "*\"datname = 'mastodon_put_aside'\"*) echo 'docker: out of memory' >&2; exit 137 ;;"


@pytest.mark.parametrize(("note", "put_aside"), [(UPGRADED, False), (RETURNING, True), (INSTALLED, True)])
def test_what_nobody_knows_is_neither_dropped_nor_dumped_over(tmp_path: Path, note: str, put_aside: bool) -> None:
    (tmp_path / "rollback").mkdir()
    (tmp_path / "rollback/left-v4.7.60.dump").write_text("all that was there")
    answer = go_back(tmp_path, note, put_aside=put_aside, docker=SILENT)
    assert answer.returncode == 1
    assert "The database did not answer" in answer.stderr and "docker: out of memory" in answer.stderr
    assert "tasks/rollback.py --data rollback_to=v4.6.9" in answer.stderr
    assert order(tmp_path) == [] and (tmp_path / "installed.env").read_text() == note
    assert (tmp_path / "rollback/left-v4.7.60.dump").read_text() == "all that was there"


def test_a_note_that_cannot_be_read_does_not_let_the_database_of_before_go(tmp_path: Path) -> None:
    failing = "case $* in *MIGRATIONS*) echo 'sed: out of memory' >&2; exit 4 ;; esac"
    stand_in(tmp_path, "sed", f'{failing}\nexec /usr/bin/env -i PATH=/usr/bin:/bin sed "$@"')
    answer = go_back(tmp_path, RETURNING, put_aside=True)
    assert answer.returncode == 1 and "so nobody knows how far the way back is" in answer.stderr
    assert order(tmp_path) == [] and (tmp_path / "put_aside").exists()


def test_a_note_that_was_emptied_does_not_let_the_database_of_before_go(tmp_path: Path) -> None:
    answer = go_back(tmp_path, "", put_aside=True)
    assert answer.returncode == 1 and "does not say which release is installed" in answer.stderr
    assert order(tmp_path) == [] and (tmp_path / "put_aside").exists()


def test_databases_that_have_changed_places_although_the_answer_got_lost_are_not_taken_for_the_old_ones(
    tmp_path: Path,
) -> None:
    lost = f'*RENAME*) : >"{tmp_path}/put_aside"; echo "docker: out of memory" >&2; exit 137 ;;'
    assert go_back(tmp_path, docker=lost).returncode == 0
    assert (tmp_path / "installed.env").read_text() == INSTALLED
    assert order(tmp_path)[-1] == "DROP DATABASE mastodon_put"


def test_where_nobody_knows_whether_they_have_changed_places_mastodon_stays_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = f'*RENAME*) : >"{tmp_path}/silent"; exit 137 ;; *"datname ="*) [ -e "{tmp_path}/silent" ] || echo 0 ;;'
    answer = go_back(tmp_path, docker=silent)
    assert answer.returncode == 1 and "nobody knows how far" in answer.stderr
    assert (tmp_path / "installed.env").read_text() == RETURNING
    monkeypatch.setenv("SERVICE_RESULT", "exit-code")
    put_back_in_order(tmp_path)
    assert START not in calls_in(tmp_path)


def test_one_that_was_cut_off_right_before_the_change_begins_anew_and_mastodon_serves_if_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "installed.env.kept").write_text(UPGRADED)
    assert go_back(tmp_path, RETURNING, docker="*pg_dump*) exit 1 ;;").returncode == 1
    assert (tmp_path / "installed.env").read_text() == UPGRADED
    monkeypatch.setenv("SERVICE_RESULT", "exit-code")
    put_back_in_order(tmp_path)
    assert calls_in(tmp_path)[-1] == START


def test_a_database_of_before_that_stays_is_told_with_what_to_type(tmp_path: Path) -> None:
    answer = go_back(tmp_path, docker="*'DROP DATABASE mastodon_put_aside'*) echo 'still in use' >&2; exit 1 ;;")
    assert answer.returncode == 0 and "still in use" in answer.stdout
    assert "--command 'DROP DATABASE mastodon_put_aside'" in answer.stdout


def test_a_disk_without_room_for_the_way_back_is_told_before_anything_stops(tmp_path: Path) -> None:
    stand_in(tmp_path, "df", "printf 'Filesystem 1M-blocks Used Available\\n/dev/x 9 9 0\\n'")
    answer = go_back(tmp_path, database_mib=3)
    assert answer.returncode == 1
    assert "The way back needs 6 MiB" in answer.stderr and "0 MiB are free" in answer.stderr
    assert order(tmp_path) == []


def test_one_that_was_cut_off_after_the_change_is_only_finished(tmp_path: Path) -> None:
    assert go_back(tmp_path, RETURNING, put_aside=True).returncode == 0
    # Somebody may have started it in between.
    assert order(tmp_path) == ["compose stop", "DROP DATABASE mastodon_put"]
    assert rules_of_restart(tmp_path) == ["no"] * 3
    assert (tmp_path / "installed.env").read_text() == INSTALLED


def test_what_an_earlier_one_left_aside_does_not_count_as_this_one(tmp_path: Path) -> None:
    assert go_back(tmp_path, put_aside=True).returncode == 0
    assert order(tmp_path)[:3] == ["DROP DATABASE mastodon_put", "compose stop", "pg_dump"]


def test_dumps_of_releases_are_listed_and_what_was_left_is_not_among_them(tmp_path: Path) -> None:
    assert answer_of(DatabaseDumps.under(str(tmp_path))) == Dumps()
    (tmp_path / "rollback").mkdir()
    for name in ("v4.6.9.dump", ".v4.7.0.dump.new", "left-v4.7.60.dump", "vacation.dump"):
        (tmp_path / "rollback" / name).touch()
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "1").write_bytes(b"x" * 3 * 1024 * 1024)
    assert answer_of(DatabaseDumps.under(str(tmp_path))) == Dumps(("v4.6.9",), 0, ("v4.7.60",), half=True)
    assert answer_of(DatabaseDumps.under(str(tmp_path), size=True)).database_mib == 3
