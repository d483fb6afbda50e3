"""
Backups: made by night and by hand, proven, and brought back; and every mistake an operator may make with them.

The repository is a directory of the server, which is enough to lose everything else. SFTP goes to the server itself,
S3 to the Internet of the lab.
"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.instance import ARGUMENTS_FILE, Instance, recorded_arguments, said_until
from tests.lab.addresses import SERVERS
from tests.lab.commands import wait_until
from tests.lab.world import BACKUP_PASSPHRASE, OBJECT_STORE, STORE_KEYS

PLACE = "/srv/backups"
ON: dict[str, Any] = {"backup_repository": PLACE}
RESTIC = "/usr/local/lib/mstdn/restic"
BACKUP, DRILL, RESTORE = "tasks/backup.py", "tasks/drill.py", "tasks/restore.py"
NEEDED = "tasks/timers.py | Install what backups need"
SECRETS = "tasks/timers.py | Install the secrets of backups"
PROGRAMS = "tasks/timers.py | Install the programs that run by themselves"
FIRST = "tasks/first_backup.py | Make the first backup"
UNIT = "mstdn-backup.service"


@pytest.fixture(scope="module")
def backed(instance: Instance) -> Iterator[Instance]:
    """The instance with backups on, and a repository that nobody used before; without any afterwards."""
    instance.run(f"rm -rf {PLACE} /srv/store /var/lib/mstdn/repositories /var/lib/mstdn/backup*")
    yield instance
    instance.converge()


def posts(instance: Instance) -> list[str]:
    """What everybody can read, past the cache of the inner nginx."""
    return [each["content"] for each in json.loads(instance.visit(f"/api/v1/timelines/public?at={time.time()}").body)]


def post(instance: Instance, text: str) -> None:
    header = ("--header", f"Authorization: Bearer {instance.token('keeper')}")
    assert instance.visit("/api/v1/statuses", *header, "--data-urlencode", f"status={text}").status == 200


def sql(instance: Instance, text: str, database: str = "mastodon_production") -> str:
    """What the database answers."""
    command = f"docker exec -i {instance.container('mstdn', 'db')} psql -U postgres {database} --tuples-only"
    return instance.run(command, stdin=text)


def result(instance: Instance, program: str) -> dict[str, str]:
    lines = instance.run(f"cat /var/lib/mstdn/{program}-result").splitlines()
    return {key: value for key, _, value in (line.partition(" ") for line in lines)}


def snapshots(instance: Instance) -> list[str]:
    """Oldest first; of one day the newest is kept, and the very first."""
    return [each["short_id"] for each in json.loads(instance.run(f"{RESTIC} snapshots --json"))]


# --- Made ---------------------------------------------------------------------------------------


def test_where_backups_are_off_a_run_says_so_in_one_line(backed: Instance) -> None:
    run = backed.converge()
    assert run.changed == []
    assert run.stderr.count("Backups are off") == 1


def test_the_first_deployment_with_backups_makes_the_first_and_the_next_changes_nothing(backed: Instance) -> None:
    plan = backed.plan(**ON)
    assert [each for each in plan.planned if each != NEEDED] == [SECRETS, PROGRAMS, FIRST]
    run = backed.converge(**ON)
    assert run.changed == plan.planned
    assert "is in /srv/backups" in run.stderr and "Backups are off" not in run.stderr
    assert len(snapshots(backed)) == 1
    again = backed.converge(**ON)
    assert again.changed == [] and backed.plan(**ON).planned == []
    assert result(backed, "backup")["result"] == "ok"
    timers = backed.run("systemctl list-timers --all 'mstdn-*'")
    assert "mstdn-backup.timer" in timers and "mstdn-drill.timer" in timers


def test_what_opens_the_backups_is_for_root_alone_and_in_no_container_and_no_backup(backed: Instance) -> None:
    listed = backed.run("find /srv/mastodon/secrets/backup -printf '%m %U %P\\n' | sort")
    assert listed.splitlines() == ["600 0 passphrase", "700 0 "]
    assert BACKUP_PASSPHRASE not in backed.run("cat /srv/mastodon/secrets/*.env /proc/[0-9]*/cmdline | tr '\\0' ' '")
    files = backed.run(f"{RESTIC} ls latest")
    assert "/srv/mastodon/secrets/instance.env" in files
    assert "passphrase" not in files and "operator.env" not in files
    assert BACKUP_PASSPHRASE not in backed.run("journalctl --unit mstdn-backup")


def test_visitors_notice_nothing_of_a_backup(backed: Instance) -> None:
    ended = threading.Event()
    statuses: list[int] = []

    def visit() -> None:
        while not ended.is_set():
            statuses.append(backed.visit("/api/v2/instance").status)
            statuses.append(backed.visit("/inbox", "--data", "{}").status)

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        before = backed.started()
        backed.converge(BACKUP, **ON)
        assert backed.started() == before
    finally:
        ended.set()
        visitor.join()
    assert len(statuses) > 10
    assert set(statuses) == {200, 202}


@contextmanager
def locked(instance: Instance) -> Iterator[None]:
    """Somebody else changes the server: nobody else gets the lock meanwhile."""
    pid = instance.run("setsid flock /run/mstdn.lock sleep 300 </dev/null >/dev/null 2>&1 & echo $!").strip()
    wait_until("it has the lock", lambda: not instance.succeeds("flock --nonblock /run/mstdn.lock true"), 20)
    try:
        yield
    finally:
        instance.run(f"pkill -P {pid}; true")


def is_at_work(instance: Instance) -> bool:
    return instance.run(f"systemctl show --property ActiveState --value {UNIT}").strip() == "activating"


def test_a_backup_waits_for_a_deployment_outlives_its_connection_and_can_be_joined(backed: Instance) -> None:
    before = snapshots(backed)
    with locked(backed):
        lost = backed.begin(BACKUP, **ON)
        wait_until("the backup waits", lambda: is_at_work(backed), 30)
        lost.kill()
        lost.communicate()
        assert is_at_work(backed)
        joining = backed.begin(BACKUP, **ON)
        said = said_until(joining, "is at work already")
        assert snapshots(backed) == before
    said += joining.communicate(timeout=120)
    assert joining.returncode == 0, said
    assert "5 of 5" in said
    assert snapshots(backed)[-1] not in before


def test_a_server_is_deployed_while_its_backup_is_sent_and_a_drill_waits_its_turn(backed: Instance) -> None:
    before = snapshots(backed)
    sending = backed.begin(BACKUP, **ON)
    says = f"journalctl --unit {UNIT} --output cat --since -60s | tail -n 1 | grep -q '^4 of 5'"
    wait_until("it is sent", lambda: backed.succeeds(says), 60, 0.02)
    # It stands still, as it seems to where the line is slow.
    backed.run(f"systemctl kill --signal STOP {UNIT}")
    assert is_at_work(backed)
    assert "tasks/app.py | Start Mastodon" in backed.converge(default_locale="de", **ON).changed
    drill = backed.begin(DRILL, **ON)
    said = said_until(drill, "is at work, and comes to its end first")
    assert is_at_work(backed) and snapshots(backed) == before
    backed.run(f"systemctl kill --signal CONT {UNIT}")
    for each, words in ((sending, "5 of 5"), (drill, "is proven:")):
        said = each.communicate(timeout=180)
        assert each.returncode == 0 and words in said, said
    assert snapshots(backed)[-1] not in before
    backed.converge(**ON)


def test_a_backup_goes_to_another_server_by_sftp(
    backed: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    keys = "~operator/.ssh/authorized_keys"
    backed.run(f"cp -a {keys} /root/keys; cat >>{keys}", stdin=(tmp_path / "key.pub").read_text())
    backed.run("install -d -o operator /srv/store")
    host = " ".join(backed.run("cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
    monkeypatch.setenv("BACKUP_SSH_KEY", base64.b64encode(key.read_bytes()).decode())
    address = SERVERS[backed.host].ipv4
    remote = {"backup_repository": f"sftp:operator@{address}:/srv/store/mastodon", "backup_sftp_host_key": host}
    try:
        assert FIRST in backed.converge(**remote).changed
        assert len(snapshots(backed)) == 1
        stranger = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
        backed.converge("tasks/timers.py", **remote | {"backup_sftp_host_key": stranger})
        said = backed.refusal(BACKUP, **remote)
        assert "backup_sftp_host_key" in said, said
    finally:
        backed.run(f"mv /root/keys {keys}; rm -rf /srv/store")
        backed.converge("tasks/timers.py", **ON)


@pytest.fixture
def store(backed: Instance, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A repository in a bucket that nobody has made yet, with the keys of the store; afterwards the directory."""
    for name, value in zip(("BACKUP_AWS_ACCESS_KEY_ID", "BACKUP_AWS_SECRET_ACCESS_KEY"), STORE_KEYS, strict=True):
        monkeypatch.setenv(name, value)
    yield f"s3:https://{OBJECT_STORE}/backups-{time.time_ns()}/mastodon"
    monkeypatch.undo()
    backed.converge("tasks/timers.py", **ON)


