"""The move of the database, on a server whose Docker is a stand-in and whose directories are real."""

from __future__ import annotations

import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mstdn.layout import MastodonLayout
from mstdn.postgres.facts import DataDirectories, Directories
from mstdn.postgres.operations import PROGRAM
from tests.harness import OWNER, answer_of, calls_in, run_script, stand_in
from tests.unit.dying import dies_at, it_has_gone_on

# The files fail-… tell it what to do wrong. In "engine" lies what is known of containers: the image that db was made
# of, where it runs, and when Mastodon was started. PostgreSQL that starts or stops writes its control file.
DOCKER = r"""
here=@HERE@ data=@DATA@ rows="rows mastodon_production public.accounts 3"
engine=$here/engine
fails() { [ -e "$here/fail-$1" ] && { cat "$here/fail-$1" >&2; return 0; }; return 1; }
stop_db() {
    [ ! -e "$engine/running" ] || echo stopped >>"$(cat "$engine/running")/global/pg_control"
    rm -f "$engine/running"
}
start_db() {
    [ ! -e "$engine/running" ] && [ -s "$data/PG_VERSION" ] || return 0
    grep -q ":$(cat "$data/PG_VERSION")-" "$engine/db" || return 0
    echo "$data" >"$engine/running"
    echo started >>"$data/global/pg_control"
}
case $* in
"ps --all "*) printf '1 web\n2 sidekiq\n3 db\n' ;;
"ps "*) [ ! -e "$engine/running" ] || echo id-of-db ;;
"run "*)
    fails run && exit 1
    mkdir "$data.new/global"
    echo 18 >"$data.new/PG_VERSION"
    echo made >"$data.new/global/pg_control" ;;
"rm "*) ;;
"logs "*) echo 'what the new one says' ;;
"stop id-of-db") fails stop-db && exit 1; stop_db ;;
"compose stop db"*) rm -f "$here/goes-on" "$engine/mastodon"; stop_db ;;
"stop "*) ;;
"inspect "*StartedAt*) cat "$engine/started" ;;
"inspect "*Health*)
    if fails health && [ "$(cat "$data/PG_VERSION")" = 18 ]; then echo starting; else echo healthy; fi ;;
"inspect "*ExitCode*) echo 0 ;;
"inspect "*Running*) ! fails boot && echo true || echo false ;;
*pg_isready*) [ ! -e "$here/fail-boot" ] ;;
*pg_dumpall*) printf 'CREATE ROLE postgres;\nCREATE ROLE mastodon;\n' ;;
*pg_dump*) fails dump && exit 1; cp "$data/content" "$here/dumped"; printf whole ;;
*"pg_restore --list"*) cat >/dev/null ;;
*"pg_restore --file"*) [ "$(cat)" = whole ] && ! fails read ;;
*"pg_restore --username"*) fails load && exit 1; cp "$here/dumped" "$data.new/content"; exit 0 ;;
*vacuumdb*)
    [ ! -e "$here/signals" ] || kill -TERM $PPID
    ! fails restart || echo again >>"$engine/started"; ! fails analyze ;;
*psql*)
    asked=$(cat)
    printf '%s\n' "$asked" >>"$here/asked-of-$(printf '%s' "$*" | grep -q mstdn-postgres && echo new || echo old)"
    case $asked in
    *old_snapshot_threshold*) echo 'ERROR: unrecognized configuration parameter' >&2; exit 3 ;;
    *datallowconn*) printf 'mastodon_production\npostgres\n' ;;
    *gexec*) case $* in
        *mstdn-postgres-upgrade*) cat "$here/rows-of-the-new" 2>/dev/null || echo "$rows" ;;
        *) echo "$rows" ;;
        esac ;;
    esac ;;
"compose stop web"*) fails stop && exit 1; rm -f "$engine/mastodon" ;;
"compose start"*)
    [ ! -e "$here/signals" ] || kill -TERM $$
    fails start && exit 1
    [ -e "$engine/mastodon" ] || echo again >>"$engine/started"
    touch "$engine/mastodon" ;;
"compose rm "*) rm -f "$here/goes-on"; stop_db; rm -f "$engine/db" ;;
"compose up "*)
    sed -n '/^  db:/,/^  redis:/s/^    image: //p' "$here/srv/compose.yaml" >"$engine/wanted"
    cmp -s "$engine/wanted" "$engine/db" || { stop_db; cp "$engine/wanted" "$engine/db"; }
    start_db ;;
"compose logs"*) echo 'what PostgreSQL says' ;;
esac
exit
"""
COMPOSE = """services:
  db:
    image: postgres:17-bookworm
  redis:
    image: redis:7
"""
IMAGE = "postgres:18-trixie"


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> Path:
    """A server with a database of PostgreSQL 17."""
    (tmp_path / "srv/state").mkdir(parents=True)
    (tmp_path / "srv/database/global").mkdir(parents=True)
    (tmp_path / "srv/database/PG_VERSION").write_text("17\n")
    (tmp_path / "srv/database/global/pg_control").write_text("started\n")
    (tmp_path / "srv/database/content").write_text("posts\n")
    (tmp_path / "srv/compose.yaml").write_text(COMPOSE)
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine/db").write_text("postgres:17-bookworm\n")
    (tmp_path / "engine/mastodon").touch()
    (tmp_path / "engine/started").write_text("once\n")
    has_its_database_in(tmp_path, tmp_path / "srv/database")
    return tmp_path


