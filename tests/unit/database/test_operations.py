"""What the operations on the database decide."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn import brought
from mstdn.compose.project import Way
from mstdn.database.operations import (
    finished_migrations,
    joined_work,
    password_in_force,
    prepared_database,
    readable_stores,
    rolled_back_database,
)
from mstdn.operation import operation
from mstdn.shell import Commands
from tests.harness import Command, commands_of, container_line, of_the_unit, refusal_of, settings_with

MARKER = "/srv/mastodon/state/installed.env"
DATABASE = "/srv/mastodon/database"
INSTALLED = "installed LOCAL_DOMAIN=social.example.org\ninstalled MASTODON_VERSION=v4.7.5\ninstalled DATABASE=17\n"
WAIT = Command("database/wait_for_migration", ("mstdn",))
# What the unit's program begins with, and what it is told.
BEFORE = ("database/put_in_order", "connection", "lock", "database/migrations")
MIGRATION = ("/srv/mastodon", "v4.7.60", MARKER, "5", "10", "20")
UNDER_WAY = INSTALLED + "installed NEXT_VERSION=v4.7.60\ninstalled MIGRATIONS=before\n"


PREPARATION: dict[str, Any] = {
    "directory": "/srv/mastodon",
    "marker": MARKER,
    "database": DATABASE,
    "local_domain": "social.example.org",
    "timeout_seconds": 300,
}


def prepare_commands(state: str, release: str = "v4.7.60") -> list[Command]:
    return commands_of(prepared_database, {"database/state": state}, release=release, **PREPARATION)


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("", id="bare server"),
        pytest.param("installed DATABASE=17\n", id="a first installation was killed"),
    ],
)
def test_the_database_is_prepared_for_a_release_that_is_not_installed(state: str) -> None:
    discard = [Command("database/discard", ("/srv/mastodon", DATABASE))] if state == "installed DATABASE=17\n" else []
    assert prepare_commands(state) == [
        WAIT,
        *discard,
        Command("compose/up", ("mstdn", "/srv/mastodon", "300", "db", "redis", "nginx")),
        *of_the_unit(
            "The making of the database of v4.7.60",
            ("/srv/mastodon", "v4.7.60", MARKER, "social.example.org"),
            *BEFORE,
            "timers/growth",
            "database/create",
        ),
    ]


def test_the_database_of_another_release_is_migrated_while_that_one_serves() -> None:
    assert prepare_commands(INSTALLED) == [
        WAIT,
        # Not nginx: a new one takes over later, without a gap.
        Command("compose/up", ("mstdn", "/srv/mastodon", "300", "db", "redis")),
        *of_the_unit(
            "The dump of v4.7.5 and the first migrations towards v4.7.60",
            MIGRATION,
            *BEFORE,
            "timers/growth",
            "database/dump",
            "database/migrate_first",
        ),
    ]


@pytest.mark.parametrize("state", [pytest.param("", id="made"), pytest.param(INSTALLED, id="migrated")])
def test_a_unit_that_came_to_its_end_with_another_database_is_not_built_upon(state: str) -> None:
    facts = {"database/state": state}
    *_, no = commands_of(prepared_database, facts, executing=True, release="v4.7.60", **PREPARATION)
    assert no.words == ("_say_no", "The database is not ready for v4.7.60, although nothing failed. Run again.")


def test_the_database_of_the_installed_release_is_left_alone() -> None:
    assert prepare_commands(INSTALLED, "v4.7.5") == []


@pytest.mark.parametrize("release", ["v4.7.5", "v4.7.60"])
def test_a_lost_database_is_not_silently_replaced_by_an_empty_one(release: str) -> None:
    facts = {"database/state": INSTALLED.replace("installed DATABASE=17\n", "")}
    refusal = refusal_of(prepared_database, facts, release=release, **PREPARATION)
    assert DATABASE in refusal
    assert "backup" in refusal


KEPT: dict[str, Any] = {"directory": "/srv/mastodon", "marker": MARKER, "database": DATABASE}


@operation
def brought_back_and_kept() -> Commands:
    """As in tasks/restore.py."""
    brought.brings(brought.DATABASE)
    yield from password_in_force._inner(**KEPT)


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ("missing database\n", "no database mastodon_production"),
        ("missing tables\n", "no tables in mastodon_production"),
        ("refused postgres password authentication failed\nmissing database\n", "no database mastodon_production"),
    ],
)
def test_a_database_that_postgresql_has_lost_is_not_replaced_by_an_empty_one(said: str, lacks: str) -> None:
    facts = {"database/state": INSTALLED, "database/logins": said}
    refusal = refusal_of(password_in_force, facts, **KEPT)
    assert lacks in refusal and "tasks/restore.py" in refusal
    # A plan of what brings it back is made while it is not there yet.
    assert [each.script for each in commands_of(brought_back_and_kept, facts)] == (
        ["database/let_in"] if "refused" in said else []
    )
    # Of a first installation that was cut off nothing can be lost.
    facts["database/state"] = "installed DATABASE=17\n"
    assert len(commands_of(password_in_force, facts, **KEPT)) == ("refused" in said)


def test_a_database_that_is_ready_for_the_next_release_is_left_alone() -> None:
    assert prepare_commands(UNDER_WAY, "v4.7.60") == []


def test_an_upgrade_that_did_not_come_up_may_be_given_up() -> None:
    assert prepare_commands(UNDER_WAY, "v4.7.5") == [
        WAIT,
        Command("database/note", ("/srv/mastodon", "v4.7.5", MARKER)),
    ]


ROLL = ("mstdn", "/srv/mastodon", "300")
REST = [WAIT, *of_the_unit("The last migrations of v4.7.60", MIGRATION, *BEFORE, "database/migrate_rest")]


@pytest.mark.parametrize(
    ("state", "commands"),
    [
        pytest.param(INSTALLED.replace("v4.7.5", "v4.7.60"), [], id="done"),
        pytest.param(UNDER_WAY, REST, id="some wait"),
        pytest.param(
            UNDER_WAY.replace("before", "none"),
            [Command("database/note", ("/srv/mastodon", "v4.7.60", MARKER))],
            id="none came, not noted",
        ),
        pytest.param(INSTALLED.replace("v4.7.5", "v4.7.0"), REST, id="an upgrade is planned"),
        pytest.param("", [], id="bare server"),
        pytest.param(UNDER_WAY.replace("before", "begun"), REST, id="a run was cut off among them"),
        pytest.param(
            UNDER_WAY.replace("before", "after"),
            [
                *of_the_unit(
                    "The change of web, sidekiq",
                    (*ROLL, "web=beside", "sidekiq=after", "--", "id-of-web", "id-of-sidekiq"),
                    *("compose/health", "app/move", "compose/put_in_order", "connection", "lock", "compose/roll"),
                ),
                Command("database/note", ("/srv/mastodon", "v4.7.60", MARKER)),
            ],
            id="programs know the columns of before",
        ),
    ],
)
def test_migrations_are_finished_when_some_may_be_left(state: str, commands: list[Command]) -> None:
    found = commands_of(
        finished_migrations,
        {
            "database/state": state,
            "docker/containers": "".join(map(container_line, ("db", "web", "streaming", "sidekiq", "proxy/nginx"))),
        },
        directory="/srv/mastodon",
        release="v4.7.60",
        marker=MARKER,
        database=DATABASE,
        timeout_seconds=300,
        web_way=Way.BESIDE,
    )
    assert found == commands


def test_where_not_all_migrations_have_run_the_upgrade_is_not_finished() -> None:
    arguments: dict[str, Any] = {"directory": "/srv/mastodon", "marker": MARKER, "database": DATABASE}
    arguments |= {"timeout_seconds": 300, "web_way": Way.BESIDE}
    facts = {"database/state": UNDER_WAY}
    *_, no = commands_of(finished_migrations, facts, executing=True, release="v4.7.60", **arguments)
    assert no.words[0] == "_say_no" and "Not all migrations of v4.7.60 have run" in no.words[1]


UNIT = "mstdn-deploy.service"


@pytest.mark.parametrize(
    ("state", "commands"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("installed WORK=inactive\n", [], id="ended a moment ago"),
        pytest.param("installed WORK=activating\n", [Command("timers/join", (UNIT,))], id="at work"),
        pytest.param("installed WORK=deactivating\n", [Command("timers/join", (UNIT,))], id="puts things in order"),
        pytest.param("installed WORK=failed\n", [Command("timers/forget", (UNIT,))], id="failed"),
    ],
)
def test_what_an_earlier_run_has_begun_is_waited_for(state: str, commands: list[Command]) -> None:
    facts = {"database/state": INSTALLED + state}
    assert commands_of(joined_work, facts, marker=MARKER, database=DATABASE) == commands


@pytest.mark.parametrize(("dumps", "words"), [("", "Only a backup brings"), ("dump v4.7.5\n", "rollback_to=v4.7.5")])
def test_once_the_second_phase_has_begun_the_release_before_is_refused_with_the_way_back(
    dumps: str, words: str
) -> None:
    facts = {"database/state": UNDER_WAY.replace("before", "begun"), "database/dumps": dumps}
    refusal = refusal_of(prepared_database, facts, release="v4.7.5", **PREPARATION)
    assert 'mastodon_version = "v4.7.60"' in refusal and words in refusal


def test_a_way_back_that_was_interrupted_has_to_be_finished() -> None:
    facts = {"database/state": UNDER_WAY.replace("before", "returning")}
    refusal = refusal_of(prepared_database, facts, release="v4.7.60", **PREPARATION)
    assert "tasks/rollback.py --data rollback_to=v4.7.5" in refusal


BACK: dict[str, Any] = {"directory": "/srv/mastodon", "marker": MARKER, "database": DATABASE}
DONE = INSTALLED.replace("v4.7.5", "v4.7.60")


@pytest.mark.parametrize(
    "state", [DONE, UNDER_WAY.replace("before", "begun"), UNDER_WAY.replace("before", "returning")]
)
def test_the_database_goes_back_to_the_dump_of_a_release(state: str) -> None:
    facts = {"database/state": state, "database/dumps": "dump v4.7.5\n"}
    assert commands_of(rolled_back_database, facts, release="v4.7.5", **BACK) == [
        WAIT,
        *of_the_unit(
            "The way back to v4.7.5",
            ("/srv/mastodon", "v4.7.5", MARKER),
            "database/put_back_in_order",
            "connection",
            "lock",
            "database/migrations",
            "timers/growth",
            "database/restore_dump",
        ),
    ]


@pytest.mark.parametrize("state", [INSTALLED, UNDER_WAY, UNDER_WAY.replace("before", "none")])
def test_a_database_with_which_the_release_can_live_stays(state: str) -> None:
    facts = {"database/state": state, "database/dumps": "dump v4.7.5\n"}
    assert commands_of(rolled_back_database, facts, release="v4.7.5", **BACK) == []


@pytest.mark.parametrize(
    ("release", "dumps", "words"),
    [
        (None, "dump v4.7.5\n", "Which release? There are dumps of: v4.7.5."),
        ("v4.7.4", "dump v4.7.5\n", "There is no dump of the database of v4.7.4. There are dumps of: v4.7.5."),
        ("v4.7.4", "", "There is no dump; the first upgrade makes one."),
    ],
)
def test_a_way_back_that_is_not_there_is_refused(release: str | None, dumps: str, words: str) -> None:
    assert words in refusal_of(
        rolled_back_database, {"database/state": DONE, "database/dumps": dumps}, release=release, **BACK
    )


REPORT = "system debian 13\narchitecture amd64\ninit systemd\nmemory 1\ndirectories /a /b\naddresses \nclock 1\n"
DIGEST = "postgres@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (f"id {DIGEST} sha256:1\nversion {DIGEST} PG_MAJOR=18\n", "is 18, which cannot read its files"),
        (f"id {DIGEST} sha256:1\n", "does not say which it has"),
    ],
)
def test_an_image_that_cannot_read_the_database_is_refused_once_it_is_there(image: str, words: str) -> None:
    facts = {"preflight/report": REPORT, "database/state": INSTALLED, "images/state": image}
    assert words in refusal_of(readable_stores, facts, settings=settings_with(postgres_image=DIGEST))


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"images/state": f"id {DIGEST} sha256:1\n"}, id="no database"),
        pytest.param({"database/state": INSTALLED}, id="not pulled yet"),
        pytest.param(
            {
                "database/state": INSTALLED,
                "images/state": f"id {DIGEST} sha256:1\nversion {DIGEST} PG_MAJOR=17\n",
            },
            id="the same release",
        ),
    ],
)
def test_an_image_that_can_read_the_database_is_not(facts: dict[str, str]) -> None:
    settings = settings_with(postgres_image=DIGEST)
    assert commands_of(readable_stores, {"preflight/report": REPORT} | facts, settings=settings) == []