def test_a_backup_goes_to_a_store_that_speaks_s3_and_is_proven_from_there(backed: Instance, store: str) -> None:
    remote = {"backup_repository": store}
    assert FIRST in backed.converge(**remote).changed
    assert len(snapshots(backed)) == 1
    assert backed.converge(**remote).changed == []
    listed = backed.run("find /srv/mastodon/secrets/backup -printf '%m %U %P\n' | sort")
    assert listed.splitlines() == ["600 0 environment", "600 0 passphrase", "700 0 "]
    # As restic has them: in its environment, which is for root, and in no argument.
    with recorded_arguments(backed):
        assert "is proven:" in backed.converge(DRILL, **remote).stderr
    assert backed.run(f"grep -cF -e {STORE_KEYS[1]} {ARGUMENTS_FILE}", check=False).strip() == "0"


def test_a_store_that_does_not_let_the_server_in_or_has_no_such_bucket_is_told(
    backed: Instance, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = {"backup_repository": store}
    # Nothing is made in the place of a bucket that is gone, or that is mistyped by whoever wants a backup back.
    note = "/var/lib/mstdn/repositories"
    backed.run(f"cp -p {note} {note}.kept; echo '0123abcd {store}' >>{note}")
    try:
        backed.converge("tasks/timers.py", **remote)
        assert "although backups were made there" in failing_backup(backed, **remote)
        assert f"There is no repository at {store}" in backed.refusal(RESTORE, replace="yes", **remote)
    finally:
        backed.run(f"mv {note}.kept {note}")
    monkeypatch.setenv("BACKUP_AWS_SECRET_ACCESS_KEY", "another secret key")
    backed.converge("tasks/timers.py", **remote)
    for said in (failing_backup(backed, **remote), backed.refusal(RESTORE, replace="yes", **remote)):
        assert "BACKUP_AWS_SECRET_ACCESS_KEY in secrets.env" in said and "Access Denied" in said, said
        assert "another secret key" not in said


DRIFTS = [
    (
        "the timer disabled",
        "systemctl disable --now mstdn-backup.timer",
        [PROGRAMS],
        "mstdn-backup.timer is not enabled",
    ),
    ("the timer stopped", "systemctl stop mstdn-drill.timer", [PROGRAMS], "mstdn-drill.timer is not enabled"),
    (
        "a unit changed",
        "sed -i s/^Nice=.*/Nice=0/ /etc/systemd/system/mstdn-backup.service",
        [PROGRAMS],
        "mstdn-backup.service has another content",
    ),
    (
        "a program edited",
        "echo exit >>/usr/local/lib/mstdn/backup",
        [PROGRAMS],
        "/usr/local/lib/mstdn/backup has another",
    ),
    ("a program removed", "rm /usr/local/lib/mstdn/restic", [PROGRAMS], "/usr/local/lib/mstdn/restic does not exist"),
    ("something else beside", "touch /usr/local/lib/mstdn/x", [PROGRAMS], "/usr/local/lib/mstdn/x does not belong"),
    ("the passphrase lost", "rm /srv/mastodon/secrets/backup/passphrase", [SECRETS], ""),
    ("the passphrase open to all", "chmod 0644 /srv/mastodon/secrets/backup/passphrase", [SECRETS], "passphrase has"),
    ("restic removed", "dpkg --remove restic >/dev/null 2>&1", [NEEDED], "not installed: restic"),
]


@pytest.mark.parametrize(("name", "make", "planned", "words"), DRIFTS, ids=[row[0] for row in DRIFTS])
def test_a_drift_is_foretold_and_mended(backed: Instance, name: str, make: str, planned: list[str], words: str) -> None:
    backed.run(make)
    plan = backed.plan("tasks/timers.py", **ON)
    alone = [each.partition(" | ")[2] for each in planned]
    assert [each.rpartition(" | ")[2] for each in plan.planned] == alone
    assert words in plan.stderr
    assert len(backed.converge("tasks/timers.py", **ON).changed) == 1
    assert backed.plan("tasks/timers.py", **ON).planned == []


# --- Mistakes -----------------------------------------------------------------------------------


def failing_backup(instance: Instance, **settings: Any) -> str:
    """A backup fails in words, nothing of what is there is lost, and the next one is good once the cause is gone."""
    said = instance.refusal(BACKUP, **(settings or ON))
    assert result(instance, "backup")["result"] == "failed"
    return said


def test_a_wrong_passphrase_is_told(backed: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lab.world.BACKUP_PASSPHRASE", "another passphrase of the lab")
    backed.converge("tasks/timers.py", **ON)
    assert "BACKUP_PASSPHRASE in secrets.env is not the one" in failing_backup(backed)
    assert "BACKUP_PASSPHRASE in secrets.env is not the one" in backed.refusal(RESTORE, replace="yes", **ON)
    monkeypatch.undo()
    backed.converge("tasks/timers.py", **ON)
    backed.converge(BACKUP, **ON)


def test_a_repository_whose_disk_is_not_mounted_is_told_and_not_made_anew(backed: Instance) -> None:
    backed.run(f"mv {PLACE} {PLACE}.kept")
    assert "although backups were made there" in failing_backup(backed)
    assert not backed.succeeds(f"[ -e {PLACE} ]")
    backed.run(f"mv {PLACE}.kept {PLACE}")


def test_a_full_disk_is_told_and_the_backups_before_are_whole(backed: Instance) -> None:
    backed.run(
        f"mv {PLACE} {PLACE}.kept; mkdir {PLACE}; mount -t tmpfs -o size=3m tmpfs {PLACE}; cp -a {PLACE}.kept/. {PLACE}"
    )
    backed.run(f"head -c 9M /dev/zero >{PLACE}/filler || true; head -c 2M /dev/urandom >/srv/mastodon/media/noise")
    try:
        assert "no room left" in failing_backup(backed)
        backed.run(f"rm {PLACE}/filler; {RESTIC} check --no-lock")
    finally:
        backed.run(f"rm /srv/mastodon/media/noise; umount {PLACE}; rmdir {PLACE}; mv {PLACE}.kept {PLACE}")


def test_the_lock_of_a_dead_process_goes_and_that_of_a_living_one_stays(backed: Instance) -> None:
    hold = f"setsid {RESTIC} backup --host lock --stdin </run/hold >/dev/null 2>&1 & echo $!"
    backed.run("rm -f /run/hold; mkfifo /run/hold; setsid sleep 100 >/run/hold 2>/dev/null </dev/null & true")
    pid = backed.run(hold).strip()
    wait_until("it is locked", lambda: backed.succeeds(f"ls {PLACE}/locks | grep -q ."), 30)
    # A backup only adds, but the removal of old ones wants the repository for itself.
    assert "Somebody else is at work" in backed.refusal(BACKUP, **ON)
    backed.run(f"pkill -KILL --session {pid}; rm /run/hold")
    assert backed.succeeds(f"ls {PLACE}/locks | grep -q .")
    backed.converge(BACKUP, **ON)
    assert not backed.succeeds(f"ls {PLACE}/locks | grep -q .")


# --- Proven -------------------------------------------------------------------------------------


def test_a_drill_proves_the_newest_backup_and_touches_nothing(backed: Instance) -> None:
    post(backed, "to be proven")
    backed.converge(BACKUP, **ON)
    before = backed.started()
    said = backed.converge(DRILL, **ON).stderr
    assert "is proven:" in said
    proof = result(backed, "drill")
    assert proof["result"] == "ok"
    assert int(proof["why"].split(" encrypted values")[0].split()[-1]) >= 2
    assert backed.started() == before
    assert "mstdn-drill" not in backed.run("docker ps --all; docker network ls; ls /srv/mastodon")


def test_a_drill_makes_room_for_a_run_and_leaves_nothing(backed: Instance) -> None:
    backed.run("systemctl start --no-block mstdn-drill.service")
    wait_until("its database is aside", lambda: backed.succeeds("docker inspect mstdn-drill-db"), 60, 0.1)
    # It stands still, as it seems to where the database is large.
    backed.run("systemctl kill --signal STOP mstdn-drill.service")
    assert "tasks/app.py | Start Mastodon" in backed.converge(default_locale="de", **ON).changed
    assert backed.run("systemctl is-active mstdn-drill.service", check=False).strip() == "inactive"
    last = result(backed, "drill")
    assert last["result"] == "skipped" and "as for a run that needs the server" in last["why"]
    assert "mstdn-drill" not in backed.run("docker ps --all; docker network ls; ls /srv/mastodon")
    backed.converge(**ON)
    assert "is proven:" in backed.converge(DRILL, **ON).stderr


def test_a_drill_notices_keys_that_do_not_open_the_database(backed: Instance) -> None:
    newest = "SELECT max(id) FROM users WHERE otp_secret IS NOT NULL"
    sql(backed, "CREATE TABLE kept AS SELECT id, otp_secret FROM users")
    sql(backed, f"UPDATE users SET otp_secret = 'AAAA' || substr(otp_secret, 5) WHERE id = ({newest})")  # noqa: S608
    try:
        backed.converge(BACKUP, **ON)
        assert "do not open what is encrypted" in backed.refusal(DRILL, **ON)
    finally:
        sql(backed, "UPDATE users SET otp_secret = kept.otp_secret FROM kept WHERE kept.id = users.id; DROP TABLE kept")
    backed.converge(BACKUP, **ON)


def test_a_drill_for_which_memory_is_too_small_says_so(backed: Instance) -> None:
    backed.converge("tasks/timers.py", drill_memory_mib=65536, **ON)
    assert "No drill was held" in backed.converge(DRILL, **ON).stderr
    assert result(backed, "drill")["result"] == "skipped"
    backed.converge("tasks/timers.py", **ON)


def test_a_corrupted_pack_is_noticed_by_a_drill_and_refused_by_a_restore(backed: Instance) -> None:
    backed.run(f"cp -a {PLACE} {PLACE}.kept")
    # All that is in each pack: a few bytes would hit one file of the backup only, and not always the same.
    backed.run(
        f"find {PLACE}/data -type f | while read -r pack; do chmod u+w $pack; "
        "head -c $(stat -c %s $pack) /dev/urandom | dd of=$pack conv=notrunc 2>/dev/null; done"
    )
    try:
        assert "damaged" in backed.refusal(DRILL, **ON)
        said = backed.refusal(RESTORE, replace="yes", **ON)
        assert "is damaged" in said and "--data snapshot=" in said
        # Nothing was begun, so that nothing has to be finished.
        assert backed.serves() and not backed.succeeds("[ -e /var/lib/mstdn/restoring ]")
    finally:
        backed.run(f"rm -rf {PLACE}; mv {PLACE}.kept {PLACE}")


# --- Brought back -------------------------------------------------------------------------------


def test_a_living_instance_is_not_replaced_unless_that_is_meant(backed: Instance) -> None:
    post(backed, "in the backup")
    backed.converge(BACKUP, **ON)
    post(backed, "after the backup")
    assert "--data replace=yes" in backed.refusal(RESTORE, **ON)
    assert "after the backup" in "".join(posts(backed))


def test_a_restore_that_is_killed_is_finished_by_the_next_run_and_keeps_what_was_here(backed: Instance) -> None:
    before = backed.secrets()
    killer = threading.Thread(target=kill_restore, args=(backed, "4 of 5"))
    killer.start()
    backed.refusal(RESTORE, replace="yes", **ON)
    killer.join()
    # Half of it must not become a backup.
    assert "A restore was begun and is not finished" in backed.refusal(BACKUP, **ON)
    backed.converge(RESTORE, **ON)
    text = "".join(posts(backed))
    assert "in the backup" in text and "after the backup" not in text
    assert backed.secrets() == before
    assert "after the backup" in sql(backed, "SELECT text FROM statuses", "mastodon_before_restore")
    assert backed.inside("mstdn", "web", "bin/rails _lab:check_keys").splitlines()[-1] == "unreadable: 0"
    assert backed.converge(**ON).changed == []


def kill_restore(instance: Instance, moment: str) -> None:
    seen = f"journalctl --identifier mstdn-restore --output cat --since -60s | tail -n 1 | grep -q '^{moment}'"
    wait_until(f"the restore is at {moment}", lambda: instance.succeeds(seen), 120, 0.05)
    instance.run("systemctl kill --signal KILL mstdn-restore.service")


def test_media_on_another_disk_are_backed_up_proven_and_brought_back_there(backed: Instance) -> None:
    still = "cd /srv/mastodon && docker compose stop && mkdir -p /srv/disk"
    backed.run(f"{still} && mv media /srv/disk/media && ln -s /srv/disk/media media")
    try:
        backed.converge(**ON)
        # As Mastodon makes them, directories too.
        backed.run("install -d -o 991 -g 991 /srv/disk/media/accounts /srv/disk/media/accounts/7")
        backed.run("install -m 0644 -o 991 -g 991 /dev/stdin /srv/disk/media/accounts/7/a.gif", stdin="a picture")
        backed.converge(BACKUP, **ON)
        assert "/srv/disk/media/accounts/7/a.gif" in backed.run(f"{RESTIC} ls latest")
        assert "is proven:" in backed.converge(DRILL, **ON).stderr
        backed.run("rm -r /srv/disk/media/accounts")
        backed.converge(RESTORE, replace="yes", **ON)
        assert backed.run("cat /srv/mastodon/media/accounts/7/a.gif") == "a picture"
        assert backed.run("readlink /srv/mastodon/media").strip() == "/srv/disk/media"
        assert backed.visit("/system/accounts/7/a.gif").body == "a picture"
        assert backed.converge(**ON).changed == []
    finally:
        backed.run(f"{still} && rm media && mv /srv/disk/media media && rm -r /srv/disk")
        backed.converge(**ON)


def test_a_server_that_lost_everything_comes_back_from_the_repository(backed: Instance) -> None:
    keys, certificate = backed.secrets(), backed.run("sha256sum </srv/proxy/certs/social*/fullchain.pem", check=False)
    for root in ("/srv/mastodon", "/srv/proxy"):
        backed.run(f"cd {root} && docker compose down --volumes")
    backed.run("rm -rf /srv/mastodon /srv/proxy /var/lib/mstdn /usr/local/lib/mstdn /etc/systemd/system/mstdn-*")
    backed.run("systemctl daemon-reload")
    run = backed.converge(RESTORE, **ON)
    assert "every table has as many rows as it had" in run.stderr
    assert backed.secrets() == keys
    assert backed.run("sha256sum </srv/proxy/certs/social*/fullchain.pem", check=False) == certificate
    assert "in the backup" in "".join(posts(backed))
    # The notes of this server's own backups were lost with it; the first deployment makes one.
    assert FIRST in backed.converge(**ON).changed
    assert backed.converge(**ON).changed == []


def test_a_new_instance_under_the_old_name_does_not_mix_its_backups_with_those_of_the_lost_one(
    backed: Instance,
) -> None:
    lost = backed.secrets()
    for root in ("/srv/mastodon", "/srv/proxy"):
        backed.run(f"cd {root} && docker compose down --volumes")
    backed.run("rm -rf /srv/mastodon /var/lib/mstdn /srv/proxy/certs")
    said = backed.refusal(**ON)
    assert "holds backups of another" in said and "--data replace=yes" in said
    assert backed.secrets() != lost
    backed.converge(RESTORE, replace="yes", **ON)
    assert backed.secrets() == lost
    assert "in the backup" in "".join(posts(backed))
    assert backed.inside("mstdn", "web", "bin/rails _lab:check_keys").splitlines()[-1] == "unreadable: 0"
