"""The scripts on the database, with a stand-in for docker."""

from __future__ import annotations

import socketserver
import stat
import subprocess
from pathlib import Path
from threading import Thread

import pytest

from mstdn.database.facts import DuplicateAccounts, Installed, StoresAtWork
from tests.harness import answer_of, calls_in, listing, run_script, stand_in


@pytest.mark.parametrize(
    ("files", "stays"),
    [
        pytest.param(["PG_VERSION", "base/1/112", "base/5/112"], False, id="initdb was cut short"),
        pytest.param(["PG_VERSION", "base/1/112", "postmaster.opts"], True, id="a server ran on it"),
        pytest.param(["PG_VERSION", "base/1/112", "base/16384/112"], True, id="a copy without postmaster.opts"),
    ],
)
def test_only_a_database_that_cannot_hold_anything_is_discarded(tmp_path: Path, files: list[str], stays: bool) -> None:
    data = tmp_path / "database"
    for file in files:
        (data / file).parent.mkdir(parents=True, exist_ok=True)
        (data / file).touch()
    answer = run_script("database/discard", tmp_path, data, path=stand_in(tmp_path, "docker", ""))
    assert answer.returncode == 0, answer.stderr
    assert [(data / file).exists() for file in files] == [stays] * len(files)
    assert bool(calls_in(tmp_path)) is not stays


def test_a_database_that_cannot_be_listed_is_kept(tmp_path: Path) -> None:
    data = tmp_path / "database"
    (data / "base/1").mkdir(parents=True)
    (data / "PG_VERSION").touch()
    stand_in(tmp_path, "docker")
    path = stand_in(tmp_path, "ls", "echo 'ls: Input/output error' >&2; exit 2")
    assert run_script("database/discard", tmp_path, data, path=path).returncode == 0
    assert (data / "PG_VERSION").exists() and not [call for call in calls_in(tmp_path) if "docker" in call]
    # Without its directories it is not one whose making was cut short.
    (tmp_path / "bin/ls").unlink()
    (data / "base/1").rmdir()
    (data / "base").rmdir()
    assert run_script("database/discard", tmp_path, data, path=path).returncode == 0
    assert (data / "PG_VERSION").exists()


# --- Migrations ---------------------------------------------------------------------------------

UP, DOWN = "   up     20260101000000  Old", "  down    20260201000000  New"
SCRIPTS = ("database/create", "database/note", "database/migrate_first", "database/migrate_rest")
BEFORE = ("database/migrations", "timers/growth")
RAILS = "docker compose --progress quiet run --rm --no-deps -T --quiet-pull "
STATUS = RAILS + "migrate bundle exec rails db:migrate:status"
SQL = "docker compose exec -T -e PGAPPNAME=mstdn-migration db"
INSTALLED = "LOCAL_DOMAIN=social.example.org\nMASTODON_VERSION=v4.6.9\n"
UNDER_WAY = INSTALLED + "NEXT_VERSION=v4.7.60\nMIGRATIONS=before\n"
MIGRATED = """== 20260201000000 New: migrating ======
-- add_index(:statuses)
   -> 0.1s
== 20260201000000 New: migrated (0.1000s) ======
"""
ABORTED = """{name}: migrating
bin/rails aborted!
StandardError: An error has occurred, this and all later migrations canceled:

PG::Error: {reason}
/opt/mastodon/vendor/bundle/ruby/3.4.0/gems/pg-1.6/lib/pg/connection.rb:1:in 'exec'
Tasks: TOP => db:migrate
"""


def lock_timeout(seconds: int) -> str:
    options = f"-c lock_timeout={seconds}s -c client_connection_check_interval=5s"
    return f"{RAILS}-e PGAPPNAME=mstdn-migration -e PGOPTIONS={options} "


FIRST = "-e SKIP_POST_DEPLOYMENT_MIGRATIONS=true migrate bundle exec rails db:migrate"
REST = "migrate bundle exec rails db:migrate"


