"""What the operations on the database decide."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.database.operations import finished_migrations, prepared_database, readable_stores
from tests.harness import Command, commands_of, refusal_of, settings_with

MARKER = "/srv/mastodon/state/installed.env"
DATABASE = "/srv/mastodon/database"
INSTALLED = "installed LOCAL_DOMAIN=social.example.org\ninstalled MASTODON_VERSION=v4.7.5\ninstalled DATABASE=17\n"
WAIT = Command("database/wait_for_migration", ("mstdn",))
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
        Command("database/create", ("/srv/mastodon", "v4.7.60", MARKER, "social.example.org")),
    ]


def test_the_database_of_another_release_is_migrated_while_that_one_serves() -> None:
    assert prepare_commands(INSTALLED) == [
        WAIT,
        Command("compose/up", ("mstdn", "/srv/mastodon", "300", "db", "redis", "nginx")),
        Command("database/migrate_first", ("/srv/mastodon", "v4.7.60", MARKER, "5", "10", "20")),
    ]


def test_the_database_of_the_installed_release_is_left_alone() -> None:
    assert prepare_commands(INSTALLED, "v4.7.5") == []


@pytest.mark.parametrize("release", ["v4.7.5", "v4.7.60"])
def test_a_lost_database_is_not_silently_replaced_by_an_empty_one(release: str) -> None:
    facts = {"database/state": INSTALLED.replace("installed DATABASE=17\n", "")}
    refusal = refusal_of(prepared_database, facts, release=release, **PREPARATION)
    assert DATABASE in refusal
    assert "backup" in refusal


def test_a_database_that_is_ready_for_the_next_release_is_left_alone() -> None:
    assert prepare_commands(UNDER_WAY, "v4.7.60") == []


def test_an_upgrade_that_did_not_come_up_may_be_given_up() -> None:
    assert prepare_commands(UNDER_WAY, "v4.7.5") == [
        WAIT,
        Command("database/note", ("/srv/mastodon", "v4.7.5", MARKER)),
    ]


REST = [WAIT, Command("database/migrate_rest", ("/srv/mastodon", "v4.7.60", MARKER, "5", "10", "20"))]


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
    ],
)
def test_migrations_are_finished_when_some_may_be_left(state: str, commands: list[Command]) -> None:
    found = commands_of(
        finished_migrations,
        {"database/state": state},
        directory="/srv/mastodon",
        release="v4.7.60",
        marker=MARKER,
        database=DATABASE,
    )
    assert found == commands


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
