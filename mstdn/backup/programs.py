"""What of backups lies on a server: programs, their settings, units and timers. Pure."""

from __future__ import annotations

from mstdn.backup.rules import sftp_command
from mstdn.docker.engine import CONTAINER
from mstdn.files.tree import ConfigFile
from mstdn.layout import MastodonLayout
from mstdn.settings import Settings
from mstdn.timers.units import program, service, timer

# What goes before each program that asks restic, and before those that work with what they get from it.
COMMON = (CONTAINER, "backup/repository")
IN_TURN = ("timers/turn", "connection", "lock", *COMMON)


def backup_programs(settings: Settings) -> tuple[ConfigFile, ...]:
    """What has to be there to make backups by hand and by night."""
    return (
        program("backup", *IN_TURN, "backup/make"),
        program("restic", *COMMON, "backup/restic"),
        program("restore", *IN_TURN, "restore/data"),
        service("mstdn-backup", "Back up Mastodon", "backup"),
        service("mstdn-restore", "Restore Mastodon from a backup", "restore"),
        timer(
            "mstdn-backup",
            "Back up Mastodon every night",
            f"*-*-* {settings.backup_time}:00",
            settings.backup_random_delay_minutes,
        ),
    )


def program_settings(settings: Settings) -> dict[str, str]:
    """What the programs of backups are told, by the names of their variables."""
    layout = MastodonLayout(settings.mastodon_root)
    return {
        "BACKUP_REPOSITORY": settings.backup_repository,
        "BACKUP_SECRETS": layout.backup_secrets,
        "BACKUP_SFTP_COMMAND": sftp_command(settings.backup_repository, layout.backup_secrets),
        "BACKUP_S3_REGION": settings.backup_s3_region,
        "BACKUP_KEEP_DAILY": str(settings.backup_keep_daily),
        "BACKUP_KEEP_WEEKLY": str(settings.backup_keep_weekly),
        "BACKUP_KEEP_MONTHLY": str(settings.backup_keep_monthly),
        "BACKUP_MEDIA_CACHE": "yes" if settings.backup_media_cache else "no",
    }