def run_on_database(
    directory: Path,
    name: str,
    *arguments: str,
    note: str = "",
    status: str = UP,
    docker: str = "",
    invalid: str = "",
    in_the_way: str = "",
) -> subprocess.CompletedProcess[str]:
    """
    A script on a Mastodon whose migrations have this status. `docker`: further cases of what docker does. `invalid`: an
    index of that name. `in_the_way`: who keeps migrations waiting.
    """
    assert name in SCRIPTS
    (directory / "state").mkdir(exist_ok=True)
    (directory / "status").write_text(f" Status   Migration ID    Migration Name\n{status}\n")
    (directory / "migrated").write_text(MIGRATED)
    (directory / "invalid").write_text(invalid)
    (directory / "in_the_way").write_text(in_the_way)
    if note:
        (directory / "installed.env").write_text(note)
    text = f"""case "$*" in
    {docker}
    *db/schema.rb) echo 120 ;;
    *db:migrate:status) cat "{directory}/status" ;;
    *db:migrate) cat "{directory}/migrated" ;;
    *' logs '*) echo 'what PostgreSQL says' ;;
    *mstdn-migration*)
        case $(cat) in
        *'DROP INDEX'*) : >"{directory}/invalid" ;;
        *pg_blocking_pids*) cat "{directory}/in_the_way" ;;
        *indisvalid*) cat "{directory}/invalid" ;;
        *pg_tables*) echo 45 ;;
        esac ;;
    esac"""
    return run_script(
        name,
        directory,
        "v4.7.60",
        directory / "installed.env",
        *arguments,
        before=BEFORE,
        path=stand_in(directory, "docker", text),
        instead={"sleep 5": "sleep 0.3", "sleep 2": "sleep 0.1", "sleep 15": "sleep 0.1"},
    )


def noted(directory: Path) -> str:
    assert not (directory / "installed.env.new").exists()
    return (directory / "installed.env").read_text() if (directory / "installed.env").exists() else ""


def rails_calls(directory: Path) -> list[str]:
    """The commands that Mastodon's image was given."""
    return [call for call in calls_in(directory) if call.startswith(RAILS)]


def test_a_new_database_is_made_with_schema_and_seeds_and_only_then_noted(tmp_path: Path) -> None:
    answer = run_on_database(tmp_path, "database/create", "social.example.org")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert [call for call in calls_in(tmp_path) if not call.startswith(SQL)] == [
        "docker compose exec -T db sh /docker-entrypoint-initdb.d/10-mastodon.sh",
        RAILS + "migrate grep -c create_table db/schema.rb",
        RAILS + "migrate bundle exec rails db:prepare db:seed",
    ]
    assert noted(tmp_path) == INSTALLED.replace("v4.6.9", "v4.7.60")


@pytest.mark.parametrize(
    ("schema", "all_of_them"), [("", "120"), ("*db/schema.rb) echo 'no such file' >&2; exit 2 ;;", "?")]
)
def test_how_many_tables_are_made_is_told_and_of_how_many(tmp_path: Path, schema: str, all_of_them: str) -> None:
    slow = f"*db:prepare*) sleep 0.5; echo 200 ;; {schema}"
    answer = run_on_database(tmp_path, "database/create", "social.example.org", docker=slow)
    assert (answer.returncode, answer.stderr) == (0, "")
    first, *growing, last = answer.stdout.splitlines()
    assert first == "Making the tables of v4.7.60, and what Mastodon begins with."
    assert set(growing) == {f"  tables: 45 of {all_of_them}"}
    assert last == "The database of v4.7.60 is made."


def test_a_database_that_cannot_be_made_is_not_noted(tmp_path: Path) -> None:
    failing = "*10-mastodon.sh) echo 'what it says' >&2; exit 1 ;;"
    answer = run_on_database(tmp_path, "database/create", "social.example.org", docker=failing)
    assert answer.returncode != 0
    assert "what it says" in answer.stderr and "what PostgreSQL says" in answer.stderr
    assert noted(tmp_path) == ""


