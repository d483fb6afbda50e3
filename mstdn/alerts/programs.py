"""What of alerts lies on a server: programs, what they are told, unit and timer. Pure."""

from __future__ import annotations

from mstdn.certificates.rules import DAY, LEAST_DAYS
from mstdn.files.tree import ConfigFile
from mstdn.layout import (
    NETWORKS_THAT_LEAD_OUT,
    MastodonLayout,
)
from mstdn.monitoring.rules import services_of
from mstdn.settings import Settings
from mstdn.status import limits
from mstdn.timers.units import program, service, timer

ENGINE, WAYS = "docker/light", "alerts/ways"
UNIT = "mstdn-alerts.service"


def alert_programs(settings: Settings) -> tuple[ConfigFile, ...]:
    """The round, each part of it as a program of its own, and its unit and timer."""
    if not settings.alerts_enabled:
        return ()
    return (
        program("alerts", "alerts/begin", "connection", "lock", WAYS, "alerts/round"),
        # What tasks/status.py asks as well.
        program("alerts-machine", "status/machine"),
        program("alerts-parts", ENGINE, "status/instance"),
        program("alerts-networks", ENGINE, "networks/ways"),
        # The same in fewer processes than where it is mended.
        program("alerts-containers", ENGINE, "alerts/containers"),
        program("alerts-certificates", "alerts/certificates"),
        program("alerts-judge", "alerts/judge"),
        program("alerts-remember", "alerts/remember"),
        program("alerts-mail", "mail/as_mastodon", "mail/hand_over"),
        program("alerts-inside", ENGINE, "alerts/inside"),
        program("alerts-webhook", "alerts/webhook"),
        program("alerts-failed", WAYS, "alerts/failed"),
        service(
            "mstdn-alerts",
            "Look whether something is wrong with Mastodon",
            "alerts",
            timeout_seconds=600,
            failure="mstdn-alerts-failed.service",
            success="alerts-failed over",
            environment=_where_alerts_go(settings),
        ),
        service(
            "mstdn-alerts-failed",
            "Tell that nobody looks whether something is wrong with Mastodon",
            "alerts-failed",
            timeout_seconds=300,
            environment=_where_alerts_go(settings),
        ),
        timer(
            "mstdn-alerts",
            "Look every few minutes whether something is wrong with Mastodon",
            f"*:0/{settings.alerts_interval_minutes}",
            0,
        ),
    )


def _where_alerts_go(settings: Settings) -> dict[str, str]:
    """What it takes to tell anybody. A part of the unit, for the file with all settings may be what is broken."""
    return {
        "LOCAL_DOMAIN": settings.local_domain,
        "MASTODON_ROOT": settings.mastodon_root,
        "ALERT_MAIL_TO": settings.alerts_mail_to,
        "ALERT_SECRETS": MastodonLayout(settings.mastodon_root).alert_secrets,
    }


def alert_settings(settings: Settings) -> dict[str, str]:
    """What the programs are told, by the names of their variables."""
    if not settings.alerts_enabled:
        return {}
    return {
        "ALERT_MAIL_TO": settings.alerts_mail_to,
        "ALERT_SECRETS": MastodonLayout(settings.mastodon_root).alert_secrets,
        "ALERT_NAMES": " ".join(settings.public_domains),
        "ALERT_SERVICES": " ".join(
            f"{project}/{each}" for project, names in services_of(settings).items() for each in names
        ),
        "ALERT_DIRECTORIES": " ".join(limits.watched_directories(settings)),
        "ALERT_NETWORKS": " ".join(NETWORKS_THAT_LEAD_OUT),
        "ALERT_BACKUPS": "yes" if settings.backup_repository else "no",
        "ALERT_BACKUP_SECONDS": str(limits.BACKUP_DAYS * limits.DAY),
        "ALERT_DRILL_SECONDS": str(limits.DRILL_DAYS * limits.DAY),
        "ALERT_CERTIFICATE_SECONDS": str(LEAST_DAYS * DAY),
        "ALERT_DISK_PERCENT": str(settings.alerts_disk_percent),
        "ALERT_DISK_LEAST_KIB": str(limits.LEAST_FREE_KIB),
        "ALERT_INODES_PERCENT": str(limits.MOST_INODES),
        "ALERT_QUEUE_SLOW_SECONDS": str(limits.SLOW_SECONDS),
        "ALERT_QUEUE_STUCK_SECONDS": str(limits.STUCK_SECONDS),
        "ALERT_QUEUES": " ".join(limits.QUEUES_PEOPLE_WAIT_FOR),
        "ALERT_RELEASES": "yes" if settings.alerts_releases else "no",
    }
