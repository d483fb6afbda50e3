"""How the system keeps itself up to date, beside what somebody has configured already. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mstdn.finding import Finding
from mstdn.problems import Problem

if TYPE_CHECKING:
    from mstdn.updates.facts import Updates

PACKAGE = "unattended-upgrades"
FILE = "/etc/apt/apt.conf.d/52mstdn"
TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")


def docker_has_no_fixed_version(updates_docker: bool, docker_version: str) -> Iterator[Problem]:
    if updates_docker and docker_version:
        yield Problem(
            "updates_docker",
            "docker_version names one version, to which each run would go back",
            'docker_version = "", or updates_docker = False',
            "True",
        )


def is_refused(found: Updates) -> bool:
    """Whether somebody has turned it off: what apt reads last counts, and that is not the suite's file then."""
    return found.periodic == "0"


def wanted_text(*, docker: bool) -> str:
    """
    The suite's file of apt's configuration. Lists of several files are added up (apt.conf(5)).

    Source of Docker's origin: download.docker.com/linux/debian/dists/trixie/Release.
    """
    lines = [
        "// Written by the suite: change settings instead, and deploy.",
        'APT::Periodic::Update-Package-Lists "1";',
        'APT::Periodic::Unattended-Upgrade "1";',
        *(['Unattended-Upgrade::Origins-Pattern { "origin=Docker,label=Docker CE"; };'] if docker else []),
    ]
    return "\n".join(lines)


def findings(found: Updates, *, enabled: bool) -> Iterator[Finding]:
    """Why security fixes do not come although they should; it is somebody's decision, and stays."""
    if not enabled:
        return
    remedy = "If that is meant, set updates_enabled = False."
    if is_refused(found):
        yield Finding(
            "warning",
            "Security fixes of the system are turned off on this server (APT::Periodic::Unattended-Upgrade is 0 in "
            f"/etc/apt/apt.conf.d). {remedy}",
        )
    if found.masked:
        yield Finding(
            "warning",
            f"Security fixes of the system do not come, because these are off: {', '.join(found.masked)}. "
            f"On the server: systemctl unmask {' '.join(found.masked)}; systemctl enable --now "
            f"{' '.join(found.masked)}. {remedy}",
        )
