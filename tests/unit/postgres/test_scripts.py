"""The move of the database, on a server whose Docker is a stand-in and whose directories are real."""

from __future__ import annotations

import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mstdn.layout import MastodonLayout
from mstdn.postgres.facts import DataDirectories, Directories
from tests.harness import OWNER, answer_of, calls_in, run_script, stand_in

# The files fail-… tell it what to do wrong; "new" is what initdb of the new PostgreSQL leaves.
DOCKER = r"""
here=@HERE@ rows="rows mastodon_production public.accounts 3"
fails() { [ -e "$here/fail-$1" ] && { cat "$here/fail-$1" >&2; return 0; }; return 1; }
case $* in
"ps "*) [ -e "$here/no-db" ] || echo id-of-db ;;
"run "*) fails run && exit 1; echo 18 >"$here/srv/database.new/PG_VERSION"
    echo new >"$here/srv/database.new/content" ;;
"rm "*) ;;
"logs "*) echo 'what the new one says' ;;
"stop "*) ;;
"inspect "*Health*)
    if fails health && [ "$(cat "$here/srv/database/content")" = new ]; then echo starting; else echo healthy; fi ;;
"inspect "*ExitCode*) echo 0 ;;
"inspect "*Running*) ! fails boot && echo true || echo false ;;
*pg_isready*) [ ! -e "$here/fail-boot" ] ;;
*pg_dumpall*) printf 'CREATE ROLE postgres;\nCREATE ROLE mastodon;\n' ;;
*pg_dump*) fails dump && exit 1; printf whole ;;
*"pg_restore --list"*) cat >/dev/null ;;
*"pg_restore --file"*) [ "$(cat)" = whole ] && ! fails read ;;
*"pg_restore --username"*) fails load && exit 1; exit 0 ;;
*vacuumdb*) ! fails analyze ;;
*psql*)
    asked=$(cat)
    printf '%s\n' "$asked" >>"$here/asked-of-$(printf '%s' "$*" | grep -q mstdn-postgres && echo new || echo old)"
    case $asked in
    *datallowconn*) printf 'mastodon_production\npostgres\n' ;;
    *gexec*) case $* in
        *mstdn-postgres-upgrade*) cat "$here/rows-of-the-new" 2>/dev/null || echo "$rows" ;;
        *) echo "$rows" ;;
        esac ;;
    esac ;;
"compose stop web"*) fails stop && exit 1; exit 0 ;;
"compose start"*) fails start && exit 1; exit 0 ;;
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
    (tmp_path / "srv/database").mkdir()
    (tmp_path / "srv/database/PG_VERSION").write_text("17\n")
    (tmp_path / "srv/database/content").write_text("old\n")
    (tmp_path / "srv/compose.yaml").write_text(COMPOSE)
    stand_in(tmp_path, "docker", DOCKER.replace("@HERE@", str(tmp_path)))
    return tmp_path


def move(home: Path) -> CompletedProcess[str]:
    instead: dict[str, str | Path] = {
        "chown 999:999": f"chown {OWNER}",
        "sleep 15": "sleep 0.1",
        "sleep 1\n": "sleep 0\n",
    }
    note = home / "srv/state/postgres-upgrade"
    return run_script("postgres/upgrade", home / "srv", IMAGE, note, "0", path=home / "bin", instead=instead)


def content(home: Path, name: str = "database") -> str:
    path = home / "srv" / name / "content"
    return path.read_text().strip() if path.exists() else ""


def left_over(home: Path) -> list[str]:
    known = ("state", "database", "compose.yaml")
    return [*(path.name for path in (home / "srv").iterdir() if path.name not in known)] + [
        path.name for path in (home / "srv/state").iterdir() if path.name != ".postgres-words"
    ]


def serves(home: Path) -> bool:
    """Whether Mastodon was started again after it was stopped, if it was."""
    calls = [call for call in calls_in(home) if call.startswith("docker compose st")]
    return not calls or calls[-1] == "docker compose start web streaming sidekiq"


def test_the_new_directory_takes_the_place_of_the_old_one_which_is_kept(home: Path) -> None:
    answer = move(home)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (content(home), content(home, "database.before")) == ("new", "old")
    assert left_over(home) == ["database.before"]
    assert (home / "srv/compose.yaml").read_text() == COMPOSE.replace("17-bookworm", "18-trixie")
    assert serves(home)
    assert "All 2 tables have the 6 rows" in answer.stdout
    # The administrator is there already, and everybody else comes with his password.
    assert "CREATE ROLE mastodon;" in (home / "asked-of-new").read_text()
    assert "CREATE ROLE postgres;" not in (home / "asked-of-new").read_text()
    loads = [call for call in calls_in(home) if "pg_restore --username" in call]
    assert ["--create" in call for call in loads] == [True, False]


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
    stand_in(home, "docker", DOCKER.replace("@HERE@", str(home)).replace("srv/database.new", "disk/database.new"))
    answer = move(home)
    assert answer.returncode == 0, answer.stderr
    assert (home / "srv/database").is_symlink()
    assert (home / "disk/database/content").read_text() == "new\n"
    assert (home / "disk/database.before/content").read_text() == "old\n"


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
    ("fail-health", "", "which is back"),
]


@pytest.mark.parametrize(("file", "text", "said"), BROKEN, ids=[row[0] for row in BROKEN])
def test_whatever_fails_the_old_one_serves_on_and_nothing_is_left(home: Path, file: str, text: str, said: str) -> None:
    (home / file).write_text(text)
    answer = move(home)
    assert answer.returncode == 1
    assert said in answer.stderr and "PostgreSQL 17 serves on" in answer.stderr
    assert text.split(": ")[-1].strip() in answer.stderr
    assert content(home) == "old"
    assert left_over(home) == []
    assert (home / "srv/compose.yaml").read_text() == COMPOSE
    assert serves(home)
    # The next one is good once the cause is gone.
    (home / file).unlink()
    assert move(home).returncode == 0
    assert content(home) == "new"


@pytest.mark.parametrize("phase", ["preparing", "stopped"])
def test_what_a_move_that_was_killed_has_left_is_begun_anew(home: Path, phase: str) -> None:
    for name in ("database.new", "database.dumps"):
        (home / "srv" / name).mkdir()
        (home / "srv" / name / "half").write_text("")
    (home / "srv/state/postgres-upgrade").write_text(f"phase {phase}\nimage {IMAGE}\nwas x\nfrom 17\n")
    assert move(home).returncode == 0
    assert content(home) == "new"
    assert not (home / "srv/database/half").exists()


@pytest.mark.parametrize("moved", ["none", "the old one", "the old one, and a deployment came", "both"])
def test_one_that_was_killed_while_they_change_places_is_finished(home: Path, moved: str) -> None:
    srv = home / "srv"
    (srv / "database.new").mkdir()
    (srv / "database.new/PG_VERSION").write_text("18\n")
    (srv / "database.new/content").write_text("new\n")
    (srv / "state/postgres-upgrade").write_text(f"phase switching\nimage {IMAGE}\nwas postgres:17-bookworm\nfrom 17\n")
    if moved != "none":
        os.rename(srv / "database", srv / "database.before")
    if moved.endswith("came"):
        (srv / "database").mkdir()
    if moved == "both":
        os.rename(srv / "database.new", srv / "database")
    answer = move(home)
    assert answer.returncode == 0, answer.stderr
    assert (content(home), content(home, "database.before")) == ("new", "old")
    assert not [call for call in calls_in(home) if "pg_dump" in call]
    assert left_over(home) == ["database.before"] and serves(home)


def test_without_a_database_at_work_nothing_begins(home: Path) -> None:
    (home / "no-db").write_text("")
    answer = move(home)
    assert answer.returncode == 1 and "deploy.py" in answer.stderr
    assert left_over(home) == [] and content(home) == "old"


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
