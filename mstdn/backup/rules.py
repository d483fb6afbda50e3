"""What must hold between the settings of backups, and what follows from them. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING

from mstdn.finding import Finding
from mstdn.kinds.paths import lies_in
from mstdn.kinds.repositories import SFTP, SFTP_WITH_PORT
from mstdn.problems import Problem

if TYPE_CHECKING:
    from pydantic import SecretStr

PASSPHRASE_CHARACTERS = 16
OFF = (
    "Backups are off: if this server is lost, so is everything on it. Set backup_repository, and BACKUP_PASSPHRASE in "
    'secrets.env; or make backups by hand (docs/runbook.md, "Backups by hand").'
)


def backups_lie_apart(backup_repository: str, mastodon_root: str, proxy_root: str) -> Iterator[Problem]:
    for name, root in (("mastodon_root", mastodon_root), ("proxy_root", proxy_root)):
        if backup_repository.startswith("/") and (lies_in(backup_repository, root) or lies_in(root, backup_repository)):
            yield Problem(
                "backup_repository",
                f"it and {name} ({root}) lie in each other: what takes one takes the other",
                "a directory on another disk, or sftp: or s3:",
                f'"{backup_repository}"',
            )


def backups_can_be_opened(backup_repository: str, secrets: Container[str]) -> Iterator[Problem]:
    needed = ["BACKUP_PASSPHRASE"] if backup_repository else []
    if backup_repository.startswith("s3:"):
        needed += ["BACKUP_AWS_ACCESS_KEY_ID", "BACKUP_AWS_SECRET_ACCESS_KEY"]
    if backup_repository.startswith("sftp:"):
        needed += ["BACKUP_SSH_KEY"]
    for name in needed:
        if name not in secrets:
            yield Problem(name, "backup_repository is set but this secret is not", f"{name}='...' in secrets.env")


def sftp_servers_are_known(backup_repository: str, backup_sftp_host_key: str) -> Iterator[Problem]:
    """Otherwise the first who answers would get all backups, and the passphrase would be all that protects them."""
    if backup_repository.startswith("sftp:") and not backup_sftp_host_key:
        yield Problem(
            "backup_sftp_host_key",
            "backup_repository is on another server, whose key is not set",
            'backup_sftp_host_key = "ssh-ed25519 AAAA…", from its provider\'s page or from ssh-keyscan -t ed25519',
        )


def some_backups_are_kept(
    backup_keep_daily: int, backup_keep_weekly: int, backup_keep_monthly: int
) -> Iterator[Problem]:
    if not (backup_keep_daily or backup_keep_weekly or backup_keep_monthly):
        yield Problem("backup_keep_daily", "no backup at all would be kept but the last", "backup_keep_daily = 7")


def secrets_findings(repository: str, secrets: Mapping[str, SecretStr]) -> Iterator[Finding]:
    """What is wrong with the secrets of backups, of which nothing is shown. repository: the setting."""
    if not repository:
        yield Finding("warning", OFF)
        return
    if len(secrets["BACKUP_PASSPHRASE"].get_secret_value()) < PASSPHRASE_CHARACTERS:
        yield Finding(
            "error",
            f"BACKUP_PASSPHRASE has fewer than {PASSPHRASE_CHARACTERS} characters, and whoever gets the repository may "
            "try as often as he likes. A good one: head -c 24 /dev/urandom | base64",
        )
    if repository.startswith("sftp:") and ssh_key(secrets["BACKUP_SSH_KEY"].get_secret_value()) is None:
        yield Finding(
            "error",
            "BACKUP_SSH_KEY is not a private key in one line. Make one for backups only and bring it so: ssh-keygen "
            '-t ed25519 -N "" -f backup-key; base64 -w0 backup-key',
        )


def age_findings(
    location: str, time: int, now: int, repository: str, most_hours: int, restoring: str
) -> Iterator[Finding]:
    """
    Before an upgrade: whether the last backup is young enough.

    location, time: where and when it was made, in seconds since the epoch; "" and 0 without one. now: by the server's
    clock. repository, most_hours: the settings. restoring: the snapshot of a restore under way, which brings data and
    release along.
    """
    if not most_hours or restoring:
        return
    remedy = (
        "Make one: pyinfra inventory.py tasks/backup.py -y. To upgrade without one: "
        "--data backup_before_upgrade_hours=0"
    )
    if location != repository:
        yield Finding(
            "error",
            f"An upgrade is due, and {repository} has no backup of this server yet. {remedy}. If backups were only "
            "just set: deploy the release that runs now first, which makes the first one.",
        )
    elif (hours := (now - time) // 3600) >= most_hours:
        yield Finding(
            "error",
            f"An upgrade is due, and the last backup is {hours} hours old (backup_before_upgrade_hours is "
            f"{most_hours}). {remedy}",
        )


def restore_findings(restoring: str) -> Iterator[Finding]:
    """restoring: the snapshot of a restore that is under way, "" for none."""
    if restoring:
        yield Finding(
            "warning",
            f"A restore of the backup {restoring} is under way here, or was cut off; until it is finished no backup is "
            "made. Finish it: pyinfra inventory.py tasks/restore.py",
        )


def ssh_key(text: str) -> str | None:
    """The private key that stands in base64 in one line; None if it is something else."""
    try:
        key = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return key.rstrip("\n") + "\n" if key.startswith("-----BEGIN ") and "PRIVATE KEY-----" in key else None


def sftp_command(repository: str, directory: str) -> str:
    """How restic reaches the server of a repository of the kind sftp:, "" for others. directory: of the secrets."""
    found = SFTP_WITH_PORT.fullmatch(repository) or SFTP.fullmatch(repository)
    if not found:
        return ""
    port = found.groupdict().get("port")
    return " ".join(
        [
            "ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes",
            "-o ServerAliveInterval=30 -o ServerAliveCountMax=4 -o ConnectTimeout=30 -o HostKeyAlias=backup",
            f"-o UserKnownHostsFile={directory}/known_hosts -i {directory}/ssh-key",
            *([f"-p {port}"] if port else []),
            f"{found['user']}@{found['host']} -s sftp",
        ]
    )
