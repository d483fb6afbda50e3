"""
Timers: what the server does by itself: backups by night, chores every week, a look at itself every few minutes.

Run by itself:  pyinfra inventory.py tasks/timers.py
"""

from pyinfra import host

from mstdn.alerts.operations import alert_secrets
from mstdn.backup.operations import backup_packages, backup_secrets
from mstdn.secrets.operator import alert_secrets_for, backup_secrets_for
from mstdn.settings import settings_for
from mstdn.timers.operations import installed_timers

settings = settings_for(host)

backup_packages(
    name="Install what backups need",
    settings=settings,
)

backup_secrets(
    name="Install the secrets of backups",
    settings=settings,
    brought=backup_secrets_for(settings),
)

alert_secrets(
    name="Install the secrets of alerts",
    settings=settings,
    brought=alert_secrets_for(settings),
)

installed_timers(
    name="Install the programs that run by themselves",
    settings=settings,
)
