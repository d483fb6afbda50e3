"""
Upgrades that go wrong on the way: a full disk, migrations that are cut off or that somebody keeps waiting, a server
that reboots, a connection that is lost. The old release serves, the next run finishes, and the words say what to do.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mstdn import versions
from tests.e2e.instance import Instance, said_until
from tests.lab.commands import wait_until

INDEX = "index_statuses_on_deleted_at"
ROLLBACK = "/srv/mastodon/rollback"
UNIT = "mstdn-deploy"
# What a run says when the server reboots: the unit ended first, or the connection.
AGAIN = re.compile("Nothing is lost\\. To go on: pyinfra inventory.py deploy.py|Run the same command again")


@pytest.fixture(name="upgraded", scope="module")
def _upgraded(reborn: Instance) -> Instance:
    reborn.converge(mastodon_version=versions.MASTODON)
    return reborn


def sql(instance: Instance, query: str) -> str:
    command = f'psql --username postgres --dbname mastodon_production --tuples-only --no-align --command "{query}"'
    return instance.inside("mstdn", "db", command).strip()


def index_is(instance: Instance) -> str:
    return sql(instance, f"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{INDEX}')")  # noqa: S608


def serves(instance: Instance, release: str) -> bool:
    """Whether this release answers, and not a cache."""
    page = f"/api/v2/instance?at={time.time_ns()}"
    return (
        instance.serves("/auth/password/new")
        and instance.serves(page)
        and f"v{json.loads(instance.visit(page).body)['version']}" == release
    )


def unit_is(instance: Instance) -> str:
    return instance.run(f"systemctl show --property ActiveState --value {UNIT}").strip()


def test_a_disk_that_fills_while_the_database_is_dumped_is_told_and_nothing_is_left(upgraded: Instance) -> None:
    before = upgraded.started()
    upgraded.run(f"mkdir -p {ROLLBACK} && mount -t tmpfs -o size=8k full {ROLLBACK}")
    try:
        refusal = upgraded.refusal(mastodon_version="v4.7.94")
        assert upgraded.run(f"ls -A {ROLLBACK}") == ""
    finally:
        upgraded.run(f"umount {ROLLBACK}")
    assert "The database could not be dumped." in refusal and "no space left on device" in refusal.lower()
    assert f"On {ROLLBACK}" in refusal and f"{versions.MASTODON} still serves" in refusal
    assert upgraded.started() == before and serves(upgraded, versions.MASTODON)


def test_a_migration_that_was_killed_is_named_and_the_old_release_serves(upgraded: Instance) -> None:
    refusal = upgraded.refusal(mastodon_version="v4.7.94")
    assert "AddIndexOnDeletedAtToStatuses: migrating" in refusal
    assert "exit code 137" in refusal and "swap_size_mib" in refusal
    assert f"{versions.MASTODON} still serves" in refusal
    # PostgreSQL's log has to do with other things.
    assert "LOG:" not in refusal
    assert upgraded.visit("/api/v2/instance").status == 200
    assert index_is(upgraded) == "f"


@contextmanager
def small_disk_for_new_indexes(instance: Instance) -> Iterator[str]:
    """What PostgreSQL makes lies on a disk that is full at once. Yields the command that enlarges it."""
    database = instance.inspect("mstdn", "db")["State"]["Pid"]
    inside = f"nsenter --target {database} --mount"
    sized = "uid=999,gid=999,mode=0700 small /tmp/small"
    instance.run(f"{inside} mkdir /tmp/small && {inside} mount -t tmpfs -o size=4k,{sized}")
    sql(instance, "CREATE TABLESPACE small LOCATION '/tmp/small'")
    sql(instance, "GRANT CREATE ON TABLESPACE small TO mastodon")
    sql(instance, "ALTER DATABASE mastodon_production SET default_tablespace = small")
    yield f"{inside} mount -o remount,size=4m /tmp/small"
    sql(instance, "ALTER DATABASE mastodon_production RESET default_tablespace")
    sql(instance, "ALTER INDEX ALL IN TABLESPACE small SET TABLESPACE pg_default")
    sql(instance, "DROP TABLESPACE small")
    instance.run(f"{inside} umount /tmp/small")


def test_a_disk_that_fills_while_an_index_is_built_is_told_and_the_old_release_serves(upgraded: Instance) -> None:
    with small_disk_for_new_indexes(upgraded) as enlarge:
        refusal = upgraded.refusal(mastodon_version="v4.7.94")
        # In PostgreSQL's own words.
        assert "could not extend file" in refusal and "Check free disk space" in refusal
        assert f"{versions.MASTODON} still serves" in refusal
        assert f'stay with mastodon_version = "{versions.MASTODON}"' in refusal
        assert serves(upgraded, versions.MASTODON)
        upgraded.run(enlarge)
        # What it has left of the index is in the way of the next run.
        assert index_is(upgraded) == "f"


def test_the_index_that_it_left_is_removed_and_the_next_run_finishes(upgraded: Instance) -> None:
    run = upgraded.converge(mastodon_version="v4.7.94")
    assert f"Removed what an interrupted migration had left of the index {INDEX}" in run.stderr
    assert "20261120000094 AddIndexOnDeletedAtToStatuses: migrating" in run.stderr
    assert re.search(r"AddIndexOnDeletedAtToStatuses: migrated \([0-9.]+s\)", run.stderr)
    assert index_is(upgraded) == "t"
    assert upgraded.converge(mastodon_version="v4.7.94").changed == []


@contextmanager
def held_by_somebody(instance: Instance, table: str = "accounts IN ACCESS SHARE MODE") -> Iterator[None]:
    """A session has read accounts, or has another table as that says, and does not end by itself."""
    session = f"BEGIN; LOCK TABLE {table}; SELECT pg_sleep(900)"
    instance.run(
        f"docker exec --detach --env PGAPPNAME=forgotten-console {instance.container('mstdn', 'db')} "
        f"psql --username postgres --dbname mastodon_production --command '{session}'"
    )
    name = "application_name = 'forgotten-console'"
    there = f"SELECT count(*) FROM pg_stat_activity WHERE {name} AND wait_event = 'PgSleep'"  # noqa: S608
    wait_until("somebody has the table", lambda: sql(instance, there) == "1", 20)
    try:
        yield
    finally:
        end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {name}"  # noqa: S608
        # It may be gone already, and the database with it.
        instance.inside("mstdn", "db", f'psql --username postgres --command "{end}"', check=False)


def test_a_migration_that_somebody_keeps_waiting_says_who_and_how_to_end_it(upgraded: Instance) -> None:
    with held_by_somebody(upgraded):
        refusal = upgraded.refusal(mastodon_version="v4.7.95")
        assert "waits for a lock that somebody else holds" in refusal
        assert re.search(
            r"process \d+: forgotten-console.*, its transaction open for \d\d:\d\d:\d\d \(active\).*pg_sleep", refusal
        )
        assert "v4.7.94 still serves" in refusal
        (command,) = re.findall(
            r"cd /srv/mastodon && docker compose exec db psql .*pg_terminate_backend\(\d+\).*", refusal
        )
        upgraded.run(command.replace("compose exec", "compose exec -T"))
        name = "application_name = 'forgotten-console'"
        assert sql(upgraded, f"SELECT count(*) FROM pg_stat_activity WHERE {name}") == "0"  # noqa: S608


def test_a_server_that_reboots_while_the_first_migrations_run_serves_the_old_release(upgraded: Instance) -> None:
    with held_by_somebody(upgraded):
        run = upgraded.begin(mastodon_version="v4.7.95")
        wait_until("a migration waits", lambda: upgraded.deployment_says("A migration waits for a lock"), 120, 0.2)
        upgraded.world.reboot()
        said = run.communicate(timeout=60)
    assert run.returncode == 1 and AGAIN.search(said) and "Traceback" not in said
    wait_until("it serves", lambda: serves(upgraded, "v4.7.94"), 120)
    # Whoever sets the old version back has it, and nothing of the other.
    upgraded.converge(mastodon_version="v4.7.94")
    assert serves(upgraded, "v4.7.94")
    assert upgraded.converge(mastodon_version="v4.7.94").changed == []


ENDED = "This was ended from outside (TERM), as by a reboot or by hand. Nothing is lost. To go on: pyinfra inventory.py"
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('mstdn-dump', 'mstdn-migration')"


@pytest.mark.parametrize(
    ("table", "moment"),
    [
        pytest.param("statuses", "Dumping the database", id="in its dump"),
        pytest.param("accounts IN ACCESS SHARE MODE", "A migration waits for a lock", id="in a migration"),
    ],
)
def test_an_upgrade_that_is_ended_by_hand_leaves_the_old_release_and_nothing_half(
    upgraded: Instance, table: str, moment: str
) -> None:
    with held_by_somebody(upgraded, table=table):
        run = upgraded.begin(mastodon_version="v4.7.95")
        wait_until(moment, lambda: upgraded.deployment_says(moment), 180, 0.2)
        upgraded.run(f"systemctl stop {UNIT}")
        said = run.communicate(timeout=120)
        # It does not go on behind the operator's back, once whoever is in the way has gone.
        wait_until("its sessions end", lambda: sql(upgraded, SESSIONS) == "0", 30)
    assert run.returncode == 1 and ENDED in said and "Traceback" not in said
    assert serves(upgraded, "v4.7.94")
    assert ".new" not in upgraded.run(f"ls -A {ROLLBACK}")
    assert upgraded.run("docker ps --quiet --filter label=com.docker.compose.service=migrate") == ""
    upgraded.converge(mastodon_version="v4.7.94")
    assert upgraded.converge(mastodon_version="v4.7.94").changed == []


def test_an_upgrade_goes_on_without_the_operators_connection_and_the_next_run_joins_it(upgraded: Instance) -> None:
    begun = upgraded.run("date +%s").strip()
    # Nobody may read it, so the dump waits, for as long as it takes.
    with held_by_somebody(upgraded, table="statuses"):
        lost = upgraded.begin(mastodon_version="v4.7.95")
        told = said_until(lost, "Dumping the database")
        lost.kill()
        lost.communicate()
        assert "Ctrl-C ends the watching only" in told and f"journalctl --follow --unit {UNIT}" in told
        # Neither its arguments nor its properties, which everybody may read, hold a secret.
        shown = upgraded.run(f"systemctl show {UNIT}; tr '\\0' ' ' </proc/$(systemctl show -P MainPID {UNIT})/cmdline")
        assert not [name for name, secret in upgraded.secrets().items() if secret in shown]
        joining = upgraded.begin(mastodon_version="v4.7.95")
        said = said_until(joining, "is at work: waiting for its end")
        assert unit_is(upgraded) == "activating"
    said += joining.communicate(timeout=300)
    assert joining.returncode == 0, said
    assert re.search(r"The dump of v[0-9.]+ and the first migrations towards v4\.7\.95 is at work", said)
    # One dump, one migration: the run that joined has begun none anew.
    journal = upgraded.run(f"journalctl --identifier {UNIT} --output cat --since @{begun}")
    assert journal.count("AddLanguageToAccounts: migrated") == journal.count("Dumping the database") == 1, journal
    assert "AddLanguageToAccounts: migrated" in said, said
    assert serves(upgraded, "v4.7.95")
    assert upgraded.converge(mastodon_version="v4.7.95").changed == []


def test_a_server_that_reboots_between_web_and_streaming_serves_and_goes_back_or_on(upgraded: Instance) -> None:
    run = upgraded.begin(mastodon_version="v4.7.96")
    wait_until("web is new", lambda: upgraded.deployment_says("web: the new one was healthy after"), 180, 0.1)
    upgraded.world.reboot()
    said = run.communicate(timeout=60)
    assert run.returncode == 1 and AGAIN.search(said) and "Traceback" not in said, said
    wait_until("it serves", lambda: upgraded.serves("/auth/password/new"), 120)
    # The migrations that the old release cannot live with have not begun, so the way back is open.
    upgraded.converge(mastodon_version="v4.7.95")
    assert serves(upgraded, "v4.7.95")
    assert upgraded.run("docker ps --quiet --filter label=com.docker.compose.service=web").count("\n") == 1
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

    with held_by_somebody(upgraded, table="statuses"):
        ended = upgraded.begin("tasks/rollback.py", **way_back)
        wait_until("it dumps", lambda: upgraded.deployment_says("Dumping the database as it is now"), 180, 0.2)
        upgraded.run(f"systemctl stop {UNIT}")
        said = ended.communicate(timeout=120)
    assert ended.returncode == 1 and f"{ENDED} tasks/rollback.py --data rollback_to=v4.7.95" in said
    wait_until("it serves on", lambda: serves(upgraded, "v4.7.96"), 120)
    assert ".new" not in upgraded.run(f"ls -A {ROLLBACK}")

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
