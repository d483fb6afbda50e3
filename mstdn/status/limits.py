"""What is looked at, and from which numbers on it is wrong: for tasks/status.py, and for the watcher. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mstdn.layout import MastodonLayout

if TYPE_CHECKING:
    from mstdn.settings import Settings

MIB = 1024
GIB = 1024 * MIB
DAY = 86400
# What an hour of uploads, or one backup, may take.
LEAST_FREE_KIB = GIB
LITTLE_FREE_SHARE = 0.15
MOST_INODES = 95
# Mastodon itself calls queues slow from minutes on; pull and the like may lag when somebody new is followed.
SLOW_SECONDS, STUCK_SECONDS = 300, 3600
QUEUES_PEOPLE_WAIT_FOR = ("default", "ingress", "push", "mailers", "scheduler")
BACKUP_DAYS, DRILL_DAYS = 2, 15


def watched_directories(settings: Settings) -> tuple[str, ...]:
    """Whose disks are looked at, beside those of the system and of the engine: each may lie on one of its own."""
    layout = MastodonLayout(settings.mastodon_root)
    backups = [settings.backup_repository] if settings.backup_repository.startswith("/") else []
    return (layout.root, layout.database, layout.redis, layout.media, settings.proxy_root, *backups)