def has_its_database_in(home: Path, data: Path) -> None:
    """PostgreSQL runs there."""
    (home / "engine/running").write_text(f"{data}\n")
    stand_in(home, "docker", DOCKER.replace("@HERE@", str(home)).replace("@DATA@", str(data)))


NOTE = "srv/state/postgres-upgrade"


def move(home: Path) -> CompletedProcess[str]:
    instead: dict[str, str | Path] = {
        "chown 999:999": f"chown {OWNER}",
        "sleep 15": "sleep 0.1",
        "sleep 1\n": "sleep 0\n",
    }
    before = [each for each in PROGRAM[:-1] if each not in ("connection", "lock")]
    arguments = (home / "srv", IMAGE, home / NOTE, "0")
    return run_script("postgres/upgrade", *arguments, before=before, path=home / "bin", instead=instead)


def version(home: Path, name: str = "database") -> str:
    path = home / "srv" / name / "PG_VERSION"
    return path.read_text().strip() if path.exists() else ""


def content(home: Path, name: str = "database") -> str:
    path = home / "srv" / name / "content"
    return path.read_text() if path.exists() else ""


def left_over(home: Path) -> list[str]:
    known = ("state", "database", "compose.yaml")
    return [*(path.name for path in (home / "srv").iterdir() if path.name not in known)] + [
        path.name for path in (home / "srv/state").iterdir()
    ]


def serves(home: Path) -> bool:
    """Whether Mastodon runs, with a database."""
    return (home / "engine/mastodon").exists() and (home / "engine/running").exists()


def test_the_new_directory_takes_the_place_of_the_old_one_which_is_kept(home: Path) -> None:
    answer = move(home)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (version(home), version(home, "database.before")) == ("18", "17")
    assert content(home) == content(home, "database.before") == "posts\n"
    assert left_over(home) == ["database.before"]
    assert (home / "srv/compose.yaml").read_text() == COMPOSE.replace("17-bookworm", "18-trixie")
    assert serves(home)
    assert "All 2 tables have the 6 rows" in answer.stdout
    # The administrator is there already, and everybody else comes with his password.
    assert "CREATE ROLE mastodon;" in (home / "asked-of-new").read_text()
    assert "CREATE ROLE postgres;" not in (home / "asked-of-new").read_text()
    loads = [call for call in calls_in(home) if "pg_restore --username" in call]
    assert ["--create" in call for call in loads] == [True, False]


