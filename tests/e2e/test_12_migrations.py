"""Migrations that are cut off, or that somebody keeps waiting: the next run finishes, and the words say what to do."""

from __future__ import annotations

import re

import pytest

from mstdn import versions
from tests.e2e.instance import Instance

INDEX = "index_statuses_on_deleted_at"


@pytest.fixture(name="upgraded", scope="module")
def _upgraded(reborn: Instance) -> Instance:
    reborn.converge(mastodon_version=versions.MASTODON)
    return reborn


def sql(instance: Instance, query: str) -> str:
    command = f'psql --username postgres --dbname mastodon_production --tuples-only --no-align --command "{query}"'
    return instance.inside("mstdn", "db", command).strip()


def index_is(instance: Instance) -> str:
    return sql(instance, f"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{INDEX}')")  # noqa: S608


def test_a_migration_that_was_killed_is_named_and_the_old_release_serves(upgraded: Instance) -> None:
    refusal = upgraded.refusal(mastodon_version="v4.7.94")
    assert "AddIndexOnDeletedAtToStatuses: migrating" in refusal
    assert "exit code 137" in refusal and "swap_size_mib" in refusal
    assert f"{versions.MASTODON} still serves" in refusal
    # PostgreSQL's log has to do with other things.
    assert "LOG:" not in refusal
    assert upgraded.visit("/api/v2/instance").status == 200
    assert index_is(upgraded) == "f"


def test_the_index_that_it_left_is_removed_and_the_next_run_finishes(upgraded: Instance) -> None:
    run = upgraded.converge(mastodon_version="v4.7.94")
    assert f"Removed what an interrupted migration had left of the index {INDEX}" in run.stderr
    assert "20261120000094 AddIndexOnDeletedAtToStatuses: migrating" in run.stderr
    assert re.search(r"AddIndexOnDeletedAtToStatuses: migrated \([0-9.]+s\)", run.stderr)
    assert index_is(upgraded) == "t"
    assert upgraded.converge(mastodon_version="v4.7.94").changed == []


def test_a_migration_that_somebody_keeps_waiting_says_who_and_how_to_end_it(upgraded: Instance) -> None:
    database = upgraded.container("mstdn", "db")
    session = "BEGIN; LOCK TABLE accounts IN ACCESS SHARE MODE; SELECT pg_sleep(900)"
    upgraded.run(
        f"docker exec --detach --env PGAPPNAME=forgotten-console {database} psql --username postgres --dbname "
        f"mastodon_production --command '{session}'"
    )
    refusal = upgraded.refusal(mastodon_version="v4.7.95")
    assert "waits for a lock that somebody else holds" in refusal
    assert re.search(
        r"process \d+: forgotten-console.*, its transaction open for \d\d:\d\d:\d\d \(active\).*pg_sleep", refusal
    )
    assert "v4.7.94 still serves" in refusal

    (command,) = re.findall(r"cd /srv/mastodon && docker compose exec db psql .*pg_terminate_backend\(\d+\).*", refusal)
    upgraded.run(command.replace("compose exec", "compose exec -T"))
    assert "AddLanguageToAccounts: migrated" in upgraded.converge(mastodon_version="v4.7.95").stderr
    assert upgraded.converge(mastodon_version="v4.7.95").changed == []


def test_the_second_phase_too_is_finished_by_the_next_run_after_it_was_killed(upgraded: Instance) -> None:
    refusal = upgraded.refusal(mastodon_version="v4.7.96")
    assert "AddIndexOnCreatedAtToStatuses: migrating" in refusal and "exit code 137" in refusal
    assert "v4.7.96 serves, but its last migrations did not run" in refusal
    run = upgraded.converge(mastodon_version="v4.7.96")
    assert "had left of the index index_statuses_on_created_at" in run.stderr
    assert upgraded.converge(mastodon_version="v4.7.96").changed == []


def test_once_they_have_run_the_way_back_is_the_dump(upgraded: Instance) -> None:
    # What happens after the upgrade is what is lost.
    upgraded.token("latecomer")
    refusal = upgraded.refusal(mastodon_version="v4.7.95")
    assert "tasks/rollback.py --data rollback_to=v4.7.95" in refusal and "Nothing was changed" in refusal
    way_back = {"rollback_to": "v4.7.95", "mastodon_version": "v4.7.96"}
    refusal = upgraded.refusal("tasks/rollback.py", **(way_back | {"rollback_to": "v4.7.90"}))
    assert "There is no dump of the database of v4.7.90. There are dumps of: v4.7.95" in refusal
    assert upgraded.visit("/auth/password/new").status == 200

    run = upgraded.converge("tasks/rollback.py", **way_back)
    assert 'set mastodon_version = "v4.7.95" and deploy' in run.stderr
    assert upgraded.visit("/auth/password/new").status == 503
    assert upgraded.converge("tasks/rollback.py", **way_back).changed == []
    upgraded.converge(mastodon_version="v4.7.95")
    assert upgraded.visit("/auth/password/new").status == 200
    assert sql(upgraded, "SELECT count(*) FROM accounts WHERE username = 'latecomer'") == "0"
    assert sql(upgraded, "SELECT count(*) FROM pg_database WHERE datname LIKE 'mastodon_%'") == "1"
    # The other half of the way leads there once more. To this database the same happens as to the one before.
    assert "exit code 137" in upgraded.refusal(mastodon_version="v4.7.96")
    upgraded.converge(mastodon_version="v4.7.96")
    assert upgraded.converge(mastodon_version="v4.7.96").changed == []
