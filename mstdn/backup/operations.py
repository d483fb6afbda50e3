"""Backups: what they need on the server, the first one, and one now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr
from pyinfra import host, state

from mstdn.asking import ask
from mstdn.backup.facts import BackupState
from mstdn.backup.rules import OFF, ssh_key
from mstdn.fact import Question
from mstdn.files.tree import ConfigFile
from mstdn.kinds.dotenv import dotenv_text
from mstdn.layout import MastodonLayout
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.secrets.private import private_files, private_states
from mstdn.settings import Settings
from mstdn.shell import Commands, script
from mstdn.timers.following import followed

UNIT = "mstdn-backup.service"
# Of the files that open the repository.
NAMES = ("passphrase", "environment", "ssh-key", "known_hosts")
# Of restic, which is everybody's, and of the way to repositories on other servers.
PACKAGES = {"restic": "restic", "ssh": "openssh-client"}


def backup_questions(settings: Settings) -> Iterator[Question[Any]]:
    """What the operations of a deployment ask."""
    if settings.backup_repository:
        yield BackupState.of_the_server()
    yield _secret_states(settings)


@operation
def backup_packages(settings: Settings) -> Commands:
    """Install restic, and ssh where the repository needs it, from the system's own packages."""
    if not settings.backup_repository:
        return
    needed = {"restic", *(["ssh"] if settings.backup_repository.startswith("sftp:") else [])}
    if missing := sorted(PACKAGES[name] for name in needed - ask(BackupState.of_the_server()).programs):
        announce(f"not installed: {', '.join(missing)}")
        yield script("apt/install", *missing)


@operation
def backup_secrets(settings: Settings, brought: Mapping[str, SecretStr]) -> Commands:
    """
    Ensure exactly the secrets that open the repository, readable by root only; without backups, none of them.

    + brought: by name, as secrets.env has them
    """
    directory = MastodonLayout(settings.mastodon_root).backup_secrets
    yield from private_files(directory, secret_files(settings, brought), NAMES)


def secret_files(settings: Settings, brought: Mapping[str, SecretStr]) -> list[ConfigFile]:
    """What the programs read, each with its text."""
    if not settings.backup_repository:
        return []
    directory = MastodonLayout(settings.mastodon_root).backup_secrets
    texts = {"passphrase": brought["BACKUP_PASSPHRASE"].get_secret_value()}
    if settings.backup_repository.startswith("s3:"):
        keys = {name: value.get_secret_value() for name, value in brought.items() if name.startswith("BACKUP_AWS_")}
        texts["environment"] = dotenv_text(keys)
    if settings.backup_repository.startswith("sftp:"):
        # Preflight has refused what is no key.
        texts["ssh-key"] = ssh_key(brought["BACKUP_SSH_KEY"].get_secret_value()) or ""
        texts["known_hosts"] = f"backup {settings.backup_sftp_host_key}"
    return [ConfigFile(f"{directory}/{name}", text, "0600") for name, text in texts.items()]


def _secret_states(settings: Settings) -> Question[Any]:
    return private_states(MastodonLayout(settings.mastodon_root).backup_secrets, NAMES)


@operation
def first_backup(settings: Settings) -> Commands:
    """
    Ensure that the repository has a backup of this server.

    Only the first is made by a deployment, so that nobody waits for a night without one; the others come by the timer.
    """
    if not settings.backup_repository:
        return
    if (last := ask(BackupState.of_the_server())).location == settings.backup_repository:
        host.noop(f"the last backup is {last.snapshot}")
        return
    announce(f"{settings.backup_repository} has no backup of this server yet")
    yield followed(UNIT, "The backup")


@operation
def backup_now(settings: Settings) -> Commands:
    """
    Make a backup, or join the one that is being made, and tell how it goes.

    It is the unit that the timer starts at night. The connection may break: the backup goes on, and the same command
    watches it again.
    """
    if not settings.backup_repository:
        yield from refuse(OFF)
        return
    if not state.is_executing:
        announce(f"makes a backup in {settings.backup_repository}")
    yield followed(UNIT, "The backup")
