"""The scripts that look at a server, with stand-ins for docker and systemctl."""

from __future__ import annotations

from pathlib import Path

import pytest

from mstdn.settings import Settings
from mstdn.status.facts import MachineState, Parts, PartStates, Queue, Unit
from mstdn.status.limits import watched_directories
from mstdn.status.looking import questions
from tests.harness import answer_of, listing, read, run_script, settings_with, stand_in

UNITS = """case "$*" in
list-unit-files*) printf '%s x x\\n' mstdn-backup.service mstdn-backup.timer mstdn-x.path mstdn-y@.service ;;
show*'-- mstdn-backup.service mstdn-backup.timer')
    printf 'Id=mstdn-backup.service\\nLoadState=loaded\\nActiveState=failed\\nResult=exit-code\\n\\n'
    printf 'Id=mstdn-backup.timer\\nLoadState=loaded\\nActiveState=active\\nResult=success\\n'
    echo 'NextElapseUSecRealtime=Thu 2026-11-26 03:31:00 UTC' ;;
esac"""


def test_a_machine_tells_of_disk_memory_units_and_notes(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "backup").write_text("time 1800000000\nsnapshot 1a2b\n")
    (notes / "drill-result").write_text("time 1\nresult failed\nwhy the counts differ\n")
    (notes / "alerts").write_text("incident container/mstdn/web open 2 7 web is gone\nfailed mail 17 535 5.7.8 no\n")
    (notes / "instance").write_text("LOCAL_DOMAIN=social.example.org\n")
    (tmp_path / "suite").write_text("0.2.0 v0.2.0-3\n")
    question = MachineState.of(str(notes), str(tmp_path / "suite"), [str(tmp_path / "not" / "yet")])
    found = answer_of(question, path=stand_in(tmp_path, "systemctl", UNITS))
    assert found.suite == "0.2.0 v0.2.0-3" and found.now > 1_700_000_000
    assert found.memory > found.available > 0
    assert found.disks and all(each.size >= each.available >= 0 for each in found.disks)
    assert len({each.mount for each in found.disks}) == len(found.disks)
    assert found.units == (
        Unit("mstdn-backup.service", "loaded", "failed", "exit-code"),
        Unit("mstdn-backup.timer", "loaded", "active", "success", "Thu 2026-11-26 03:31:00 UTC"),
    )
    assert found.noted == {
        "backup": {"time": "1800000000", "snapshot": "1a2b"},
        "drill-result": {"time": "1", "result": "failed", "why": "the counts differ"},
        "alerts": {"mail": "17 535 5.7.8 no"},
    }


ENGINE = "tr '\\0' '\\n' <\"/proc/$(cat /run/docker.pid)/cmdline\""


@pytest.mark.parametrize("told", ["option", "option and value", "file", "nothing"])
def test_the_disk_of_the_engine_is_looked_at_wherever_that_is(tmp_path: Path, told: str) -> None:
    """On a machine whose /proc is a file system of its own, and whose system is another."""
    options = {"option": "--data-root=/proc/1", "option and value": "--data-root\n/proc/1"}.get(told, "-H\nfd://")
    configuration = '{"live-restore": true, "data-root": "/proc/1"}' if told == "file" else "{}"
    (tmp_path / "daemon.json").write_text(configuration)
    instead = {ENGINE: f"printf '%b\\n' '{options}'", "/etc/docker/daemon.json": str(tmp_path / "daemon.json")}
    said = run_script("status/machine", str(tmp_path), "/none", instead=instead).stdout
    assert ("disk /proc " in said) is (told != "nothing"), said


def test_a_file_system_without_a_limit_of_inodes_and_a_note_without_a_value_are_read() -> None:
    found = read(MachineState, "now 1\nmemory 4 3 2 1\ndisk /mnt/my disk 10 5 -\nnoted backup-result why")
    assert [(each.mount, each.inodes) for each in found.disks] == [("/mnt/my disk", None)]
    assert found.noted == {"backup-result": {"why": ""}}


