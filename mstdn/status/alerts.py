"""Whether somebody is told when something breaks. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.status.complaint import Complaint, Wanted
from mstdn.status.facts import Machine
from mstdn.status.words import ago, number


def complaints(machine: Machine, wanted: Wanted) -> Iterator[Complaint]:
    for channel, text in machine.noted.get("alerts", {}).items() if wanted.alerts else ():
        since, _, why = text.partition(" ")
        yield Complaint(
            "error",
            "alerts",
            f"For {ago(machine.now - number(since))} alerts have not got out by {channel}: {why}",
            "Try it: pyinfra inventory.py tasks/alert_test.py -y",
        )
    if not wanted.alerts or not wanted.told:
        yield Complaint(
            "warning",
            "alerts",
            "Nobody is told when something breaks.",
            "Set alerts_mail_to, or ALERTS_WEBHOOK_URL in secrets.env, and deploy",
        )