def test_a_database_that_cannot_be_prepared_is_not_noted(tmp_path: Path) -> None:
    failing = "*db:prepare*) echo 'what Rails says' >&2; exit 1 ;;"
    answer = run_on_database(tmp_path, "database/create", "social.example.org", docker=failing)
    assert answer.returncode != 0
    assert "what Rails says" in answer.stderr and "what PostgreSQL says" not in answer.stderr
    assert noted(tmp_path) == ""


def test_what_the_release_before_can_live_with_is_migrated_before_it_goes(tmp_path: Path) -> None:
    answer = run_on_database(tmp_path, "database/migrate_first", "5", "10", note=INSTALLED, status=f"{UP}\n{DOWN}")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert rails_calls(tmp_path) == [STATUS, lock_timeout(5) + FIRST]
    assert noted(tmp_path) == UNDER_WAY
    # One line for each migration, while it runs, and everything in the log.
    assert answer.stdout.splitlines() == [
        "Migrating the database towards v4.7.60 while v4.6.9 serves. Migrations that wait: 1; now run those that "
        "v4.6.9 can live with.",
        "20260201000000 New: migrating",
        "20260201000000 New: migrated (0.1000s)",
    ]
    assert (tmp_path / "state/migration.log").read_text() == MIGRATED
    assert stat.S_IMODE((tmp_path / "state/migration.log").stat().st_mode) == 0o600


def test_a_release_that_brings_no_migration_runs_none(tmp_path: Path) -> None:
    assert run_on_database(tmp_path, "database/migrate_first", "5", note=INSTALLED).returncode == 0
    assert calls_in(tmp_path) == [STATUS]
    assert noted(tmp_path) == UNDER_WAY.replace("before", "none")


def test_a_release_that_cannot_read_the_database_changes_nothing(tmp_path: Path) -> None:
    failing = "*db:migrate:status) echo 'what Rails says' >&2; exit 1 ;;"
    answer = run_on_database(tmp_path, "database/migrate_first", "5", note=INSTALLED, docker=failing)
    assert answer.returncode != 0
    assert "what Rails says" in answer.stderr and "v4.6.9 still serves" in answer.stderr
    assert noted(tmp_path) == INSTALLED


def failing_with(reason: str, code: int = 1) -> str:
    words = "".join(
        f"echo '{line}'; " for line in ABORTED.format(name="== New", reason=reason).replace("'", "").splitlines()
    )
    return f"*db:migrate) {words} exit {code} ;;"


def test_a_migration_that_fails_shows_why_in_its_own_words_and_leaves_the_note_as_it_was(tmp_path: Path) -> None:
    failing = failing_with("column already exists")
    answer = run_on_database(tmp_path, "database/migrate_first", "5", "10", note=INSTALLED, status=DOWN, docker=failing)
    assert answer.returncode != 0
    assert "PG::Error: column already exists" in answer.stderr
    assert "v4.6.9 still serves" in answer.stderr and f"{tmp_path}/state/migration.log" in answer.stderr
    # Neither what Ruby says of itself, nor what PostgreSQL says of others.
    assert "connection.rb" not in answer.stderr and "what PostgreSQL says" not in answer.stderr
    # It would fail in the same way again.
    assert rails_calls(tmp_path) == [STATUS, lock_timeout(5) + FIRST]
    assert noted(tmp_path) == INSTALLED


def test_a_migration_that_was_killed_is_told_with_the_usual_reason(tmp_path: Path) -> None:
    failing = "*db:migrate) echo '== New: migrating =='; exit 137 ;;"
    answer = run_on_database(tmp_path, "database/migrate_first", "5", note=INSTALLED, status=DOWN, docker=failing)
    assert answer.returncode != 0
    assert "exit code 137" in answer.stderr and "swap_size_mib" in answer.stderr
    assert noted(tmp_path) == INSTALLED


