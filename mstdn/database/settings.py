"""The settings of the way back to a release before."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mstdn.kinds.images import Release
from mstdn.kinds.part import Part


class DatabaseSettings(Part):
    """Of tasks/rollback.py; a deployment needs none."""

    title: ClassVar[str] = "The way back"

    rollback_to: Release | None = Field(
        None,
        description="The release to whose last moment tasks/rollback.py takes the database back; all that happened "
        "since is lost. Meant for one run: `--data rollback_to=v4.6.9`.",
    )
