"""What the verb does, in which order, and what it leaves."""

from __future__ import annotations

import shlex

from mstdn.docker.engine import CONTAINER
from mstdn.postgres.operations import moved_database, old_data_directory
from mstdn.shell import text_of
from tests.harness import Command, commands_of, refusal_of, settings_with

LIES = "real /srv/mastodon/database\nsize 70000\nfree 9000000\n"
SEVENTEEN = f"database 17\n{LIES}"
RELEASE = settings_with().mastodon_version
FACTS = {
    "database/state": f"installed MASTODON_VERSION={RELEASE}\ninstalled DATABASE=17\n",
    "postgres/look": SEVENTEEN,
    "images/state": "id postgres:18-trixie sha256:aa\nversion postgres:18-trixie PG_MAJOR=18\n",
}
NEXT = settings_with(postgres_image="postgres:18-trixie")
NOTE = "/srv/mastodon/state/postgres-upgrade"
REMAINS = ("/srv/mastodon/database.new", "/srv/mastodon/database.dumps", NOTE)


def test_the_move_is_a_unit_of_the_server_that_gets_its_program_with_the_lock() -> None:
    wait, follow = commands_of(moved_database, FACTS, settings=NEXT, timeout_seconds=300)
    assert wait == Command("database/wait_for_migration", ("mstdn",))
    assert follow.script == "timers/follow"
    unit, what, afterwards, *told = follow.words
    assert (unit, what) == ("mstdn-postgres-upgrade.service", "The move of the database")
    assert told == ["/srv/mastodon", "postgres:18-trixie", NOTE, "300"]
    # It is the program itself that puts in order what it has left.
    assert afterwards == shlex.join(["/bin/sh", "/run/mstdn-postgres-upgrade.program", *told])
    # systemd would take both for something of its own.
    assert "$" not in afterwards and "%" not in afterwards
    program = (
        "timers/ended",
        CONTAINER,
        "postgres/put_in_order",
        "connection",
        "lock",
        "timers/growth",
        "postgres/upgrade",
    )
    assert follow.stdin == "".join(map(text_of, program))


def test_where_nothing_is_to_be_moved_nothing_is_done() -> None:
    assert commands_of(moved_database, FACTS, settings=settings_with(), timeout_seconds=300) == []


def test_one_at_work_is_joined() -> None:
    facts = FACTS | {"postgres/look": f"{SEVENTEEN}under phase stopped\nunder image postgres:18-trixie\nworking\n"}
    (follow,) = commands_of(moved_database, facts, settings=NEXT, timeout_seconds=300)
    assert follow.script == "timers/follow"


def test_indexes_that_were_sorted_otherwise_are_made_anew_with_the_same_image() -> None:
    facts = FACTS | {"database/logins": "collation 2.36 2.41\n"}
    commands = commands_of(moved_database, facts, settings=settings_with(), timeout_seconds=300)
    assert [each.script for each in commands] == ["database/wait_for_migration", "timers/follow"]


def test_what_a_killed_move_has_left_goes_where_it_is_no_longer_wanted() -> None:
    facts = FACTS | {"postgres/look": f"{SEVENTEEN}under phase stopped\nunder image postgres:18-trixie\n"}
    assert commands_of(moved_database, facts, settings=settings_with(), timeout_seconds=300) == [
        Command("postgres/clean_up", ("mstdn-postgres-upgrade", *REMAINS))
    ]


def test_an_image_that_never_says_its_version_is_refused_once_it_is_there() -> None:
    settings = settings_with(postgres_image="registry.example.org/ours:2026-11")
    assert commands_of(moved_database, FACTS, settings=settings, timeout_seconds=300) == []
    (no,) = commands_of(moved_database, FACTS, settings=settings, timeout_seconds=300, executing=True)
    assert no.words[0] == "_say_no" and "PG_MAJOR" in no.words[1]


def test_a_disk_that_is_too_small_is_refused_before_anything() -> None:
    facts = FACTS | {"postgres/look": SEVENTEEN.replace("9000000", "100000")}
    assert "has 97 MiB free" in refusal_of(moved_database, facts, settings=NEXT, timeout_seconds=300)


def test_the_old_directory_is_kept_until_it_is_told_otherwise() -> None:
    facts = FACTS | {"postgres/look": f"database 18\n{LIES}before 17 70000\n"}
    remove = settings_with(postgres_image="postgres:18-trixie", postgres_old_directory="remove")
    assert commands_of(old_data_directory, facts, settings=NEXT) == []
    assert commands_of(old_data_directory, facts, settings=remove) == [
        Command("files/remove", ("/srv/mastodon/database.before",))
    ]
    assert commands_of(old_data_directory, FACTS, settings=remove) == []
    half = facts | {"postgres/look": f"{LIES}before 17 70000\nunder phase switching\n"}
    assert "under way" in refusal_of(old_data_directory, half, settings=remove)
