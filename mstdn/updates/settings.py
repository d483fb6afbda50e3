"""The settings of the system's own updates."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mstdn.kinds.part import Part, Relation
from mstdn.updates.rules import docker_has_no_fixed_version


class UpdatesSettings(Part):
    """What of the system is kept up to date without anybody typing something."""

    title: ClassVar[str] = "Updates of the system"
    relations: ClassVar[tuple[Relation, ...]] = (docker_has_no_fixed_version,)

    updates_enabled: bool = Field(
        True,
        description="Security fixes of Debian or Ubuntu are installed by themselves, once a day, by "
        "unattended-upgrades. Where it is there already, your own configuration of it stays. False leaves the system "
        "as it is.",
    )
    updates_docker: bool = Field(
        False,
        description="True has Docker's own packages brought up to date with them, whatever is new there. Containers go "
        "on running while the engine restarts.",
    )
