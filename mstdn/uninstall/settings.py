"""The settings of tasks/uninstall.py; for one run, by --data."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mstdn.kinds.part import Part
from mstdn.kinds.text import OneLine


class UninstallSettings(Part):
    """Whether an instance is meant to go for ever (tasks/uninstall.py), or to be taken over (tasks/adopt.py)."""

    title: ClassVar[str] = "Consent (for one run of tasks/uninstall.py or tasks/adopt.py)"

    yes: OneLine = Field(
        "",
        examples=["social.example.org"],
        description="The name of the instance that shall go, or be taken over, so that it is not another one by "
        "mistake. Meant for one run: `--data yes=social.example.org`.",
    )
    uninstall_backup: Literal["yes", "no"] = Field(
        "yes",
        description='Where backups are on, one is made before anything is removed; "no" leaves that out. Meant for one '
        "run: `--data uninstall_backup=no`.",
    )
