"""From which numbers on something is wrong: here for tasks/status.py, and on the server for the watcher. Pure."""

from __future__ import annotations

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
