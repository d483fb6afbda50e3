"""
What is wrong with a server, and what to do about it. Pure: each subject has its module.

    release.py       the release of Mastodon
    postgres.py      the release of PostgreSQL, and its move
    containers.py    the services
    certificates.py  certificates, and the proxy's configuration
    instance.py      what PostgreSQL, Redis and Sidekiq say
    machine.py       disks, memory, a reboot that is due
    timers.py        units of systemd
    backups.py       backups, drills, restores
    alerts.py        whether somebody is told

limits.py has the numbers, complaint.py what is judged and what a judgement is.
"""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.status import alerts, backups, certificates, containers, instance, machine, postgres, release, timers
from mstdn.status.complaint import DEPLOY, Complaint, Seen, Wanted


def complaints(seen: Seen, wanted: Wanted) -> tuple[Complaint, ...]:
    """Everything wrong and worth knowing, what is wrong first."""
    found = [*_everything(seen, wanted)]
    return tuple(sorted(found, key=lambda each: each.level != "error"))


def _everything(seen: Seen, wanted: Wanted) -> Iterator[Complaint]:
    if not seen.installed.get("MASTODON_VERSION"):
        yield Complaint("error", "release", "No instance is installed on this server.", f"Deploy it: {DEPLOY}")
        if seen.machine:
            yield from machine.complaints(seen.machine, wanted, installed=False)
        return
    yield from release.complaints(seen.installed, wanted, seen.parts)
    yield from postgres.complaints(seen, wanted)
    if seen.containers is None:
        yield Complaint(
            "error",
            "containers",
            f"The containers cannot be looked at: {seen.silent}.",
            "On the server: systemctl restart docker; why it does not run: journalctl --unit docker --lines 30",
        )
    else:
        yield from containers.complaints(seen.containers, wanted)
        yield from certificates.complaints(seen, wanted)
        yield from instance.complaints(seen, wanted)
    if seen.machine:
        yield from machine.complaints(seen.machine, wanted, installed=True)
        yield from timers.complaints(seen.machine.units)
        yield from backups.complaints(seen.machine, wanted)
        yield from alerts.complaints(seen.machine, wanted)