def test_settings_of_the_server_come_along_as_far_as_the_new_one_knows_them(home: Path) -> None:
    lines = "# Do not edit this file manually!\nwork_mem = '64MB'\nold_snapshot_threshold = '1h'\n"
    (home / "srv/database/postgresql.auto.conf").write_text(lines)
    answer = move(home)
    assert answer.returncode == 0, answer.stderr
    assert "ALTER SYSTEM SET work_mem = '64MB';" in (home / "asked-of-new").read_text()
    assert answer.stdout.count("stays behind") == 1
    assert "stays behind: ALTER SYSTEM SET old_snapshot_threshold" in answer.stdout


def test_mastodon_stops_only_when_the_new_postgresql_is_up(home: Path) -> None:
    assert move(home).returncode == 0
    calls = calls_in(home)
    ready = next(number for number, call in enumerate(calls) if "pg_isready" in call)
    stop = calls.index("docker compose stop web streaming sidekiq")
    dump = next(number for number, call in enumerate(calls) if "pg_dump " in call)
    assert ready < stop < dump


def test_a_directory_on_another_disk_stays_there(home: Path) -> None:
    (home / "disk").mkdir()
    os.rename(home / "srv/database", home / "disk/database")
    (home / "srv/database").symlink_to(home / "disk/database")
    has_its_database_in(home, home / "disk/database")
    answer = move(home)
    assert answer.returncode == 0, answer.stderr
    assert (home / "srv/database").is_symlink()
    assert (home / "disk/database/PG_VERSION").read_text() == "18\n"
    assert (home / "disk/database.before/PG_VERSION").read_text() == "17\n"


BROKEN = [
    # a file of the world with its text, part of what is said
    ("fail-run", "no such image", "could not be started"),
    ("fail-boot", "", "did not come up"),
    ("fail-stop", "the engine is silent", "Mastodon could not be stopped"),
    ("fail-dump", "could not write: No space left on device", "mastodon_production could not be dumped"),
    ("fail-read", "unexpected end of file", "cannot be read to its end"),
    ("fail-load", "could not create unique index", "mastodon_production could not be loaded"),
    ("fail-analyze", "out of memory", "could not be analyzed"),
    ("rows-of-the-new", "rows mastodon_production public.accounts 2\n", "other numbers of rows"),
    ("fail-restart", "", "Mastodon was started in between"),
    ("fail-stop-db", "context deadline exceeded", "The old PostgreSQL did not stop"),
    ("fail-health", "", "which is back"),
]


@pytest.mark.parametrize(("file", "text", "said"), BROKEN, ids=[row[0] for row in BROKEN])
def test_whatever_fails_the_old_one_serves_on_and_nothing_is_left(home: Path, file: str, text: str, said: str) -> None:
    (home / file).write_text(text)
    answer = move(home)
    assert answer.returncode == 1
    assert said in answer.stderr and "PostgreSQL 17 keeps serving" in answer.stderr
    assert text.split(": ")[-1].strip() in answer.stderr
    assert version(home) == "17" and content(home) == "posts\n"
    assert left_over(home) == []
    assert (home / "srv/compose.yaml").read_text() == COMPOSE
    assert serves(home)
    # The next one is good once the cause is gone.
    (home / file).unlink()
    assert move(home).returncode == 0
    assert version(home) == "18" and serves(home)


def test_told_to_stop_it_starts_mastodon_again_though_systemd_tells_all_that_it_starts(home: Path) -> None:
    (home / "signals").touch()
    answer = move(home)
    assert answer.returncode == 1
    assert "It was told to stop." in answer.stderr and "could not be started" not in answer.stderr
    assert version(home) == "17" and left_over(home) == [] and serves(home)


@pytest.mark.parametrize("phase", ["preparing", "stopped"])
def test_what_a_move_that_was_killed_has_left_is_begun_anew(home: Path, phase: str) -> None:
    for name in ("database.new", "database.dumps"):
        (home / "srv" / name).mkdir()
        (home / "srv" / name / "half").write_text("")
    (home / "srv/state/postgres-upgrade").write_text(f"phase {phase}\nimage {IMAGE}\nwas x\nfrom 17\n")
    assert move(home).returncode == 0
    assert version(home) == "18"
    assert not (home / "srv/database/half").exists()


