"""The programs of backups, on a server whose Docker and restic are stand-ins."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mstdn.backup.facts import Backups, BackupState
from mstdn.backup.programs import COMMON
from tests.harness import answer_of, calls_in, read, run_script, stand_in
from tests.unit.backup.world import Server


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def backup(server: Server, patience: int = 600) -> CompletedProcess[str]:
    """patience: for how many seconds Redis may save."""
    path, instead = server.home / "bin", server.instead | {"+ 600))": f"+ {patience}))"}
    return run_script("backup/make", before=COMMON, path=path, instead=instead)


def restic(server: Server, *arguments: str) -> CompletedProcess[str]:
    path, instead = server.home / "bin", server.instead
    return run_script("backup/restic", *arguments, before=COMMON, path=path, instead=instead)


def restic_calls(server: Server) -> list[str]:
    return [call.split()[1] for call in calls_in(server.home) if call.startswith("restic ")]


def test_the_first_backup_makes_the_repository_and_notes_it(server: Server) -> None:
    answer = backup(server)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert restic_calls(server) == ["cat", "init", "cat", "unlock", "snapshots", "backup", "forget"]
    assert (server.home / "notes/repositories").read_text() == "0123abcd /backups\n"
    assert server.note("backup")["snapshot"] == "1a2b3c4d"
    assert server.note("backup")["location"] == "/backups"
    assert server.note("make-result")["result"] == "ok"
    assert "Backup 1a2b3c4d of social.example.org is in /backups." in answer.stdout


def test_a_backup_has_dump_jobs_keys_media_and_a_manifest_and_leaves_nothing_behind(server: Server) -> None:
    assert backup(server).returncode == 0
    sent = next(call for call in calls_in(server.home) if call.startswith("restic backup"))
    for path in ("backup", "secrets/instance.env", "state", "media"):
        assert f" {server.home}/srv/{path}" in sent
    assert f"--exclude {server.home}/srv/media/cache" in sent
    assert "--host social.example.org --tag mstdn,instance-" in sent
    manifest = (server.home / "manifest").read_text()
    for line in ("format 1", "domain social.example.org", "mastodon v4.7.60", "rows accounts 3", "postgres 17.5"):
        assert line in manifest.splitlines()
    assert f"sum {sha256(b'PGDMP rows whole').hexdigest()}  database.dump" in manifest
    assert f"media {sha256(b'a picture').hexdigest()}  ./picture.png" in manifest
    assert "remote.png" not in manifest
    assert not (server.home / "srv/backup").exists()


def test_while_a_backup_is_sent_the_server_may_be_changed(server: Server) -> None:
    lock = server.home / "lock"
    # Whoever asks for the repository, and whoever sends, asks whether the lock is free.
    restic = server.home / "bin/restic"
    asks = f'flock --nonblock {lock} true && echo "$1 free" >>{lock}.free\n'
    restic.write_text(restic.read_text().replace("\n", f"\n{asks}", 1))
    instead = {**server.instead, "set -eu\numask 077": f"exec 9>>{lock}; flock 9\nset -eu\numask 077"}
    answer = run_script("backup/make", before=COMMON, path=server.home / "bin", instead=instead)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert Path(f"{lock}.free").read_text().splitlines() == ["backup free", "forget free"]


def test_media_behind_a_link_to_a_bigger_disk_come_along_and_not_the_link(server: Server) -> None:
    media, disk = server.home / "srv/media", server.home / "bigger/media"
    (server.home / "bigger").mkdir()
    media.rename(disk)
    media.symlink_to(disk)
    assert backup(server).returncode == 0
    sent = next(call for call in calls_in(server.home) if call.startswith("restic backup"))
    assert f" {disk}" in sent and f"{media}" not in sent and f"--exclude {disk}/cache" in sent
    manifest = (server.home / "manifest").read_text().splitlines()
    assert f"media_path {disk}" in manifest
    assert f"media {sha256(b'a picture').hexdigest()}  ./picture.png" in manifest


@pytest.mark.parametrize(("cache", "counted"), [("no", False), ("yes", True)])
def test_the_size_of_media_is_that_of_what_is_in_the_backup(server: Server, cache: str, counted: bool) -> None:
    server.tell(BACKUP_MEDIA_CACHE=cache)
    (server.home / "srv/media/cache/film.mp4").write_bytes(b"x" * 1024 * 1024)
    assert backup(server).returncode == 0
    (kib,) = (line.split()[1] for line in (server.home / "manifest").read_text().splitlines() if "media_kib" in line)
    assert (int(kib) >= 1024) is counted


def test_copies_of_others_pictures_come_along_only_if_asked(server: Server) -> None:
    server.tell(BACKUP_MEDIA_CACHE="yes")
    assert backup(server).returncode == 0
    assert not [call for call in calls_in(server.home) if "--exclude" in call]


BROKEN = [
    # what is wrong, its file's text, part of what is said
    ("no-db", "", "The database or Redis does not run"),
    ("dump-ends-early", "", "pg_dump: error: out of memory"),
    ("dump-unreadable", "", "cannot be read back, so no backup was made: not a valid archive"),
    ("dump-empty", "", "The database holds no tables, so no backup was made."),
    ("dump-truncated", "", "unexpected end of file"),
    ("redis-full", "", "Redis could not save its jobs"),
    ("fail-cat", "Fatal: wrong password or no key found", "BACKUP_PASSPHRASE in secrets.env is not the one"),
    ("fail-unlock", "unable to create lock in backend: repository is already locked by PID 7 on h", "by PID 7 on h"),
    ("fail-cat", "Fatal: unable to open config file: Access Denied.", "does not let this server in"),
    ("fail-cat", "Host key verification failed.\nFatal: unable to open repository", "does not let this server in"),
    ("fail-cat", "Fatal: unable to open config file: dial tcp: lookup x: no such host", "cannot be reached"),
    ("fail-backup", "Fatal: write /backups/data/x: no space left on device", "no room left for sending the backup"),
    ("fail-backup", "Fatal: ciphertext verification failed", "is damaged"),
    ("fail-backup", "Fatal: something new", "restic failed at sending the backup: Fatal: something new"),
    ("incomplete", "error: read /srv/media/x: input/output error", "input/output error"),
]


@pytest.mark.parametrize(("file", "text", "said"), BROKEN, ids=[f"{row[0]} {row[1][:30]}" for row in BROKEN])
def test_what_goes_wrong_is_told_noted_and_no_backup_looks_good(
    server: Server, file: str, text: str, said: str
) -> None:
    server.make(file, text)
    answer = backup(server)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert server.note("backup") == {}
    assert server.note("make-result")["result"] == "failed"
    assert said.split("\n", maxsplit=1)[0] in server.note("make-result")["why"]
    assert ("backup" in restic_calls(server)) == (file in ("fail-backup", "incomplete"))
    assert not (server.home / "srv/backup").exists()


def test_one_that_is_told_to_stop_leaves_no_dump_and_says_so(server: Server) -> None:
    server.make("told-to-stop")
    answer = backup(server)
    assert answer.returncode == 1 and "It was told to stop" in answer.stderr
    assert server.note("make-result")["result"] == "failed" and "backup" not in restic_calls(server)
    assert not (server.home / "srv/backup").exists()


def test_what_went_wrong_is_said_also_where_the_disk_takes_no_note(server: Server) -> None:
    server.make("no-db")
    (server.home / "notes/.make-result.new").symlink_to("/dev/full")
    answer = backup(server)
    assert answer.returncode == 1 and "The database or Redis does not run" in answer.stderr
    assert sorted(each.name for each in (server.home / "notes").iterdir()) == []


def test_a_full_disk_is_named_although_restic_could_not_say_so(server: Server) -> None:
    server.make("fail-cat")
    stand_in(server.home, "df", "printf 'Filesystem 1024-blocks Used Available\\n/dev/x 9 9 0\\n'")
    answer = backup(server)
    assert answer.returncode == 1 and "There is no room left for opening the repository" in answer.stderr


def test_a_clock_that_was_set_back_since_redis_saved_holds_nobody_up(server: Server) -> None:
    dump = server.home / "srv/redis/dump.rdb"
    dump.write_text("REDIS0012 jobs of tomorrow")
    os.utime(dump, (9000000000, 9000000000))
    assert backup(server).returncode == 0
    new = sha256(b"REDIS0012 jobs\n").hexdigest()
    assert f"sum {new}  redis.rdb" in (server.home / "manifest").read_text().splitlines()


@pytest.mark.parametrize("before", ["REDIS0012 jobs of yesterday", ""], ids=["one from before", "none"])
def test_a_redis_that_ends_while_it_saves_has_saved_nothing(server: Server, before: str) -> None:
    dump = server.home / "srv/redis/dump.rdb"
    dump.unlink()
    if before:
        dump.write_text(before)
    server.make("redis-ends", f"Error: container is restarting\nrun_id:{'0e' * 20}\n")
    answer = backup(server)
    assert answer.returncode == 1
    assert "Redis ended while it saved" in answer.stderr and "docker logs --tail 40 id-of-redis" in answer.stderr
    assert server.note("backup") == {} and server.note("make-result")["result"] == "failed"
    assert "backup" not in restic_calls(server)


def test_the_first_save_of_a_redis_counts_where_there_was_no_file(server: Server) -> None:
    (server.home / "srv/redis/dump.rdb").unlink()
    assert backup(server).returncode == 0


def test_a_redis_that_saves_into_another_file_is_told(server: Server) -> None:
    server.make("redis-saves-elsewhere")
    (server.home / "srv/redis/dump.rdb").unlink()
    answer = backup(server, patience=1)
    assert answer.returncode == 1 and f"there is no new {server.home}/srv/redis/dump.rdb" in answer.stderr
    assert server.note("make-result")["result"] == "failed"


def test_jobs_that_cannot_be_copied_are_told(server: Server) -> None:
    stand_in(server.home, "cp", "echo 'cp: error writing: No space left on device' >&2; exit 1")
    answer = backup(server)
    assert answer.returncode == 1 and "could not be copied, so no backup was made: cp: error writing" in answer.stderr
    assert server.note("make-result")["result"] == "failed"


def test_a_redis_that_cannot_be_asked_is_told(server: Server) -> None:
    docker = server.home / "bin/docker"
    failing = "*'INFO server'*) echo 'Error: container is restarting' >&2; exit 1 ;;"
    docker.write_text(docker.read_text().replace("case $* in", f"case $* in\n{failing}", 1))
    answer = backup(server)
    assert answer.returncode == 1 and "so no backup was made: Error: container is restarting" in answer.stderr
    assert server.note("make-result")["result"] == "failed"


def test_a_database_that_tells_no_size_is_no_empty_one(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_BYTES", " ")
    answer = backup(server)
    assert answer.returncode == 1 and "did not say how large it is" in answer.stderr


def test_a_redis_that_does_not_say_who_it_is_is_not_waited_for(server: Server) -> None:
    server.make("run-id", "NOAUTH Authentication required.\n")
    answer = backup(server)
    assert answer.returncode == 1 and "Redis did not answer, so no backup was made: NOAUTH" in answer.stderr


S3 = [
    # what restic says of a store, part of what the operator is told
    (
        "Stat(<config/>) failed: Stat: Access Denied.",
        "BACKUP_AWS_SECRET_ACCESS_KEY in secrets.env, and at what that key",
    ),
    ("Stat(<config/>) returned error, retrying after 30s: Stat: 400 Bad Request", "backup_s3_region (now: eu-west-9)"),
]


@pytest.mark.parametrize(("words", "said"), S3, ids=[row[0] for row in S3])
def test_what_a_store_refuses_is_told_with_the_setting_to_look_at(server: Server, words: str, said: str) -> None:
    server.make("fail-cat", words)
    server.tell(BACKUP_REPOSITORY="s3:https://store/bucket", BACKUP_S3_REGION="eu-west-9")
    answer = backup(server)
    assert answer.returncode == 1
    assert said in answer.stderr and words in answer.stderr and "SSH" not in answer.stderr


def test_a_store_that_is_asked_again_and_again_is_given_up_after_three_minutes(server: Server) -> None:
    # So that nobody waits here: what restic said before its time was over.
    stand_in(
        server.home, "timeout", 'echo "$1" >>@HERE@/patience; shift; exec "$@"'.replace("@HERE@", str(server.home))
    )
    assert backup(server).returncode == 0
    assert (server.home / "patience").read_text() == "180\n"


SSH = [
    # what ssh says, part of what the operator is told
    ("Host key verification failed.", "backup_sftp_host_key"),
    ("operator@store: Permission denied (publickey).", "BACKUP_SSH_KEY"),
    ("ssh: connect to host store port 22: Connection refused", "cannot be reached"),
    ("Connection closed by 192.0.2.7 port 22", "cannot be reached"),
]


@pytest.mark.parametrize(("words", "said"), SSH, ids=[row[0] for row in SSH])
def test_why_ssh_failed_is_told_also_when_restic_ended_first(server: Server, words: str, said: str) -> None:
    server.make("fail-cat", "Fatal: unable to open repository at sftp:x: unable to start the sftp session, error: EOF")
    stand_in(server.home, "ssh", f"echo '{words}' >&2; exit 255")
    server.tell(BACKUP_REPOSITORY="sftp:x@store:/backups", BACKUP_SFTP_COMMAND="ssh -F /dev/null x@store -s sftp")
    answer = backup(server)
    assert answer.returncode == 1
    assert said in answer.stderr and words in answer.stderr


def test_a_backup_that_lacks_files_is_taken_away_again(server: Server) -> None:
    server.make("incomplete", "error: read /srv/media/x: input/output error")
    backup(server)
    assert [call for call in calls_in(server.home) if call.startswith("restic forget")] == ["restic forget 1a2b3c4d"]


def test_a_picture_that_was_deleted_in_the_meantime_is_no_fault(server: Server) -> None:
    server.make("incomplete", "error: lstat /srv/media/x: no such file or directory")
    assert backup(server).returncode == 0


def test_a_repository_that_is_gone_is_never_made_anew(server: Server) -> None:
    assert backup(server).returncode == 0
    (server.home / "repository").unlink()
    answer = backup(server)
    assert answer.returncode == 1
    assert "although backups were made there" in answer.stderr
    assert not (server.home / "repository").exists()


def test_another_repository_in_the_place_of_the_one_that_was_used_is_noticed(server: Server) -> None:
    assert backup(server).returncode == 0
    server.make("repository", "ffff")
    answer = backup(server)
    assert answer.returncode == 1 and "another repository" in answer.stderr


def test_backups_of_another_instance_of_the_name_are_not_mixed_with_ours(server: Server) -> None:
    server.make("snapshots", '[{"tags":["mstdn","instance-ffffffffffff"]}]')
    answer = backup(server)
    assert answer.returncode == 1
    assert "tasks/restore.py" in answer.stderr
    assert "backup" not in restic_calls(server)


def test_what_does_not_fit_is_known_before_it_is_dumped(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_BYTES", "900000000000000")
    answer = backup(server)
    assert answer.returncode == 1 and "MiB are free" in answer.stderr
    assert "backup" not in restic_calls(server)


def test_no_instance_no_backup(server: Server) -> None:
    (server.home / "srv/state/installed.env").unlink()
    assert "Is its disk mounted?" in backup(server).stderr


def test_what_a_killed_backup_left_is_taken_away(server: Server) -> None:
    (server.home / "srv/backup").mkdir()
    (server.home / "srv/backup/database.dump.half").write_text("")
    assert backup(server).returncode == 0
    assert "half" not in (server.home / "sent").read_text()


def test_the_operators_own_commands_of_restic_go_to_the_same_repository(server: Server) -> None:
    server.tell(BACKUP_SFTP_COMMAND="ssh -i key backup@storage -s sftp")
    assert restic(server, "unlock", "--remove-all").returncode == 0
    assert calls_in(server.home) == [
        "restic --option sftp.command=ssh -i key backup@storage -s sftp unlock --remove-all"
    ]


# --- What a run asks ----------------------------------------------------------------------------


def test_the_last_backup_is_known_without_asking_the_repository(tmp_path: Path) -> None:
    note = tmp_path / "backup"
    note.write_text("time 1764000000\nsnapshot 1a2b3c4d\ninstance ff\nlocation /backups\n")
    restoring = tmp_path / "restoring"
    assert answer_of(BackupState.question(str(note), str(restoring))).restoring == ""
    restoring.write_text("snapshot 5e6f7a8b\nbegun 1764000001\n")
    found = answer_of(BackupState.question(str(note), str(restoring)))
    assert found.restoring == "5e6f7a8b"
    assert (found.location, found.snapshot, found.time) == ("/backups", "1a2b3c4d", 1764000000)
    assert read(BackupState, "restic\nssh\n") == Backups(frozenset({"restic", "ssh"}))
    assert read(BackupState, "last \nlast location\nlast time soon\n") == Backups()


# --- Files --------------------------------------------------------------------------------------


def test_a_directory_of_secrets_is_closed_from_the_start_and_can_be_taken_away(tmp_path: Path) -> None:
    directory = tmp_path / "with space"
    owner = f"{directory.parent.stat().st_uid}:{directory.parent.stat().st_gid}"
    # Before it is given its rights.
    path = stand_in(tmp_path, "chown", f'stat -c %a "$2" >>"{tmp_path}/modes"')
    assert run_script("files/put", "directory", owner, "0700", directory, path=path).returncode == 0
    assert (tmp_path / "modes").read_text() == "700\n" and directory.stat().st_mode & 0o777 == 0o700
    (directory / "passphrase").write_text("x")
    assert run_script("files/remove", directory).returncode == 0
    assert not directory.exists()