@pytest.mark.parametrize("phase", ["database/migrate_first", "database/migrate_rest"])
def test_what_an_interrupted_migration_left_of_an_index_is_removed_before_each_attempt(
    tmp_path: Path, phase: str
) -> None:
    still_down = DOWN if phase == "database/migrate_first" else UP
    answer = run_on_database(tmp_path, phase, "5", note=UNDER_WAY, status=still_down, invalid="index_on_statuses")
    assert answer.returncode == 0, answer.stderr
    assert "interrupted migration had left of the index index_on_statuses" in answer.stdout
    calls = [call for call in calls_in(tmp_path) if "pg_blocking" not in call]
    migration = next(number for number, call in enumerate(calls) if call.endswith("db:migrate"))
    assert any(call.startswith(SQL) for call in calls[:migration])
    assert (tmp_path / "invalid").read_text() == ""


def test_a_migration_that_waits_for_a_lock_is_tried_again_and_then_tells_who_is_in_the_way(tmp_path: Path) -> None:
    seen = f"i=0; until [ -s {tmp_path}/state/.blockers ] || [ $i = 1200 ]; do sleep 0.05; i=$((i + 1)); done"
    waiting = f"*db:migrate) echo 'canceling statement due to lock timeout'; {seen}; exit 1 ;;"
    way = "  process 4711: psql, its transaction open for 00:10:00 (idle in transaction), last query: SELECT 1"
    answer = run_on_database(
        tmp_path, "database/migrate_first", "5", "10", note=INSTALLED, status=DOWN, docker=waiting, in_the_way=way
    )
    assert answer.returncode != 0
    assert rails_calls(tmp_path) == [STATUS, lock_timeout(5) + FIRST, lock_timeout(10) + FIRST]
    assert "did not get its lock within 5 seconds" in answer.stdout and way in answer.stdout
    assert way in answer.stderr and "v4.6.9 still serves" in answer.stderr
    assert (
        "docker compose exec db psql --username postgres --command 'SELECT pg_terminate_backend(4711)'" in answer.stderr
    )
    assert noted(tmp_path) == INSTALLED


def test_an_upgrade_that_is_given_up_is_forgotten(tmp_path: Path) -> None:
    assert run_on_database(tmp_path, "database/note", note=UNDER_WAY.replace("v4.6.9", "v4.7.5")).returncode == 0
    assert calls_in(tmp_path) == []
    assert noted(tmp_path) == INSTALLED.replace("v4.6.9", "v4.7.60")


def test_the_rest_is_migrated_once_the_new_release_serves(tmp_path: Path) -> None:
    answer = run_on_database(tmp_path, "database/migrate_rest", "5", note=UNDER_WAY)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert rails_calls(tmp_path) == [lock_timeout(5) + REST, STATUS]
    assert "20260201000000 New: migrating" in answer.stdout.splitlines()
    assert noted(tmp_path) == UNDER_WAY.replace("before", "after")


@pytest.mark.parametrize(
    ("before", "note"),
    [
        pytest.param("before", INSTALLED.replace("v4.6.9", "v4.7.60"), id="nothing to renew"),
        pytest.param("begun", UNDER_WAY.replace("before", "after"), id="an earlier attempt may have run some"),
    ],
)
def test_a_release_without_further_migrations_is_only_noted(tmp_path: Path, before: str, note: str) -> None:
    none = "*db:migrate) ;;"
    under_way = UNDER_WAY.replace("before", before)
    answer = run_on_database(tmp_path, "database/migrate_rest", "5", note=under_way, docker=none)
    assert answer.returncode == 0 and noted(tmp_path) == note


@pytest.mark.parametrize(
    ("status", "docker"), [(DOWN, ""), (UP, failing_with("column already exists"))], ids=["some left", "failed"]
)
def test_an_upgrade_whose_last_migrations_did_not_run_is_not_finished(tmp_path: Path, status: str, docker: str) -> None:
    answer = run_on_database(tmp_path, "database/migrate_rest", "5", note=UNDER_WAY, status=status, docker=docker)
    assert answer.returncode != 0
    assert noted(tmp_path) == UNDER_WAY.replace("before", "begun")
    assert "v4.7.60 serves" in answer.stderr
    if not docker:
        assert DOWN in answer.stderr and "did not run" in answer.stderr


