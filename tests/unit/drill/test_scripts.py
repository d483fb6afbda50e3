"""The drill, on a server whose Docker and restic are stand-ins."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mstdn.backup.programs import COMMON
from mstdn.drill.operations import drill_now
from mstdn.drill.programs import drill_programs
from mstdn.layout import PROGRAMS
from tests.harness import OWNER, Command, calls_in, commands_of, run_script, settings_with
from tests.unit.backup.world import Server

DUMP, JOBS, PICTURE = b"PGDMP rows whole", b"REDIS0012 of the backup", b"a picture"
MANIFEST = f"""\
format 1
domain social.example.org
web_image ghcr.io/mastodon/mastodon:v4.7.60
database_bytes 1048576
media_kib 4
rows accounts 3
sum {sha256(DUMP).hexdigest()}  database.dump
sum {sha256(JOBS).hexdigest()}  redis.rdb
media {sha256(PICTURE).hexdigest()}  ./files/with space.png
"""


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Server:
    """A living instance with one backup."""
    server = Server(tmp_path)
    server.make("repository", "0123abcd")
    server.make("snapshots", '[{"short_id":"1a2b3c4d"}]')
    for name, content in {
        "backup/database.dump": DUMP,
        "backup/redis.rdb": JOBS,
        "backup/manifest": MANIFEST.encode(),
        "secrets/instance.env": b"SECRET_KEY_BASE=of the backup\n",
        "mastodon.env": b"DB_HOST=db\nLOCAL_DOMAIN=social.example.org\n",
        "media/files/with space.png": PICTURE,
    }.items():
        (tmp_path / "snapshot" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "snapshot" / name).write_bytes(content)
    return server


def hold(server: Server) -> CompletedProcess[str]:
    instead: dict[str, str | Path] = {
        **server.instead,
        "chown 999:999": f"chown {OWNER}",
        "chown 991:991": f"chown {OWNER}",
        '"${0%/*}/prove.rb"': Path(__file__).parents[3] / "mstdn/drill/prove.rb",
    }
    return run_script("drill/hold", before=COMMON, path=server.home / "bin", instead=instead)


def left_behind(server: Server) -> bool:
    return (server.home / "network").exists() or (server.home / "srv/drill").exists()


def test_a_good_backup_is_proven_and_nothing_is_left_behind(server: Server) -> None:
    answer = hold(server)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    proof = "1 tables with 3 rows, 7 encrypted values, 1 media files"
    assert f"The backup 1a2b3c4d is proven: {proof}." in answer.stdout
    result = server.note("hold-result")
    assert (result["result"], result["snapshot"], result["why"]) == ("ok", "1a2b3c4d", proof)
    assert not left_behind(server)
    assert "restic check --read-data-subset=2%" in calls_in(server.home)


def test_media_that_lay_behind_a_link_are_compared_where_the_backup_has_them(server: Server) -> None:
    (server.home / "snapshot/media").rename(server.home / "snapshot/disk")
    server.make("snapshot/backup/manifest", f"{MANIFEST}media_path {server.home}/srv/disk\n")
    answer = hold(server)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert any(f"--include {server.home}/srv/disk/files/" in call for call in calls_in(server.home))


def test_the_instance_is_not_touched(server: Server) -> None:
    assert hold(server).returncode == 0
    for call in calls_in(server.home):
        words = call.split()
        if words[:2] == ["docker", "exec"]:
            assert "mstdn-drill-db" in words
        assert words[:2] not in (["docker", "stop"], ["docker", "restart"])
    assert "--internal mstdn-drill" in "".join(calls_in(server.home))


def test_mastodon_is_booted_with_the_keys_of_the_backup_and_the_database_aside(server: Server) -> None:
    assert hold(server).returncode == 0
    lines = (server.home / "environment").read_text().splitlines()
    assert "SECRET_KEY_BASE=of the backup" in lines
    # The later line counts.
    assert [line for line in lines if line.startswith("DB_HOST=")][-1] == "DB_HOST=drill-db"
    assert "encrypted_attributes" in (server.home / "program").read_text()
    assert not [call for call in calls_in(server.home) if "of the backup" in call]


def test_one_that_is_told_to_stop_leaves_no_database_at_work_aside(server: Server) -> None:
    server.make("told-to-stop")
    answer = hold(server)
    assert answer.returncode == 0 and "The drill was told to stop" in answer.stderr
    assert server.note("hold-result")["result"] == "skipped"
    assert not left_behind(server)
    assert calls_in(server.home)[-2].startswith("docker rm --force --volumes mstdn-drill-db")


BROKEN = [
    # a file of the world with its text, part of what is said
    ("snapshot/backup/redis.rdb", "REDIS", "is not what was put into it"),
    ("rows-of-the-drill", "rows accounts 2", "other numbers of rows"),
    ("unreadable", "7", "do not open what is encrypted in its database: 7 of 7 values"),
    ("no-boot", "", "could not be booted with what is in the backup 1a2b3c4d: missing keys"),
    ("snapshot/media/files/with space.png", "another", "Media of the backup 1a2b3c4d are not"),
    ("fail-check", "Pack ID does not match, want 1a, got 2b", "is damaged"),
    ("fail-cat", "Fatal: wrong password or no key found", "BACKUP_PASSPHRASE"),
    ("snapshots", "[]", "no backup of social.example.org"),
]


@pytest.mark.parametrize(("file", "text", "said"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_backup_that_is_not_what_it_should_be_is_told(server: Server, file: str, text: str, said: str) -> None:
    server.make(file, text)
    answer = hold(server)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert server.note("hold-result")["result"] == "failed"
    assert not left_behind(server)


@pytest.mark.parametrize("told", [{"DRILL_MEMORY_MIB": "90000000"}, {"DRILL_MEDIA_FILES": "900000000"}])
def test_where_memory_or_disk_is_too_small_it_says_so_and_that_is_no_failure(
    server: Server, told: dict[str, str]
) -> None:
    server.tell(**told)
    answer = hold(server)
    assert answer.returncode == 0
    assert "No drill was held" in answer.stderr and "not proven" in answer.stderr
    assert server.note("hold-result")["result"] == "skipped"
    assert not left_behind(server)


def test_what_a_killed_drill_left_is_taken_away(server: Server) -> None:
    (server.home / "srv/drill").mkdir()
    server.make("network")
    assert hold(server).returncode == 0
    assert not left_behind(server)


# --- What is installed, and the verb ------------------------------------------------------------


def test_it_is_held_every_week_by_the_same_unit_that_the_verb_starts() -> None:
    settings = settings_with(backup_repository="/srv/backups", drill_day="Tue", drill_time="04:15")
    files = {file.path.rpartition("/")[2]: file for file in drill_programs(settings)}
    assert "OnCalendar=Tue *-*-* 04:15:00" in files["mstdn-drill.timer"].text
    assert f"ExecStart={PROGRAMS}/drill" in files["mstdn-drill.service"].text
    assert files["prove.rb"].path == f"{PROGRAMS}/prove.rb"
    assert commands_of(drill_now, {}, settings=settings) == [
        Command("timers/follow", ("mstdn-drill.service", "The drill"))
    ]