# What stands in for the containers: psql by the question on standard input, and a shell with what it finds in them.
PARTS = """case "$1" in
ps) {listing} ;;
exec)
    case "$*" in
    *psql*)
        case $(cat) in
        *pg_database_size*) {size} ;;
        *schema_migrations*) printf 'applied 1\\napplied 2\\n' ;;
        esac ;;
    *' ab '*) sed "s|/opt/mastodon|{root}|" | PATH="{path}:$PATH" sh -s ;;
    *' cd '*) PATH="{path}:$PATH" sh -s ;;
    esac ;;
esac"""
REDIS = """case "$2 $3" in
'PING ') {pong} ;;
'SMEMBERS queues') echo default; echo pull ;;
'LINDEX queue:default') echo '{{"class":"X","args":["queue pull 9 9"],"enqueued_at":1800000000123,"retry":true}}' ;;
'LLEN queue:default') echo 3 ;;
'LLEN queue:pull') echo 0 ;;
'ZCARD retry') echo 5 ;;
'ZCARD dead') echo 1 ;;
'SCARD processes') echo 1 ;;
'INFO persistence') printf 'rdb_last_bgsave_status:ok\\r\\naof_last_write_status:err\\r\\n' ;;
esac"""


def parts(directory: Path, *, size: str = "echo 'database 1000 14 100'", pong: str = "echo PONG") -> Parts:
    for file in ("migrate/1_old.rb", "post_migrate/2_later.rb", "post_migrate/3_new_thing.rb", "migrate/notes.txt"):
        (directory / "db" / file).parent.mkdir(parents=True, exist_ok=True)
        (directory / "db" / file).touch()
    inside = directory / "inside"
    inside.mkdir()
    stand_in(inside, "redis-cli", REDIS.format(pong=pong))
    stand_in(inside, "cut", "")
    stand_in(directory, "systemctl", "echo loaded; echo active")
    running = listing(ab="mstdn/web", cd="mstdn/redis", ef="mstdn/db")
    text = PARTS.format(listing=running, size=size, root=directory, path=inside / "bin")
    return answer_of(PartStates.of("mstdn"), path=stand_in(directory, "docker", text))


def test_the_parts_of_an_instance_tell_how_they_are(tmp_path: Path) -> None:
    assert parts(tmp_path) == Parts(
        database=1000,
        connections=14,
        most_connections=100,
        pending=("3_new_thing",),
        queues=(Queue("default", 3, 1800000000.123), Queue("pull", 0)),
        retries=5,
        dead=1,
        processes=1,
        writes=("ok", "err"),
    )


def test_parts_that_run_and_do_not_answer_are_told(tmp_path: Path) -> None:
    found = parts(tmp_path, size="exit 2", pong="echo LOADING")
    assert found.silent == {"db", "redis"}
    assert (found.database, found.retries) == (None, None)


def test_the_times_of_older_sidekiqs_are_seconds() -> None:
    assert read(PartStates, "queue push 1 1800000000.5\njobs 0 0 1").queues == (Queue("push", 1, 1800000000.5),)


@pytest.mark.parametrize("settings", [settings_with(), settings_with(web_domain="www.example.org")])
def test_what_is_asked_is_named_once_so_that_all_of_it_travels_together(settings: Settings) -> None:
    asked = questions(settings)
    assert len(set(asked)) == len(asked) == 7


def test_every_directory_that_may_lie_on_a_disk_of_its_own_is_looked_at() -> None:
    directories = watched_directories(settings_with(backup_repository="/mnt/backups"))
    assert set(directories) == {
        *("/srv/mastodon", "/srv/mastodon/database", "/srv/mastodon/redis", "/srv/mastodon/media", "/srv/proxy"),
        "/mnt/backups",
    }
    assert "s3:" not in "".join(
        watched_directories(settings_with(backup_repository="s3:https://s3.example.org/bucket"))
    )
