"""
What stands in the way of a deployment, each with its remedy. Pure: it judges a report and asks nothing itself.

    machine.py    the system, memory, disks, clock
    docker.py     ports, other engines, other proxies
    names.py      what the DNS says
    releases.py   which release may follow which
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mstdn.preflight import docker, machine, names, releases
from mstdn.preflight.finding import Finding
from mstdn.preflight.names import names_to_look_up

if TYPE_CHECKING:
    from mstdn.preflight.facts import ServerReport
    from mstdn.settings import Settings

__all__ = ["Finding", "findings", "names_to_look_up"]


def findings(report: ServerReport, settings: Settings, now: float) -> list[Finding]:
    """Everything that is in the way, all at once. now: this machine's clock, in seconds since the epoch."""
    if not report.init:
        return [Finding("error", "The server did not say what it is. Run with -vvv to see its answer.")]
    return [
        *machine.findings(report, settings, now),
        *docker.findings(report, settings),
        *names.findings(report, settings),
        *_instance(report, settings),
    ]


def _instance(report: ServerReport, settings: Settings) -> Iterator[Finding]:
    domain = report.installed.get("LOCAL_DOMAIN", settings.local_domain)
    if domain != settings.local_domain:
        yield Finding(
            "error",
            f"This server was installed as {domain}, and local_domain is now {settings.local_domain}. It can never "
            f'change: other servers know every account by the old name. Set local_domain = "{domain}"; for another '
            "address of the same site there are web_domain and alternate_domains.",
        )
    version = report.installed.get("MASTODON_VERSION", settings.mastodon_version)
    if text := releases.refusal(version, settings.mastodon_version):
        yield Finding("error", text)
