"""The programs of a restore, on a server whose Docker and restic are stand-ins."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mstdn.backup.programs import COMMON
from mstdn.fact import CouldNotLook
from mstdn.restore.facts import WayBack
from tests.harness import OWNER, answer_of, calls_in, run_script, stand_in
from tests.unit.backup.world import Server

DUMP, JOBS = b"PGDMP rows whole", b"REDIS0012 of the backup"
MANIFEST = f"""\
format 1
database_bytes 1048576
media_kib 4
rows accounts 3
sum {sha256(DUMP).hexdigest()}  database.dump
sum {sha256(JOBS).hexdigest()}  redis.rdb
"""
BEFORE = "mastodon_before_restore"
KEPT_KEYS = "secrets/instance.env.before-restore"
PROGRAMS = ("sidekiq", "web", "streaming")
DROP = "DROP DATABASE IF EXISTS mastodon_restored WITH (FORCE);\n"
OLD_KEYS = "VAPID_PUBLIC_KEY=BAAA\n# complete\n"
NEW_KEYS = f"VAPID_PUBLIC_KEY=BBBB\nDB_PASS={'0f' * 32}\nPOSTGRES_PASSWORD={'0e' * 32}\n# complete\n"


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Server:
    """A living instance, whose backup has other keys, jobs and rows; the restore is begun."""
    server = Server(tmp_path)
    server.make("repository", "0123abcd")
    snapshot = tmp_path / "snapshot"
    for name in ("backup", "state", "secrets"):
        (snapshot / name).mkdir(parents=True)
    (snapshot / "backup/database.dump").write_bytes(DUMP)
    (snapshot / "backup/redis.rdb").write_bytes(JOBS)
    (snapshot / "backup/manifest").write_text(MANIFEST)
    (snapshot / "state/installed.env").write_text("LOCAL_DOMAIN=social.example.org\nMASTODON_VERSION=v4.7.5\n")
    (snapshot / "secrets/instance.env").write_text(NEW_KEYS)
    (tmp_path / "srv/redis/appendonlydir").mkdir()
    (tmp_path / "srv/redis/appendonlydir/old").write_text("jobs of before")
    (tmp_path / "notes/restoring").write_text("snapshot 1a2b3c4d\nbegun 1764000001\n")
    return server


def restore(server: Server) -> CompletedProcess[str]:
    path, instead = server.home / "bin", server.instead | {"chown 0:0": f"chown {OWNER}"}
    return run_script("restore/data", before=COMMON, path=path, instead=instead)


def begin(server: Server, snapshot: str = "1a2b3c4d") -> CompletedProcess[str]:
    path, instead = server.home / "bin", server.instead | {"chown 0:0": f"chown {OWNER}"}
    return run_script("restore/begin", snapshot, before=COMMON, path=path, instead=instead)


def asked(server: Server) -> str:
    path = server.home / "all-asked"
    return path.read_text() if path.exists() else ""


def stopped(server: Server) -> list[str]:
    return [call.split()[-1] for call in calls_in(server.home) if call.startswith("docker stop")]


def test_database_jobs_media_and_keys_take_their_place(server: Server) -> None:
    answer = restore(server)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    srv = server.home / "srv"
    assert (server.home / "loaded").read_bytes() == DUMP
    assert "ALTER DATABASE mastodon_production RENAME TO mastodon_before_restore;" in asked(server)
    assert f"ALTER ROLE mastodon PASSWORD '{'0f' * 32}';" in asked(server)
    assert (srv / "secrets/instance.env").read_text() == NEW_KEYS
    assert (srv / "secrets/instance.env").stat().st_mode & 0o777 == 0o600
    assert (srv / "redis/appendonlydir/appendonly.aof.1.base.rdb").read_bytes() == JOBS
    assert not (srv / "redis/dump.rdb").exists()
    assert "v4.7.5" in (srv / "state/installed.env").read_text()
    assert server.note("restoring")["data"] == "restored"
    assert any(f"--target / --include {srv}/media" in call for call in calls_in(server.home))
    assert not (srv / "restore").exists()


def test_media_come_back_behind_a_link_which_stays_one(server: Server) -> None:
    media, disk, picture = server.home / "srv/media", server.home / "bigger", server.home / "snapshot/media/new/1.png"
    media.rename(disk)
    media.symlink_to(disk)
    (disk / "picture.png").write_text("half of a pict")
    picture.parent.mkdir(parents=True)
    picture.write_text("new")
    (server.home / "snapshot/media/picture.png").write_text("a picture")
    answer = restore(server)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert media.is_symlink() and (disk / "new/1.png").read_text() == "new"
    assert (disk / "picture.png").read_text() == "a picture"
    assert not (disk / ".restoring").exists() and (disk / "cache/remote.png").exists()
    assert not [call for call in calls_in(server.home) if "--target / --include" in call and "/media" in call]


def test_what_was_here_is_kept_aside(server: Server) -> None:
    assert restore(server).returncode == 0
    srv = server.home / "srv"
    assert (srv / "redis/before-restore/appendonlydir/old").read_text() == "jobs of before"
    assert (srv / "redis/before-restore/dump.rdb").read_text() == "REDIS0012 jobs"
    assert (srv / "secrets/instance.env.before-restore").read_text() == OLD_KEYS


def test_a_second_attempt_keeps_what_the_first_one_found_and_not_what_it_made(server: Server) -> None:
    assert restore(server).returncode == 0
    # Cut off before the last line of the note.
    note = server.home / "notes/restoring"
    note.write_text(note.read_text().replace("data restored\n", ""))
    server.make("kept", "before the restore of 1a2b3c4d, begun 1764000001")
    (server.home / "all-asked").unlink()
    assert restore(server).returncode == 0
    srv = server.home / "srv"
    assert "RENAME TO mastodon_before_restore" not in asked(server)
    assert "RENAME TO mastodon_discarded" in asked(server)
    assert (srv / "redis/before-restore/appendonlydir/old").read_text() == "jobs of before"
    assert (srv / "secrets/instance.env.before-restore").read_text() == OLD_KEYS


@pytest.mark.parametrize(
    ("tables", "aside"), [("0\n", "mastodon_discarded"), ("3\n", BEFORE), ("\n", BEFORE), ("", BEFORE)]
)
def test_only_a_database_that_says_that_it_is_empty_is_thrown_away(server: Server, tables: str, aside: str) -> None:
    server.make("tables", tables)
    assert restore(server).returncode == 0
    assert f"ALTER DATABASE mastodon_production RENAME TO {aside};" in asked(server)


def test_a_damaged_database_whose_tables_cannot_be_counted_is_kept(server: Server) -> None:
    server.make("uncounted", 'FATAL: could not open file "base/16384/1259": No such file or directory')
    answer = restore(server)
    assert answer.returncode == 0, answer.stderr
    assert "so it is kept as it is: FATAL: could not open file" in answer.stdout
    assert "ALTER DATABASE mastodon_production RENAME TO mastodon_before_restore;" in asked(server)


@pytest.mark.parametrize(("file", "words"), [("unasked", "docker: out of memory"), ("answers-nothing", "")])
def test_without_an_answer_what_an_earlier_attempt_has_kept_is_not_dropped(
    server: Server, file: str, words: str
) -> None:
    server.make(file, words)
    note = "snapshot 1a2b3c4d\nbegun 1764000001\ndata replaced\njobs kept\n"
    server.make("notes/restoring", note)
    server.make("kept", "before the restore of 1a2b3c4d, begun 1764000001")
    answer = restore(server)
    assert answer.returncode == 1
    assert "did not say what an earlier attempt has kept" in answer.stderr and words in answer.stderr
    assert "pyinfra inventory.py tasks/restore.py" in answer.stderr
    assert "RENAME" not in asked(server) and f"DROP DATABASE IF EXISTS {BEFORE}" not in asked(server)
    assert stopped(server) == [] and (server.home / "notes/restoring").read_text() == note


@pytest.mark.parametrize(("line", "kept"), [("jobs kept", "redis/before-restore/old"), ("keys kept", KEPT_KEYS)])
def test_what_is_kept_stays_where_the_note_about_it_cannot_be_read(server: Server, line: str, kept: str) -> None:
    server.make("notes/restoring", f"snapshot 1a2b3c4d\nbegun 1764000001\ndata replaced\n{line}\n")
    (server.home / "srv/redis/before-restore").mkdir()
    (server.home / "srv" / kept).write_text("of before")
    grep = f"case $* in *'{line}'*) echo 'grep: out of memory' >&2; exit 2 ;; esac"
    stand_in(server.home, "grep", f'{grep}\nexec /usr/bin/env -i PATH=/usr/bin:/bin grep "$@"')
    answer = restore(server)
    assert answer.returncode == 1 and "which says how far this restore is, cannot be read" in answer.stderr
    assert (server.home / "srv" / kept).read_text() == "of before"


def test_a_note_that_cannot_be_read_is_not_written_anew(server: Server) -> None:
    note = (server.home / "notes/restoring").read_text()
    sed = "case $* in *restoring) echo 'sed: read error: Input/output error' >&2; exit 4 ;; esac"
    stand_in(server.home, "sed", f'{sed}\nexec /usr/bin/env -i PATH=/usr/bin:/bin sed "$@"')
    answer = begin(server, "5e6f7a8b")
    assert answer.returncode == 1 and "cannot be read" in answer.stderr
    assert (server.home / "notes/restoring").read_text() == note


def test_a_reboot_in_the_middle_does_not_start_the_mastodon_of_before(server: Server) -> None:
    # An engine that starts would also start what was stopped by hand.
    server.make("no-switch")
    assert "could not change places" in restore(server).stderr
    kept_down = {service: (server.home / f"policy-id-of-{service}").read_text() for service in PROGRAMS}
    assert kept_down == dict.fromkeys(PROGRAMS, "no\n")
    calls = calls_in(server.home)
    for service in PROGRAMS:
        kept = calls.index(f"docker update --restart no id-of-{service}")
        assert kept < calls.index(f"docker stop id-of-{service}")
        assert any("status=exited" in call and call.endswith(f"service={service}") for call in calls[:kept])


def test_as_long_as_it_might_come_back_by_itself_no_database_changes_its_place(server: Server) -> None:
    server.make("no-update", "Error: out of memory")
    answer = restore(server)
    assert answer.returncode == 1 and "could not be stopped for as long as this takes: Error: out" in answer.stderr
    assert "RENAME" not in asked(server)


def test_in_the_end_a_reboot_brings_them_back_also_where_they_were_not_made_anew(server: Server) -> None:
    assert restore(server).returncode == 0
    # The deployment has made this one anew.
    server.make("policy-id-of-web", "always\n")
    assert restore(server).returncode == 0
    assert [(server.home / f"policy-id-of-{service}").read_text() for service in PROGRAMS] == ["always\n"] * 3
    assert "docker update --restart always id-of-web" not in calls_in(server.home)


def test_mastodon_stops_only_when_the_loaded_database_is_proven(server: Server) -> None:
    assert restore(server).returncode == 0
    calls = calls_in(server.home)
    assert stopped(server) == ["id-of-sidekiq", "id-of-web", "id-of-streaming", "id-of-redis"]
    loaded = next(number for number, call in enumerate(calls) if "pg_restore --username" in call)
    assert loaded < calls.index("docker stop id-of-sidekiq")


BROKEN = [
    # a file of the world with its text, part of what is said
    ("snapshot/backup/redis.rdb", "REDIS0012 of the back", "is not what was put into it"),
    ("snapshot/secrets/instance.env", "VAPID_PUBLIC_KEY=BBBB\n", "has no keys"),
    ("rows", "rows accounts 2\n", "other numbers of rows"),
    ("fail-cat", "Fatal: wrong password or no key found", "BACKUP_PASSPHRASE"),
    ("fail-restore", "Load(<data/1a>): ciphertext verification failed", "tasks/restore.py --data snapshot=…"),
    ("no-db", "", "does not run"),
]


@pytest.mark.parametrize(("file", "text", "said"), BROKEN, ids=[row[0] for row in BROKEN])
def test_what_is_broken_is_told_and_the_instance_goes_on(server: Server, file: str, text: str, said: str) -> None:
    server.make(file, text)
    answer = restore(server)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert stopped(server) == []
    assert "RENAME" not in asked(server)
    # What was loaded by half does not stay on the disk.
    assert asked(server).endswith(DROP) is (file not in ("no-db", "fail-cat"))
    assert (server.home / "srv/secrets/instance.env").read_text() == OLD_KEYS
    assert "data" not in server.note("restoring")


def test_a_truncated_dump_is_noticed_although_its_checksum_is_right(server: Server) -> None:
    short = b"PGDMP rows wh"
    server.make("snapshot/backup/database.dump", short.decode())
    server.make("snapshot/backup/manifest", MANIFEST.replace(sha256(DUMP).hexdigest(), sha256(short).hexdigest()))
    answer = restore(server)
    assert answer.returncode == 1 and "cannot be read" in answer.stderr
    assert stopped(server) == []


def test_once_the_data_are_there_the_feeds_are_built_and_the_note_goes(server: Server) -> None:
    assert restore(server).returncode == 0
    server.make("feeds-fail")
    answer = restore(server)
    assert answer.returncode == 1 and "feeds could not be built" in answer.stderr
    assert server.note("restoring")
    (server.home / "feeds-fail").unlink()
    answer = restore(server)
    assert answer.returncode == 0 and "is restored" in answer.stdout
    assert server.note("restoring") == {}
    assert "No restore is under way" in restore(server).stderr


def test_a_bare_server_gets_the_keys_first_and_a_living_one_keeps_its_own(server: Server) -> None:
    (server.home / "notes/restoring").unlink()
    assert begin(server).returncode == 0
    file = server.home / "srv/secrets/instance.env"
    assert file.read_text() == OLD_KEYS
    assert server.note("restoring")["snapshot"] == "1a2b3c4d"
    file.unlink()
    server.make("keys", "VAPID_PUBLIC_KEY=BB")
    assert "only half there" in begin(server).stderr
    # Not under a name that no program has, of which tasks/status.py would complain for ever.
    assert server.note("restore-result")["result"] == "failed" and server.note("begin-result") == {}
    assert not file.exists()
    server.make("keys", NEW_KEYS)
    assert begin(server).returncode == 0
    assert file.read_text() == NEW_KEYS
    assert file.stat().st_mode & 0o777 == 0o600


def test_another_backup_may_be_begun_until_something_was_replaced(server: Server) -> None:
    server.make("snapshots", '[{"tags":["mstdn"],"id":"5e6f7a8b5e","short_id":"5e6f7a8b"}]')
    place = (f"{server.home}/notes/restoring", f"{server.home}/srv", f"{server.home}/settings")

    def looked_for(wanted: str) -> str:
        calls = len(calls_in(server.home))
        answer_of(WayBack.question(wanted, *place, "/backups"), path=server.home / "bin")
        return calls_in(server.home)[calls].split()[-1]

    assert (looked_for("latest"), looked_for("5e6f7a8b")) == ("1a2b3c4d", "5e6f7a8b")
    assert begin(server).returncode == 0 and server.note("restoring")["begun"] == "1764000001"
    assert begin(server, "5e6f7a8b").returncode == 0
    assert server.note("restoring")["snapshot"] == "5e6f7a8b"
    assert restore(server).returncode == 0
    assert server.note("restoring")["data"] == "restored"
    assert looked_for("1a2b3c4d") == "5e6f7a8b"
    assert "Finish it first" in begin(server, "1a2b3c4d").stderr
    assert server.note("restoring")["snapshot"] == "5e6f7a8b"


def test_a_begun_backup_that_is_gone_gives_way_to_the_newest_until_something_was_replaced(server: Server) -> None:
    server.make("snapshots", '[{"tags":["mstdn"],"id":"5e6f7a8b5e","short_id":"5e6f7a8b"}]')
    server.make("pruned", "1a2b3c4d")
    place = (f"{server.home}/notes/restoring", f"{server.home}/srv", f"{server.home}/settings")

    def found(wanted: str) -> str:
        return answer_of(WayBack.question(wanted, *place, "/backups"), path=server.home / "bin").snapshot

    assert found("latest") == "5e6f7a8b"
    # Who names one gets that one or none.
    assert found("1a2b3c4d") == ""
    server.make("notes/restoring", "snapshot 1a2b3c4d\nbegun 1764000001\ndata replaced\n")
    assert found("latest") == ""


def test_a_restore_never_makes_a_repository(server: Server) -> None:
    (server.home / "repository").unlink()
    assert "There is no repository" in begin(server).stderr
    assert not (server.home / "repository").exists()


def test_while_a_restore_is_under_way_no_backup_is_made(server: Server) -> None:
    path, instead = server.home / "bin", server.instead
    answer = run_script("backup/make", before=COMMON, path=path, instead=instead)
    assert answer.returncode == 1 and "tasks/restore.py" in answer.stderr and "may be given up" in answer.stderr
    server.make("notes/restoring", "snapshot 1a2b3c4d\nbegun 1764000001\ndata replaced\n")
    answer = run_script("backup/make", before=COMMON, path=path, instead=instead)
    assert answer.returncode == 1 and "tasks/restore.py" in answer.stderr and "given up" not in answer.stderr


def test_the_way_back_is_looked_at_without_a_trace(server: Server) -> None:
    server.make("snapshots", '[{"tags":["mstdn"],"id":"1a2b3c4d5e","short_id":"1a2b3c4d"}]')
    home = server.home
    place = (f"{home}/notes/restoring", f"{home}/srv", f"{home}/settings")
    way = answer_of(WayBack.question("latest", *place, "/backups"), path=home / "bin")
    assert (way.instance, way.keys, way.snapshot) == (True, True, "1a2b3c4d")
    assert way.manifest["media_kib"] == "4" and way.restoring["begun"] == "1764000001"
    assert way.free_kib > 0
    assert all("--no-lock --no-cache" in call for call in calls_in(home))
    # The server has the programs of alerts, or of another repository: its word is not about this one.
    with pytest.raises(CouldNotLook):
        answer_of(WayBack.question("latest", *place, "/elsewhere"), path=home / "bin")


def test_what_lies_on_another_disk_is_seen(server: Server) -> None:
    big = "/dev/x 9 9 4096 1% /mnt/big disk"
    own = "/dev/y 9 9 2048 1% /"
    stand_in(server.home, "df", f"echo head; case $2 in */media) echo '{big}' ;; *) echo '{own}' ;; esac")
    place = (f"{server.home}/notes/restoring", f"{server.home}/srv", f"{server.home}/settings")
    way = answer_of(WayBack.question("latest", *place, "/backups"), path=server.home / "bin")
    assert (way.free_kib, way.elsewhere) == (2048, {"media": (4096, "/mnt/big disk")})


def test_a_backup_of_a_server_with_another_root_says_which_it_was(server: Server) -> None:
    paths = '"paths":["/data/compose.yaml","/data/backup","/data/state"]'
    server.make("snapshots", f'[{{{paths},"tags":["mstdn"],"id":"1a2b3c4d5e","short_id":"1a2b3c4d"}}]')
    server.make("snapshot/backup/manifest", f"{MANIFEST}root /data\n")
    place = (f"{server.home}/notes/restoring", f"{server.home}/srv", f"{server.home}/settings")
    way = answer_of(WayBack.question("latest", *place, "/backups"), path=server.home / "bin")
    assert (way.refused, way.manifest["root"]) == ("", "/data")
    assert calls_in(server.home)[-1].endswith(" dump 1a2b3c4d /data/backup/manifest")


def test_why_ssh_failed_is_seen_also_when_restic_ended_first(server: Server) -> None:
    home, words = server.home, "Host key verification failed."
    server.make("fail-snapshots", "Fatal: unable to start the sftp session, error: unexpected EOF")
    stand_in(home, "ssh", f"echo '{words}' >&2; exit 255")
    server.tell(BACKUP_REPOSITORY="sftp:x@store:/backups", BACKUP_SFTP_COMMAND="ssh -F /dev/null x@store -s sftp")
    place = (f"{home}/notes/restoring", f"{home}/srv", f"{home}/settings")
    way = answer_of(WayBack.question("latest", *place, "sftp:x@store:/backups"), path=home / "bin")
    assert words in way.refused
