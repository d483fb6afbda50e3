"""What follows from the settings of backups, and what is wrong with them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import SecretStr

from mstdn.backup.operations import secret_files
from mstdn.backup.programs import program_settings
from mstdn.backup.rules import (
    OFF,
    age_findings,
    backups_can_be_opened,
    backups_lie_apart,
    restore_findings,
    secrets_findings,
    sftp_command,
    sftp_servers_are_known,
)
from tests.harness import settings_with

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
SFTP = "sftp:backup@storage.example.org:/backups"
HOST_KEY = "ssh-ed25519 " + "A" * 68


@pytest.mark.parametrize(
    ("repository", "apart"),
    [("/srv/mastodon/backups", False), ("/srv/proxy", False), ("/srv/backups", True), (SFTP, True), ("", True)],
)
def test_a_repository_in_a_directory_lies_apart_from_what_it_protects(repository: str, apart: bool) -> None:
    assert (list(backups_lie_apart(repository, "/srv/mastodon", "/srv/proxy")) == []) == apart


@pytest.mark.parametrize(
    ("repository", "needed"),
    [
        ("", []),
        ("/srv/backups", ["BACKUP_PASSPHRASE"]),
        (SFTP, ["BACKUP_PASSPHRASE", "BACKUP_SSH_KEY"]),
        (
            "s3:https://s3.example.org/bucket",
            ["BACKUP_PASSPHRASE", "BACKUP_AWS_ACCESS_KEY_ID", "BACKUP_AWS_SECRET_ACCESS_KEY"],
        ),
    ],
)
def test_a_repository_wants_its_secrets(repository: str, needed: list[str]) -> None:
    assert [problem.subject for problem in backups_can_be_opened(repository, ())] == needed
    assert list(backups_can_be_opened(repository, needed)) == []


def test_a_server_that_is_not_known_gets_no_backup() -> None:
    assert [each.subject for each in sftp_servers_are_known(SFTP, "")] == ["backup_sftp_host_key"]
    assert list(sftp_servers_are_known(SFTP, HOST_KEY)) == []
    assert list(sftp_servers_are_known("/srv/backups", "")) == []


def findings(repository: str, **secrets: str) -> list[tuple[str, str]]:
    brought = {name: SecretStr(value) for name, value in secrets.items()}
    return [(each.level, each.text) for each in secrets_findings(repository, brought)]


def test_where_backups_are_off_every_run_says_so_in_one_line() -> None:
    assert findings("") == [("warning", OFF)]
    assert "\n" not in OFF


def test_a_short_passphrase_and_a_key_that_is_none_are_refused_and_not_shown() -> None:
    assert findings("/srv/backups", BACKUP_PASSPHRASE="sixteen letters!") == []
    ((level, text),) = findings("/srv/backups", BACKUP_PASSPHRASE="sesame")
    assert level == "error" and "16 characters" in text and "sesame" not in text
    for wrong in ("sesame", KEY, base64.b64encode(b"sesame").decode()):
        ((level, text),) = findings(SFTP, BACKUP_PASSPHRASE="x" * 16, BACKUP_SSH_KEY=wrong)
        assert level == "error" and "base64 -w0" in text and "sesame" not in text
    good = base64.b64encode(KEY.encode()).decode()
    assert findings(SFTP, BACKUP_PASSPHRASE="x" * 16, BACKUP_SSH_KEY=good) == []


def test_a_restore_that_was_cut_off_is_told_by_every_run() -> None:
    assert list(restore_findings("")) == []
    (finding,) = restore_findings("1a2b3c4d")
    assert finding.level == "warning" and "tasks/restore.py" in finding.text


def test_the_way_to_another_server_trusts_its_key_and_nothing_else() -> None:
    command = sftp_command(SFTP, "/s")
    assert command.endswith("-i /s/ssh-key backup@storage.example.org -s sftp")
    assert "StrictHostKeyChecking=yes" in command and "UserKnownHostsFile=/s/known_hosts" in command
    assert "-p 2222 backup@storage" in sftp_command("sftp://backup@storage.example.org:2222//backups", "/s")
    assert sftp_command("/srv/backups", "/s") == sftp_command("s3:https://s3.example.org/bucket", "/s") == ""


@pytest.mark.parametrize(
    ("repository", "names"),
    [
        ("", []),
        ("/srv/backups", ["passphrase"]),
        (SFTP, ["passphrase", "ssh-key", "known_hosts"]),
        ("s3:https://s3.example.org/bucket", ["passphrase", "environment"]),
    ],
)
def test_programs_get_the_secrets_of_their_repository_and_no_others(repository: str, names: list[str]) -> None:
    secrets: dict[str, Any] = {
        "BACKUP_PASSPHRASE": "x" * 16,
        "BACKUP_SSH_KEY": base64.b64encode(KEY.encode()).decode(),
        "BACKUP_AWS_ACCESS_KEY_ID": "id",
        "BACKUP_AWS_SECRET_ACCESS_KEY": "key",
    }
    settings = settings_with(backup_repository=repository, backup_sftp_host_key=HOST_KEY)
    files = secret_files(settings, {name: SecretStr(value) for name, value in secrets.items()})
    assert [file.path for file in files] == [f"/srv/mastodon/secrets/backup/{name}" for name in names]
    assert {file.mode for file in files} <= {"0600"}
    texts = dict(zip(names, (file.text for file in files), strict=True))
    assert texts.get("ssh-key", KEY) == KEY
    assert texts.get("environment", "BACKUP_AWS_ACCESS_KEY_ID=id\n").startswith("BACKUP_AWS_ACCESS_KEY_ID=id\n")


def test_what_programs_are_told_has_no_secret() -> None:
    told = program_settings(settings_with(backup_repository="/srv/backups", backup_keep_daily=3))
    assert told["BACKUP_REPOSITORY"] == "/srv/backups"
    assert (told["BACKUP_KEEP_DAILY"], told["BACKUP_MEDIA_CACHE"]) == ("3", "no")
    assert not [name for name in told if "PASSPHRASE" in name or "KEY_ID" in name]


NOW, HOUR = 1_800_000_000, 3600


@pytest.mark.parametrize(
    ("location", "hours", "most_hours", "restoring", "words"),
    [
        ("/srv/backups", 25, 26, "", ""),
        ("/srv/backups", 26, 26, "", "the last backup is 26 hours old"),
        ("/srv/backups", 600, 0, "", ""),
        ("/srv/backups", 600, 26, "1a2b3c4d", ""),
        ("", 0, 26, "", "/srv/backups has no backup of this server yet"),
        ("/srv/elsewhere", 1, 26, "", "/srv/backups has no backup of this server yet"),
    ],
)
def test_an_upgrade_wants_a_young_backup(
    location: str, hours: int, most_hours: int, restoring: str, words: str
) -> None:
    found = list(age_findings(location, NOW - hours * HOUR, NOW, "/srv/backups", most_hours, restoring))
    assert [each.level for each in found] == (["error"] if words else [])
    assert all(words in each.text and "tasks/backup.py" in each.text for each in found)
