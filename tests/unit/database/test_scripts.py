"""The scripts on the database, with a stand-in for docker."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mstdn.database.facts import Installed
from tests.harness import answer_of, calls_in, run_script, stand_in


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


# --- Migrations ---------------------------------------------------------------------------------

UP, DOWN = "   up     20260101000000  Old", "  down    20260201000000  New"
NEXT = "docker compose run --rm --no-deps -T --quiet-pull migrate bundle exec rails "
FIRST = NEXT.replace("-pull migrate", "-pull -e SKIP_POST_DEPLOYMENT_MIGRATIONS=true migrate")
INSTALLED = "LOCAL_DOMAIN=social.example.org\nMASTODON_VERSION=v4.6.9\n"
UNDER_WAY = INSTALLED + "NEXT_VERSION=v4.7.6\nMIGRATIONS=before\n"


def migrate(
    directory: Path, phase: str, note: str = "", *, status: str = UP, release: str = "v4.7.6", fails: str = "nothing"
) -> subprocess.CompletedProcess[str]:
    """The script, with a Mastodon whose migrations have this status; what `fails` is a part of a command line."""
    (directory / "status").write_text(f" Status   Migration ID    Migration Name\n{status}\n")
    if note:
        (directory / "installed.env").write_text(note)
    docker = f"""case "$*" in
    *'{fails}'*) echo 'what Rails says' >&2; exit 1 ;;
    *db:migrate:status) cat "{directory}/status" ;;
    *logs*) echo 'what PostgreSQL says' ;;
    esac"""
    last = ["social.example.org"] if phase == "before" else []
    return run_script(
        "database/migrate",
        phase,
        directory,
        release,
        directory / "installed.env",
        *last,
        path=stand_in(directory, "docker", docker),
    )


def noted(directory: Path) -> str:
    assert not (directory / "installed.env.new").exists()
    return (directory / "installed.env").read_text() if (directory / "installed.env").exists() else ""


def test_a_new_database_is_made_with_schema_and_seeds_and_only_then_noted(tmp_path: Path) -> None:
    answer = migrate(tmp_path, "before")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert calls_in(tmp_path) == [
        "docker compose exec -T db sh /docker-entrypoint-initdb.d/10-mastodon.sh",
        NEXT + "db:prepare db:seed",
    ]
    assert noted(tmp_path) == INSTALLED.replace("v4.6.9", "v4.7.6")


@pytest.mark.parametrize("fails", ["exec -T db", "db:prepare"])
def test_a_database_that_cannot_be_made_is_not_noted(tmp_path: Path, fails: str) -> None:
    answer = migrate(tmp_path, "before", fails=fails)
    assert answer.returncode != 0
    assert "what Rails says" in answer.stderr and "what PostgreSQL says" in answer.stderr
    assert noted(tmp_path) == ""


def test_what_the_release_before_can_live_with_is_migrated_before_it_goes(tmp_path: Path) -> None:
    assert migrate(tmp_path, "before", INSTALLED, status=f"{UP}\n{DOWN}").returncode == 0
    assert calls_in(tmp_path) == [NEXT + "db:migrate:status", FIRST + "db:migrate"]
    assert noted(tmp_path) == UNDER_WAY


def test_a_release_that_brings_no_migration_runs_none(tmp_path: Path) -> None:
    assert migrate(tmp_path, "before", INSTALLED).returncode == 0
    assert calls_in(tmp_path) == [NEXT + "db:migrate:status"]
    assert noted(tmp_path) == UNDER_WAY.replace("before", "none")


def test_a_release_that_cannot_read_the_database_changes_nothing(tmp_path: Path) -> None:
    answer = migrate(tmp_path, "before", INSTALLED, fails="db:migrate:status")
    assert answer.returncode != 0
    for words in ("what Rails says", "the release before still serves", "what PostgreSQL says"):
        assert words in answer.stderr
    assert noted(tmp_path) == INSTALLED


def test_a_migration_that_fails_leaves_the_note_as_it_was(tmp_path: Path) -> None:
    answer = migrate(tmp_path, "before", INSTALLED, status=DOWN, fails="true migrate bundle")
    assert answer.returncode != 0
    assert "the release before still serves" in answer.stderr
    assert noted(tmp_path) == INSTALLED


def test_an_upgrade_that_is_given_up_is_forgotten(tmp_path: Path) -> None:
    assert migrate(tmp_path, "before", UNDER_WAY, release="v4.6.9").returncode == 0
    assert calls_in(tmp_path) == []
    assert noted(tmp_path) == INSTALLED


def test_the_rest_is_migrated_once_the_new_release_serves(tmp_path: Path) -> None:
    assert migrate(tmp_path, "after", UNDER_WAY).returncode == 0
    assert calls_in(tmp_path) == [NEXT + "db:migrate", NEXT + "db:migrate:status"]
    assert noted(tmp_path) == INSTALLED.replace("v4.6.9", "v4.7.6")


def test_where_no_migration_waits_the_release_is_only_noted(tmp_path: Path) -> None:
    assert migrate(tmp_path, "after", UNDER_WAY.replace("before", "none")).returncode == 0
    assert calls_in(tmp_path) == []
    assert noted(tmp_path) == INSTALLED.replace("v4.6.9", "v4.7.6")


@pytest.mark.parametrize(
    ("status", "fails"), [(DOWN, "nothing"), (UP, "rails db:migrate")], ids=["some left", "failed"]
)
def test_an_upgrade_whose_last_migrations_did_not_run_is_not_finished(tmp_path: Path, status: str, fails: str) -> None:
    answer = migrate(tmp_path, "after", UNDER_WAY, status=status, fails=fails)
    assert answer.returncode != 0
    assert noted(tmp_path) == UNDER_WAY
    if fails == "nothing":
        assert DOWN in answer.stderr and "did not run" in answer.stderr


# --- A migration that a broken connection left --------------------------------------------------


def wait(directory: Path, *, left: str, ends: bool = True) -> subprocess.CompletedProcess[str]:
    docker = f'case $1 in ps) printf "{left}" ;; wait) exit {0 if ends else 1} ;; esac'
    return run_script("database/wait_for_migration", "mstdn", path=stand_in(directory, "docker", docker))


def test_a_migration_that_is_at_work_is_waited_for_and_then_cleared_away(tmp_path: Path) -> None:
    assert wait(tmp_path, left="0a\\n0b\\n").returncode == 0
    ps, *others = calls_in(tmp_path)
    for label in ("project=mstdn", "service=migrate", "oneoff=True"):
        assert f"label=com.docker.compose.{label}" in ps
    assert others == ["docker wait 0a 0b", "docker rm --force 0a 0b"]


def test_without_a_migration_nothing_is_waited_for(tmp_path: Path) -> None:
    assert wait(tmp_path, left="").returncode == 0
    assert len(calls_in(tmp_path)) == 1


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
