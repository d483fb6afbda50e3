"""The certificates on the disk, and whether the proxy can be configured. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.certificates.rules import defect
from mstdn.status.complaint import DEPLOY, Complaint, Seen, Wanted


def complaints(seen: Seen, wanted: Wanted) -> Iterator[Complaint]:
    now = seen.machine.now if seen.machine else 0
    for name in wanted.names if now else ():
        if wrong := defect(seen.certificates.installed.get(name), name, now):
            yield Complaint(
                "error",
                "certificate",
                f"{name}: {wrong}.",
                f"Have it made or put back: {DEPLOY}; why it was not: cd {wanted.proxy} && docker compose logs --tail "
                "50 acme-companion",
            )
    if seen.certificates.configuration != "accepted":
        yield Complaint(
            "error",
            "proxy/nginx",
            f"What docker-gen wrote for the proxy's nginx is {seen.certificates.configuration}.",
            f"Have it written anew: {DEPLOY}",
        )