# --- A migration that a broken connection left --------------------------------------------------


def wait(directory: Path, *, left: str, ends: bool = True, silent: str = "") -> subprocess.CompletedProcess[str]:
    """`ends`: the migration that is at work ends while it is waited for. `silent`: how Docker fails to say whether."""
    running = f'[ -e "{directory}/ended" ] || printf "{left}"'
    logs = f"cat '{directory}/migrated'; {f': >{directory}/ended' if ends else 'exit 1'}"
    docker = f'case "$*" in ps*id=*) {silent or running} ;; ps*) printf "{left}" ;; logs*) {logs} ;; esac'
    (directory / "migrated").write_text(MIGRATED)
    return run_script("database/wait_for_migration", "mstdn", path=stand_in(directory, "docker", docker))


def test_a_migration_that_is_at_work_is_waited_for_with_its_words_and_then_cleared_away(tmp_path: Path) -> None:
    answer = wait(tmp_path, left="0a\\n")
    assert answer.returncode == 0, answer.stderr
    assert "docker logs 0a" in answer.stdout and "20260201000000 New: migrating\n" in answer.stdout
    ps, *others = calls_in(tmp_path)
    for label in ("project=mstdn", "service=migrate", "oneoff=True"):
        assert f"label=com.docker.compose.{label}" in ps
    assert others[-1] == "docker rm --force 0a"


def test_without_a_migration_nothing_is_waited_for(tmp_path: Path) -> None:
    assert wait(tmp_path, left="").returncode == 0
    assert len(calls_in(tmp_path)) == 1


def test_a_migration_of_which_docker_says_nothing_is_not_killed(tmp_path: Path) -> None:
    answer = wait(tmp_path, left="0a\\n", silent="echo 'out of memory' >&2; exit 1")
    assert answer.returncode == 1 and "did not say whether" in answer.stderr and "out of memory" in answer.stderr
    assert not [call for call in calls_in(tmp_path) if " rm " in call]


def test_a_migration_that_does_not_end_is_not_killed(tmp_path: Path) -> None:
    answer = wait(tmp_path, left="0a\\n", ends=False)
    assert answer.returncode != 0 and "docker logs 0a" in answer.stderr
    assert not [call for call in calls_in(tmp_path) if " rm " in call]


# --- What is there ------------------------------------------------------------------------------


def test_a_database_and_what_was_noted_are_found(tmp_path: Path) -> None:
    (tmp_path / "installed.env").write_text(UNDER_WAY + "\n# a comment\n")
    question = Installed.of(str(tmp_path / "installed.env"), str(tmp_path / "database"))
    noted = dict(line.split("=") for line in UNDER_WAY.splitlines())
    assert answer_of(question) == noted
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "PG_VERSION").touch()
    assert answer_of(question) == noted
    (tmp_path / "database" / "PG_VERSION").write_text("17\n")
    assert answer_of(question) == noted | {"DATABASE": "17"}


def test_what_a_deployment_works_on_is_asked_only_where_systemd_knows_its_unit(tmp_path: Path) -> None:
    question = Installed.of(str(tmp_path / "installed.env"), str(tmp_path / "database"))
    path, there = stand_in(tmp_path, "systemctl", "echo activating"), {"/run/systemd/transient": tmp_path}
    assert answer_of(question, path=path, instead=there) == {} and calls_in(tmp_path) == []
    (tmp_path / "mstdn-deploy.service").touch()
    assert answer_of(question, path=path, instead=there) == {"WORK": "activating"}


# --- What a unit that was killed leaves ---------------------------------------------------------


