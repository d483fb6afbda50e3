"""The settings of alerts."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.kinds.mail import MailAddressOrEmpty
from mstdn.kinds.part import Part


class AlertsSettings(Part):
    """Who is told when something is wrong with the server, and when it is over."""

    title: ClassVar[str] = "Alerts"

    alerts_enabled: bool = Field(
        True,
        description="The server looks at itself every few minutes: containers, disk, certificates, queues, migrations, "
        "firewall, timers, backups. False removes that.",
    )
    alerts_mail_to: MailAddressOrEmpty = Field(
        "",
        examples=["you@example.org"],
        description="Who gets a mail once when something is wrong, and once when it is over; by the mail server of "
        "smtp_server. Another way, beside it or instead, is ALERTS_WEBHOOK_URL in secrets.env. Without both, what is "
        "wrong only stands in the journal of mstdn-alerts.",
    )
    alerts_interval_minutes: Annotated[int, Field(ge=1, le=30)] = Field(
        5, description="How often the server looks. What is wrong is told when it is seen twice in a row."
    )
    alerts_disk_percent: Annotated[int, Field(ge=50, le=99)] = Field(
        90,
        description="A disk that is fuller than this is told, and wrong for tasks/status.py; so is one with less than "
        "1 GiB free.",
    )
    alerts_releases: bool = Field(
        True,
        description="A newer release that mends security is told too. Mastodon itself asks its makers every half hour "
        "whether there is one (UPDATE_CHECK_URL); the server looks at what it was answered, and asks nobody.",
    )