def test_remains_that_nobody_wants_any_more_go(home: Path) -> None:
    names = [home / "srv" / name for name in ("database.new", "database.dumps", "state/postgres-upgrade")]
    names[0].mkdir()
    names[2].write_text("phase stopped\n")
    for _ in range(2):
        assert run_script("postgres/clean_up", "mstdn-postgres-upgrade", *names, path=home / "bin").returncode == 0
    assert left_over(home) == [] and version(home) == "17"
    assert calls_in(home)[0] == "docker rm --force --volumes mstdn-postgres-upgrade"


def test_without_a_database_at_work_nothing_begins(home: Path) -> None:
    (home / "engine/running").unlink()
    answer = move(home)
    assert answer.returncode == 1 and "deploy.py" in answer.stderr
    assert left_over(home) == [] and version(home) == "17"


def test_what_a_move_would_meet_is_seen(home: Path) -> None:
    root = home / "srv"
    path = stand_in(home, "systemctl", "echo inactive")
    seen = answer_of(DataDirectories.under(str(root), size=True), path=path)
    assert (seen.major, seen.real, seen.mounted, seen.before, seen.under) == ("17", f"{root}/database", False, "", {})
    assert seen.free_mib > 0
    (root / "database.before").mkdir()
    (root / "database.before/PG_VERSION").write_text("16\n")
    Path(MastodonLayout(str(root)).postgres_upgrade).write_text("phase stopped\nimage postgres:18\n")
    seen = answer_of(DataDirectories.under(str(root)), path=stand_in(home, "systemctl", "echo activating"))
    assert (seen.before, seen.under["phase"], seen.working, seen.size_mib) == ("16", "stopped", True, 0)
    assert answer_of(DataDirectories.under(f"{home}/elsewhere"), path=stand_in(home, "systemctl")) == Directories(
        real=f"{home}/elsewhere/database"
    )


# --- Cut off while the directories change places ------------------------------------------------

# A program, words of its call, and whether it still does that: from the stop of Mastodon on, each is a moment at which
# the power may fail.
MOMENTS = [
    ("docker", "compose stop web", "meanwhile"),
    ("docker", "stop id-of-db", "meanwhile"),
    ("docker", "stop id-of-db", "before"),
    ("docker", "stop id-of-db", "after"),
    ("sync", "postgres-upgrade.new", "before"),
    ("mv", "/database.before", "before"),
    ("mv", "/database.before", "after"),
    ("docker", "compose rm", "after"),
    ("mv", "compose.yaml", "after"),
    ("mv", "/database.new ", "before"),
    ("mv", "/database.new ", "after"),
    ("docker", "compose up", "before"),
    ("docker", "compose up", "after"),
    ("docker", "compose start", "before"),
    ("docker", "compose start", "after"),
]


def in_its_phase(program: str, words: str) -> str:
    """The note is written for each phase, and a call in the last one is meant, or in the one before."""
    phase = "stopped" if program == "sync" or "stop " in words else "switching"
    return f'grep -qs "^phase {phase}" "$here/srv/state/postgres-upgrade"'


def reboots(home: Path) -> None:
    """All containers start again, also those that were stopped by hand."""
    (home / "goes-on").unlink(missing_ok=True)
    engine, data = home / "engine", home / "srv/database"
    (engine / "running").unlink(missing_ok=True)
    with (engine / "started").open("a") as started:
        started.write("rebooted\n")
    (engine / "mastodon").touch()
    if not (engine / "db").exists():
        return
    if not data.exists():
        data.mkdir()
    elif version(home) and f":{version(home)}-" in (engine / "db").read_text():
        (engine / "running").write_text(f"{data}\n")
        with (data / "global/pg_control").open("a") as control:
            control.write("started after the reboot\n")


def somebody_posts(home: Path) -> str:
    """The post, if there is somebody who takes it."""
    if not serves(home):
        return ""
    running = Path((home / "engine/running").read_text().strip())
    with (running / "content").open("a") as posts:
        posts.write("posted since\n")
    return "posted since\n"


