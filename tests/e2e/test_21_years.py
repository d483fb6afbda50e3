"""
Years later: the database moves to another PostgreSQL, an upgrade wants a backup first, and in the end all of it goes.

The server is bare at the beginning, and what it was then is compared with what it is at the end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from mstdn import versions
from tests.e2e.conftest import bare_server
from tests.e2e.instance import Instance, said_until, throw_away_container, with_settings
from tests.lab.catalogue import NEWER_POSTGRES_IMAGE, OLDER_POSTGRES_IMAGE
from tests.lab.commands import wait_until
from tests.lab.world import World

MOVE, BACKUP, UNINSTALL, STATUS = (f"tasks/{name}.py" for name in ("postgres_upgrade", "backup", "uninstall", "status"))
UNIT = "mstdn-postgres-upgrade"
# The release before the newest minor one, as it stays while PostgreSQL is moved.
RELEASE = versions.NEWEST_PATCHES[-2]
NEWEST: dict[str, Any] = {"backup_repository": "/srv/backups", "postgres_image": NEWER_POSTGRES_IMAGE}
ON = NEWEST | {"mastodon_version": RELEASE}
OLD = ON | {"postgres_image": OLDER_POSTGRES_IMAGE}
DATA = "/srv/mastodon/database"
FORGET = "tasks/cleanup.py | Remove images that nothing needs any more"

# What the suite's own packages bring is Debian's, and stays.
PACKAGES = "nftables restic openssh-client"
# What programs of Debian and Docker write for themselves, as dpkg's copies at midnight, and what is a package's.
ASIDE = (
    *("/proc", "/sys", "/run", "/tmp", "/dev", "/swap.d", "/root", "/home/operator", "/var/tmp", "/var/log"),
    *("/usr/lib", "/usr/share", "/etc/docker", "/var/lib/docker", "/var/lib/containerd", "/var/lib/systemd"),
    *("/var/lib/apt", "/var/lib/dpkg", "/var/cache/apt", "/var/cache/debconf", "/var/cache/ldconfig"),
    *("/srv/backups", "/var/lib/mstdn", "/var/backups"),
)
LOOK = {
    "files": f"find / -xdev \\( {' -o '.join(f'-path {path}' for path in ASIDE)} \\) -prune "
    "-o -printf '%y %m %U:%G %p\\n' | sort",
    "etc": "find /etc -xdev -type f ! -path '/etc/docker/*' ! -name ld.so.cache -exec sha256sum {} + | sort -k 2",
    "timers": "ls /var/lib/systemd/timers | grep mstdn; systemctl list-units --all --plain --no-legend 'mstdn*'",
    "containers": "docker ps --all --quiet",
    "images": "docker images --quiet",
    "networks": "docker network ls --format '{{.Name}}' | sort",
    "volumes": "docker volume ls --quiet",
    "tables": "nft list tables | grep mstdn",
    "kernel": "cat /proc/sys/vm/swappiness /proc/sys/vm/overcommit_memory",
    "users": "getent passwd",
    "cron": "ls /etc/cron* /var/spool/cron 2>/dev/null",
}


@dataclass(frozen=True)
class Years:
    """The instance on an old PostgreSQL, with backups; `before`: what the server was when it had Docker and nothing."""

    instance: Instance
    before: dict[str, str]


def looked_at(instance: Instance) -> dict[str, str]:
    return {name: instance.run(command, check=False) for name, command in LOOK.items()}


@pytest.fixture(name="years", scope="module")
def _years(world: World, pytestconfig: pytest.Config) -> Years:
    """On a bare server, Docker first, because that stays at the end. With --keep, where an earlier run has left it."""
    instance, kept = Instance(world), "/root/before.json"
    if pytestconfig.getoption("--keep") and instance.succeeds(f"test -s {kept}"):
        before = json.loads(instance.run(f"cat {kept}"))
    else:
        instance = bare_server(world, pytestconfig)
        instance.converge("tasks/docker.py")
        instance.run(f"apt-get install --yes --no-install-recommends {PACKAGES} >/dev/null 2>&1")
        before = looked_at(instance)
        instance.run(f"cat >{kept}", stdin=json.dumps(before))
    if not instance.succeeds("test -e /srv/mastodon/state/installed.env || test -e /srv/backups"):
        instance.converge(**OLD)
    return Years(instance, before)


@pytest.fixture(name="old")
def _old(years: Years) -> Instance:
    return years.instance


def sql(instance: Instance, text: str, database: str = "mastodon_production") -> str:
    """What the database answers."""
    command = f"docker exec -i {instance.container('mstdn', 'db')} psql -U postgres {database} --tuples-only --no-align"
    return instance.run(command, stdin=text).strip()


def major(instance: Instance) -> str:
    return sql(instance, "SHOW server_version").split(".")[0]


def post(instance: Instance, text: str) -> None:
    header = ("--header", f"Authorization: Bearer {instance.token('keeper')}")
    assert instance.visit("/api/v1/statuses", *header, "--data-urlencode", f"status={text}").status == 200


def posts(instance: Instance) -> str:
    """What everybody can read, past the cache of the inner nginx."""
    return "".join(
        each["content"] for each in json.loads(instance.visit(f"/api/v1/timelines/public?at={time.time()}").body)
    )


def answers(instance: Instance) -> bool:
    """Whether Mastodon itself does, not a cache."""
    return instance.serves(f"/api/v1/timelines/public?at={time.time()}")


def is_at(instance: Instance, step: int) -> bool:
    """Whether the move that is at work has come to this step."""
    this = f"$(systemctl show --property InvocationID --value {UNIT}.service)"
    said = f"journalctl _SYSTEMD_INVOCATION_ID={this} --output cat | grep '^[0-9] of 6' | tail -n 1"
    return state_of_the_unit(instance) == "activating" and instance.run(said, check=False).startswith(f"{step} of 6")


def state_of_the_unit(instance: Instance) -> str:
    return instance.run(f"systemctl show --property ActiveState --value {UNIT}.service").strip()


@contextmanager
def slow_to_stop(instance: Instance) -> Iterator[None]:
    """PostgreSQL does not come to its end, as a busy one takes its time: a program of its own is held."""
    its = f"docker inspect --format {{{{.State.Pid}}}} {instance.container('mstdn', 'db')}"
    of_it = f"$(cat /proc/$({its})/task/*/children)"
    found = f"for pid in {of_it}; do ! grep -qa walwriter /proc/$pid/cmdline || echo $pid; done"
    walwriter = instance.run(found).strip()
    instance.run(f"kill -s STOP {walwriter}")
    try:
        yield
    finally:
        instance.run(f"kill -s CONT {walwriter}", check=False)


@contextmanager
def held_at_the_dump(instance: Instance) -> Iterator[None]:
    """A move waits at its dump, because somebody has a table for himself."""
    hold = "BEGIN; LOCK TABLE statuses; SELECT pg_sleep(50)"
    client = f"docker exec -e PGAPPNAME=holder {instance.container('mstdn', 'db')} psql -U postgres mastodon_production"
    instance.run(f"setsid {client} -c '{hold}' >/dev/null 2>&1 </dev/null &")
    waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'PgSleep'"
    wait_until("somebody has the table", lambda: sql(instance, waits, "postgres") == "1", 20)
    try:
        yield
    finally:
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'"
        sql(instance, end, "postgres")


def nothing_is_left_of_an_attempt(instance: Instance) -> bool:
    """Whether neither half a directory nor the container, a volume of it, or the note of one is there."""
    files = f"{DATA}.new {DATA}.dumps /srv/mastodon/state/postgres-upgrade"
    there = f"ls -d {files} 2>/dev/null; docker ps --all --quiet --filter name={UNIT}; docker volume ls --quiet"
    return instance.run(there, check=False) == ""


# --- Another PostgreSQL -------------------------------------------------------------------------


def test_a_postgresql_that_cannot_read_the_database_is_refused_with_the_command_that_moves_it(old: Instance) -> None:
    assert major(old) == "15"
    post(old, "written years ago")
    said = old.refusal(**ON)
    assert "made by PostgreSQL 15" in said and MOVE in said and "Nothing was changed" in said
    assert answers(old)


def test_a_plan_says_what_visitors_will_notice_and_changes_nothing(old: Instance) -> None:
    before = old.started()
    plan = old.plan(MOVE, **ON)
    assert "from PostgreSQL 15 to 17" in plan.stderr and "503 with Retry-After" in plan.stderr
    assert any("Move the database" in each for each in plan.planned)
    assert old.started() == before and nothing_is_left_of_an_attempt(old)


def test_a_move_and_an_upgrade_of_mastodon_are_not_mixed(old: Instance) -> None:
    said = old.refusal(MOVE, **NEWEST)
    assert "one thing after the other" in said


def test_a_table_that_cannot_be_loaded_is_told_and_the_old_one_serves_on(old: Instance) -> None:
    # As an index that another Debian's rules have broken.
    sql(old, "CREATE TABLE twice (a int); INSERT INTO twice VALUES (1), (1); CREATE INDEX broken ON twice (a)")
    sql(old, "UPDATE pg_index SET indisunique = true WHERE indexrelid = 'broken'::regclass")
    said = old.refusal(MOVE, **ON)
    assert "mastodon_production could not be loaded" in said and "could not create unique index" in said
    assert "PostgreSQL 15 keeps serving" in said
    wait_until("it answers", lambda: answers(old), 60)
    assert major(old) == "15" and nothing_is_left_of_an_attempt(old)
    assert OLDER_POSTGRES_IMAGE in old.run("cat /srv/mastodon/compose.yaml")
    sql(old, "DROP TABLE twice")
    # Whoever stays with the old one needs the image of the new one no longer.
    assert old.converge(**OLD).changed in ([], [FORGET])
    assert old.converge(**OLD).changed == []


def test_one_that_is_killed_leaves_the_old_one_serving_and_status_says_what_to_do(old: Instance) -> None:
    with held_at_the_dump(old):
        run = old.begin(MOVE, **ON)
        wait_until("it is at the dump", lambda: is_at(old, 3), 180, 0.2)
        old.run(f"systemctl kill --signal KILL --kill-whom main {UNIT}.service")
        said = run.communicate(timeout=120)
    assert run.returncode == 1, said
    wait_until("it answers", lambda: answers(old), 90)
    assert major(old) == "15" and "written years ago" in posts(old)
    status = old.world.pyinfra(STATUS, *with_settings(OLD), apply=False, check=False, limit=old.host)
    assert status.returncode == 1
    # Whoever stays with the old one has the remains taken away.
    old.converge(MOVE, **OLD)
    assert nothing_is_left_of_an_attempt(old) and old.converge(**OLD).changed in ([], [FORGET])


def test_a_server_that_reboots_in_the_middle_comes_back_with_the_old_one(old: Instance) -> None:
    with held_at_the_dump(old):
        lost = old.begin(MOVE, **ON)
        wait_until("it is at the dump", lambda: is_at(old, 3), 180, 0.2)
        old.world.reboot()
        lost.kill()
        lost.communicate()
        wait_until("it answers", lambda: answers(old), 180)
    assert major(old) == "15" and "written years ago" in posts(old)
    assert nothing_is_left_of_an_attempt(old)


def test_the_database_moves_even_if_the_operators_connection_is_lost(old: Instance) -> None:
    sql(old, "CREATE ROLE reporter LOGIN PASSWORD 'of somebody'; CREATE DATABASE reports OWNER reporter")
    sql(old, "CREATE TABLE numbers AS SELECT generate_series(1, 1000) AS n", "reports")
    before = sql(old, "SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM statuses)")
    with held_at_the_dump(old):
        lost = old.begin(MOVE, **ON)
        wait_until("Mastodon is stopped", lambda: is_at(old, 3), 180, 0.2)
        away = old.visit("/inbox", "--data", "{}")
        lost.kill()
        lost.communicate()
        working = state_of_the_unit(old)
        joining = old.begin(MOVE, **ON)
        said = said_until(joining, "is at work already")
    said += joining.communicate(timeout=300)
    assert (joining.returncode, working) == (0, "activating"), said
    # Other servers deliver later.
    assert (away.status, bool(away.header("Retry-After"))) == (503, True)
    assert major(old) == "17"
    assert sql(old, "SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM statuses)") == before
    assert sql(old, "SELECT count(*) FROM numbers", "reports") == "1000"
    assert sql(old, "SELECT rolpassword LIKE 'SCRAM%' FROM pg_authid WHERE rolname = 'reporter'") == "t"
    assert "written years ago" in posts(old)
    post(old, "written with the new one")
    assert nothing_is_left_of_an_attempt(old)
    assert old.run(f"cat {DATA}.before/PG_VERSION").strip() == "15"
    assert "6 of 6" in said and "is kept (PostgreSQL 15" in said


def test_a_deployment_after_it_is_quiet_and_status_tells_of_the_old_directory(old: Instance) -> None:
    assert old.converge(**ON).changed == [] and old.plan(**ON).planned == []
    assert old.converge(MOVE, **ON).changed == []
    format_json = with_settings(ON | {"format": "json"})
    said = old.world.typed(STATUS, *format_json, options=["--limit", old.host]).stdout
    texts = [each["text"] for each in json.loads(said)["complaints"]]
    assert any(f"{DATA}.before (PostgreSQL 15" in each for each in texts), texts


def test_an_older_postgresql_is_not_gone_back_to(old: Instance) -> None:
    assert "an older one cannot load" in old.refusal(MOVE, **OLD)


def test_the_old_directory_goes_when_that_is_said(old: Instance) -> None:
    run = old.converge(MOVE, postgres_old_directory="remove", **ON)
    assert [each.rpartition(" | ")[2] for each in run.changed] == ["Keep the old data directory, or remove it"]
    assert not old.succeeds(f"[ -e {DATA}.before ]")
    assert old.converge(MOVE, postgres_old_directory="remove", **ON).changed == []


def test_indexes_that_another_debian_sorted_are_made_anew_and_no_post_is_lost_if_that_is_killed(old: Instance) -> None:
    sql(old, "UPDATE pg_database SET datcollversion = '2.31' WHERE datname = 'mastodon_production'")
    run = old.converge(**ON)
    assert run.changed == [] and "sorted by the rules of version 2.31" in run.stderr and MOVE in run.stderr
    # Killed while the directories change places: whichever is in place serves, and what is posted there stays. The
    # engine was told to stop the database, and goes on with it.
    with slow_to_stop(old):
        killed = old.begin(MOVE, **ON)
        ending = f"docker logs --tail 5 {old.container('mstdn', 'db')} 2>&1 | grep -q 'received fast shutdown'"
        wait_until("the database is told to stop", lambda: is_at(old, 6) and old.succeeds(ending), 180, 0.1)
        old.run(f"systemctl kill --signal KILL --kill-whom main {UNIT}.service")
        told = f"journalctl --unit {UNIT}.service --output cat --lines 5 | grep -q 'ended from outside'"
        wait_until("systemd puts it in order", lambda: old.succeeds(told), 60, 0.1)
    said = killed.communicate(timeout=180)
    wait_until("it answers", lambda: answers(old), 90)
    post(old, "written between the two")
    old.converge(MOVE, **ON)
    assert "written between the two" in posts(old), said
    assert old.run(f"cat {DATA}.before/PG_VERSION").strip() == "17"
    again = old.converge(**ON)
    assert again.changed == [] and "sorted by the rules" not in again.stderr
    assert "written with the new one" in posts(old) and nothing_is_left_of_an_attempt(old)
    old.converge(MOVE, postgres_old_directory="remove", **ON)


# --- Before an upgrade --------------------------------------------------------------------------


@contextmanager
def aged_backup(instance: Instance) -> Iterator[None]:
    """The last backup was made two days ago, as far as the server knows."""
    instance.run("cp -p /var/lib/mstdn/backup /root/backup-note")
    instance.run(f"sed -i 's/^time .*/time {int(time.time()) - 172800}/' /var/lib/mstdn/backup")
    try:
        yield
    finally:
        instance.run("mv /root/backup-note /var/lib/mstdn/backup")


def test_an_upgrade_without_a_young_backup_is_refused_before_the_first_change(old: Instance) -> None:
    with aged_backup(old):
        said = old.refusal(**NEWEST)
        assert "the last backup is 48 hours old" in said and BACKUP in said and "Nothing was changed" in said
        assert old.plan(backup_before_upgrade_hours=0, **NEWEST).planned
        # The same release is no upgrade.
        assert old.converge(**ON).changed == []
    assert old.plan(**NEWEST).planned


def test_accounts_that_are_there_twice_are_counted_before_they_are_merged(old: Instance) -> None:
    sql(
        old,
        "INSERT INTO accounts (id, username, domain, uri) "
        "SELECT n, 'twice' || n, 'remote.example', 'https://remote.example/u' FROM generate_series(-2, -1) AS n",
    )
    try:
        plan = old.plan(**NEWEST)
        assert "1 accounts of other servers are in the database more than once" in plan.stderr
    finally:
        sql(old, "DELETE FROM accounts WHERE id < 0")


# --- The way off --------------------------------------------------------------------------------

OTHERS = "--network front --env VIRTUAL_HOST=blog.example.org --name blog"


def test_nothing_is_removed_until_the_name_is_said_and_what_would_go_is_told(old: Instance) -> None:
    before = old.started()
    for settings in (ON, ON | {"yes": "another.example.org"}):
        said = old.refusal(UNINSTALL, **settings)
        assert f"--data yes={old.domain}" in said and "A last backup goes to /srv/backups" in said
        assert "mstdn-db-1" in said and "/srv/mastodon" in said and "SECRET_KEY_BASE" in said
    assert old.started() == before


def test_an_uninstall_that_is_cut_off_is_finished_and_leaves_what_is_of_others(years: Years) -> None:
    old = years.instance
    post(old, "the last one")
    yes = ON | {"yes": old.domain}
    old.run("echo theirs >/srv/proxy/vhost.d/blog.example.org; echo theirs >/srv/proxy/certs/blog.example.org.crt")
    with throw_away_container(old, OTHERS, command="sleep 900"):
        plan = old.plan(UNINSTALL, **yes)
        assert "a file of others" in plan.stderr and "blog.example.org (blog)" in plan.stderr
        lost = old.begin(UNINSTALL, **yes)
        gone = "! docker ps --all --format '{{.Names}}' | grep -q mstdn-db"
        wait_until("the containers go", lambda: old.succeeds(gone), 240, 0.2)
        lost.kill()
        lost.communicate()
        # Whoever deploys now is told both ways, and nothing is made of what is left.
        said, note = old.refusal(**ON), "/var/lib/mstdn/uninstalling"
        assert f"tasks/uninstall.py --data yes={old.domain}" in said and f"rm {note}" in said, said
        old.run(f"echo data >>{note}")
        said = old.refusal(**ON)
        assert "what is left is no instance" in said and "tasks/restore.py" in said and "rm /var" not in said, said
        assert not old.run("docker ps --all --format '{{.Names}}' | grep mstdn-db", check=False)
        old.converge(UNINSTALL, **yes)
        theirs = "/srv/proxy/vhost.d/blog.example.org /srv/proxy/certs/blog.example.org.crt"
        assert old.run(f"cat {theirs}") == "theirs\ntheirs\n"
        assert old.run("find /srv/proxy -type f | wc -l").strip() == "2"
        assert old.run("docker ps --all --format '{{.Names}}'").split() == ["blog"]
        assert old.run("docker images --format '{{.Repository}}:{{.Tag}}'").split() == [versions.NGINX_IMAGE]
        assert old.run("docker network ls --format '{{.Name}}'").split().count("front") == 1
        again = old.converge(UNINSTALL, **yes)
        assert again.changed == [] and "there is nothing of the suite on this server to remove" in again.stderr
    old.run(f"rm -r /srv/proxy; docker network rm front; docker image rm {versions.NGINX_IMAGE}")
    # A last backup was made, and is all that is left of the instance.
    assert old.succeeds("ls /srv/backups/snapshots | grep -q .")


def test_the_server_is_what_it_was_before(years: Years) -> None:
    now = looked_at(years.instance)
    for name, before in years.before.items():
        assert now[name].splitlines() == before.splitlines(), name
    assert not years.instance.succeeds("[ -e /var/lib/mstdn ] || [ -e /srv/mastodon ]")
    assert years.instance.converge(UNINSTALL).changed == []


def test_a_server_that_was_left_takes_a_new_instance_or_the_last_backup(years: Years) -> None:
    instance = years.instance
    assert instance.converge(mastodon_version=RELEASE).changed
    assert instance.converge(mastodon_version=RELEASE).changed == []
    assert "the last one" not in posts(instance)
    instance.converge("tasks/restore.py", replace="yes", **ON)
    assert "the last one" in posts(instance)
