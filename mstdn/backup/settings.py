"""The settings of backups."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.backup.rules import (
    backups_can_be_opened,
    backups_lie_apart,
    sftp_servers_are_known,
    some_backups_are_kept,
)
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.repositories import RepositoryOrEmpty, SshHostKeyOrEmpty, TimeOfDay
from mstdn.kinds.text import OneLine

Number = Annotated[int, Field(ge=0, le=1000)]


class BackupSettings(Part):
    """Where backups go, when, and how many are kept."""

    title: ClassVar[str] = "Backups"
    relations: ClassVar[tuple[Relation, ...]] = (
        backups_lie_apart,
        backups_can_be_opened,
        sftp_servers_are_known,
        some_backups_are_kept,
    )

    backup_repository: RepositoryOrEmpty = Field(
        "",
        examples=["sftp:backup@storage.example.org:/backups/mastodon"],
        description="Where the encrypted backups go: sftp:user@host:/path (sftp://user@host:port//path for another "
        "port), s3:https://host/bucket/path, or a directory of the server, which should be on another disk. Empty "
        "means that there are none. The passphrase and the keys are BACKUP_* in secrets.env.",
    )
    backup_sftp_host_key: SshHostKeyOrEmpty = Field(
        "",
        examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"],
        description="For sftp: the public key of that server, from its provider's page or, over a network that you "
        "trust, from ssh-keyscan -t ed25519.",
    )
    backup_s3_region: OneLine = Field("", examples=["eu-central-1"], description="For s3: the bucket's region.")
    backup_time: TimeOfDay = Field("03:30", description="When the nightly backup begins, in the server's time zone.")
    backup_random_delay_minutes: Annotated[int, Field(ge=0, le=720)] = Field(
        60, description="Up to this much later, each night anew, so that not all servers come at once."
    )
    backup_before_upgrade_hours: Annotated[int, Field(ge=0, le=8760)] = Field(
        26,
        description="An upgrade of Mastodon is refused unless the last backup is younger than so many hours; 0 does "
        "not look. A night's backup and its delay fit into the default.",
    )
    backup_keep_daily: Number = Field(7, description="Of the last so many days, one backup each is kept.")
    backup_keep_weekly: Number = Field(5, description="Of the last so many weeks, one backup each is kept.")
    backup_keep_monthly: Number = Field(12, description="Of the last so many months, one backup each is kept.")
    backup_media_cache: bool = Field(
        False,
        description="True puts copies of other servers' pictures into the backup too, which Mastodon can fetch again.",
    )