def is_put_in_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> CompletedProcess[str]:
    """What systemd runs when the unit has ended."""
    with monkeypatch.context() as ended:
        for name, value in (("SERVICE_RESULT", "signal"), ("EXIT_CODE", "killed"), ("EXIT_STATUS", "KILL")):
            ended.setenv(name, value)
        arguments, before = (home / "srv", IMAGE, home / NOTE, "0"), PROGRAM[: PROGRAM.index("postgres/put_in_order")]
        return run_script("postgres/put_in_order", *arguments, before=before, path=home / "bin")


@pytest.mark.interrupted
@pytest.mark.parametrize("then", ["the power is back", "systemd puts it in order"])
@pytest.mark.parametrize(("program", "words", "when"), MOMENTS, ids=[" ".join(row) for row in MOMENTS])
def test_whenever_it_is_cut_off_no_post_is_lost(
    home: Path, program: str, words: str, when: str, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies_at(home, program, words, when, in_its_phase(program, words))
    assert move(home).returncode == -9
    if then == "the power is back":
        reboots(home)
    else:
        answer = is_put_in_order(home, monkeypatch)
        it_has_gone_on(home, "docker")
        assert answer.returncode == 0 and "Nothing is lost. To go on: " in answer.stdout, answer.stderr
        assert serves(home), answer.stdout
    post = somebody_posts(home)
    answer = move(home)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert version(home) == "18" and content(home) == f"posts\n{post}"
    assert left_over(home) == ["database.before"] and serves(home)
    assert (home / "srv/compose.yaml").read_text() == COMPOSE.replace("17-bookworm", "18-trixie")


@pytest.mark.parametrize("then", ["the power is back", "it goes on at once"])
def test_one_that_the_new_directory_has_served_is_never_put_aside(home: Path, then: str) -> None:
    dies_at(home, "docker", "compose up", "after", in_its_phase("docker", "compose up"))
    assert move(home).returncode == -9
    if then == "the power is back":
        reboots(home)
        assert somebody_posts(home)
    (home / "fail-health").touch()
    answer = move(home)
    assert answer.returncode == 1
    if then == "it goes on at once":
        assert "which is back" in answer.stderr and version(home) == "17" and serves(home)
        return
    assert "nothing was removed" in answer.stderr and "tasks/postgres_upgrade.py" in answer.stderr
    assert content(home) == "posts\nposted since\n" and version(home, "database.before") == "17"
    (home / "fail-health").unlink()
    assert move(home).returncode == 0
    assert content(home) == "posts\nposted since\n" and left_over(home) == ["database.before"]


@pytest.mark.parametrize("words", ["/database.before", "/database.new ", "postgres-upgrade.new"])
def test_what_cannot_be_moved_or_noted_is_told_and_the_old_one_serves_again(home: Path, words: str) -> None:
    late = f'grep -qs "^phase switching" {home}/{NOTE} {home}/{NOTE}.new'
    fail = f"case \"$*\" in *'{words}'*) ! {late} || {{ echo 'Input/output error' >&2; exit 1; }} ;; esac"
    stand_in(home, "mv", f'{fail}\nexec /bin/mv "$@"')
    answer = move(home)
    assert answer.returncode == 1
    assert "PostgreSQL 17 keeps serving" in answer.stderr and "Input/output error" in answer.stderr
    assert version(home) == "17" and left_over(home) == [] and serves(home)
    (home / "bin/mv").unlink()
    assert move(home).returncode == 0
    assert version(home) == "18" and content(home) == "posts\n"


def test_directories_that_somebody_has_exchanged_are_left_as_they_are(home: Path) -> None:
    dies_at(home, "mv", "/database.before", "after", in_its_phase("mv", "/database.before"))
    assert move(home).returncode == -9
    (home / "srv/database").mkdir()
    (home / "srv/database/PG_VERSION").write_text("17\n")
    answer = move(home)
    assert answer.returncode == 1 and f"{home}/srv/database.before" in answer.stderr
    assert version(home, "database.before") == "17" and version(home, "database.new") == "18"