@pytest.mark.parametrize("result", ["success", "signal", "exit-code"])
def test_what_a_killed_program_has_left_goes_when_it_has_ended(
    tmp_path: Path, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [tmp_path / "rollback/.v4.6.9.dump.new", tmp_path / "state/.blockers"]
    kept = tmp_path / "rollback/v4.6.9.dump"
    for file in (*left, kept):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    monkeypatch.setenv("SERVICE_RESULT", result)
    monkeypatch.setenv("EXIT_CODE", "killed" if result == "signal" else "exited")
    monkeypatch.setenv("EXIT_STATUS", "TERM" if result == "signal" else "1")
    path = stand_in(tmp_path, "docker", "cat >asked; exit 1")
    instead = {"exit 0\nfi": "exit 0\nfi\nexit 3"}
    words = ("database/put_in_order", tmp_path, "v4.7.60")
    answer = run_script(*words, before="timers/ended", path=path, instead=instead)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert ("ended from outside (TERM)" in answer.stdout) is (result == "signal")
    assert kept.exists() and [file.exists() for file in left] == [result == "success"] * 2
    # The dump that nobody reads any more ends, if the database still answers.
    asked = (tmp_path / "asked").read_text() if (tmp_path / "asked").exists() else ""
    assert ("pg_terminate_backend" in asked and "mstdn-dump" in asked) is (result != "success")


def test_before_the_program_itself_nothing_is_put_in_order(tmp_path: Path) -> None:
    path = stand_in(tmp_path, "docker")
    assert run_script("database/put_in_order", tmp_path, before="timers/ended", path=path).returncode == 0
    assert calls_in(tmp_path) == []


# --- Passwords ----------------------------------------------------------------------------------


def refused(directory: Path, docker: str) -> dict[str, str]:
    stand_in(directory, "systemctl", "echo loaded; echo active")
    return answer_of(StoresAtWork.of("mstdn"), path=stand_in(directory, "docker", docker)).refused


BOTH = listing(d="mstdn/db", e="mstdn/redis")
DESCRIBED = "printf 'd 11 then . {}\\ne 12 then . {}\\n'"
CONTAINERS_OF_BOTH = f'case "$*" in ps*) {BOTH} ;; inspect*) {DESCRIBED} ;;'


WARNING = """cat >&2 <<'END'
WARNING:  database "mastodon_production" has a collation version mismatch
DETAIL:  The database was created using collation version 2.36, but the operating system provides version 2.41.
HINT:  Rebuild all objects in this database that use the default collation and run …
END"""


def test_postgresqls_warning_that_its_indexes_were_sorted_otherwise_is_heard(tmp_path: Path) -> None:
    stand_in(tmp_path, "systemctl", "echo loaded; echo active")
    docker = f"{CONTAINERS_OF_BOTH} *psql*) {WARNING}\n;; esac"
    found = answer_of(StoresAtWork.of("mstdn"), path=stand_in(tmp_path, "docker", docker))
    assert (found.refused, found.collation) == ({}, ("2.36", "2.41"))


GONE = 'psql: error: connection to server failed: FATAL:  database "mastodon_production" does not exist'
WRONG = 'psql: error: connection to server failed: FATAL:  password authentication failed for user "mastodon"'


@pytest.mark.parametrize(
    ("said", "missing", "refused"),
    [
        ("missing tables", "tables", {}),
        (GONE, "database", {}),
        # The role is gone as well: asked as the superuser.
        (f"{WRONG}\n{GONE}", "database", {"postgres": 'password authentication failed for user "mastodon"'}),
        ("", "", {}),
    ],
)
def test_a_database_that_postgresql_has_lost_is_told(
    tmp_path: Path, said: str, missing: str, refused: dict[str, str]
) -> None:
    stand_in(tmp_path, "systemctl", "echo loaded; echo active")
    docker = f"{CONTAINERS_OF_BOTH} *psql*) printf '%s\\n' '{said}' ;; esac"
    found = answer_of(StoresAtWork.of("mstdn"), path=stand_in(tmp_path, "docker", docker))
    assert (found.missing, found.refused) == (missing, refused)


class Redis(socketserver.StreamRequestHandler):
    """What Redis does on its port where its password is "of-redis"."""

    def handle(self) -> None:
        answers = {"AUTH": "-WRONGPASS invalid username-password pair", "PING": "-NOAUTH Authentication required."}
        for line in self.rfile:
            word, *password = line.decode().removesuffix("\r\n").split(" ")
            if word == "QUIT":
                break
            if password == ["of-redis"]:
                answers = {"AUTH": "+OK", "PING": "+PONG"}
            self.wfile.write(f"{answers[word]}\r\n".encode())


def redis_says(directory: Path, password: str) -> dict[str, str]:
    """password: in the file that its container was given."""
    file = directory / "processes/12/root/run/secrets/redis.conf"
    file.parent.mkdir(parents=True)
    file.write_text(f"requirepass {password}\n")
    stand_in(directory, "systemctl", "echo loaded; echo active")
    path = stand_in(directory, "docker", f"{CONTAINERS_OF_BOTH} esac")
    stand_in(directory, "nsenter", 'shift; exec "$@"')
    with socketserver.TCPServer(("127.0.0.1", 0), Redis) as server:
        Thread(target=server.handle_request).start()
        there = {"/proc/$1/root": f"{directory}/processes/$1/root", "/6379": f"/{server.server_address[1]}"}
        found = answer_of(StoresAtWork.of("mstdn"), path=path, instead=there).refused
    assert "nsenter --net=/proc/12/ns/net bash" in "\n".join(calls_in(directory))
    assert not any(password in call for call in calls_in(directory))
    return found


def test_a_redis_that_lets_mastodon_in_is_content(tmp_path: Path) -> None:
    assert redis_says(tmp_path, "of-redis") == {}


def test_a_password_that_redis_does_not_take_is_told(tmp_path: Path) -> None:
    assert redis_says(tmp_path, "another") == {"redis": "WRONGPASS invalid username-password pair"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('password authentication failed for user "mastodon"', 'password authentication failed for user "mastodon"'),
        ('role "mastodon" is not permitted to log in', 'role "mastodon" is not permitted to log in'),
    ],
)
def test_a_password_that_postgresql_does_not_take_is_told(tmp_path: Path, said: str, words: str) -> None:
    docker = f"{CONTAINERS_OF_BOTH} *psql*) echo 'psql: error: connection to server failed: FATAL:  {said}' >&2 ;; esac"
    assert refused(tmp_path, docker) == {"postgres": words}


def test_a_store_that_starts_or_is_gone_says_nothing_about_passwords(tmp_path: Path) -> None:
    starting = "psql: error: FATAL:  the database system is starting up"
    assert refused(tmp_path, f"{CONTAINERS_OF_BOTH} *psql*) echo '{starting}' >&2 ;; esac") == {}
    assert refused(tmp_path, f"{CONTAINERS_OF_BOTH.replace('12', '0')} *psql*) echo '{starting}' >&2 ;; esac") == {}


def test_postgresql_is_given_its_password_by_the_script_of_the_first_installation(tmp_path: Path) -> None:
    assert run_script("database/let_in", tmp_path, path=stand_in(tmp_path, "docker")).returncode == 0
    assert calls_in(tmp_path) == ["docker compose exec -T db sh /docker-entrypoint-initdb.d/10-mastodon.sh"]


# --- Accounts that are there twice --------------------------------------------------------------


@pytest.mark.parametrize(("psql", "number"), [("echo duplicates 3", 3), ("echo 'no such table' >&2; exit 1", 0)])
def test_accounts_that_are_there_twice_are_counted_without_an_index(tmp_path: Path, psql: str, number: int) -> None:
    stand_in(tmp_path, "systemctl", "echo loaded; echo active")
    path = stand_in(tmp_path, "docker", f"{CONTAINERS_OF_BOTH} *psql*) cat >/dev/null; {psql} ;; esac")
    assert answer_of(DuplicateAccounts.of("mstdn"), path=path) == number
    assert any("enable_indexscan=off" in call for call in calls_in(tmp_path))
