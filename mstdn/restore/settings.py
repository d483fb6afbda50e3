"""What a restore is told; for one run, by --data."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from mstdn.kinds.part import Part
from mstdn.kinds.repositories import snapshot_name


class RestoreSettings(Part):
    """Which backup comes back, and whether it may take the place of what is there. For tasks/restore.py."""

    title: ClassVar[str] = "Restore (for one run of tasks/restore.py)"

    snapshot: Annotated[str, AfterValidator(snapshot_name), Field(title="snapshot")] = Field(
        "latest",
        examples=["1a2b3c4d"],
        description='The backup to restore: "latest", or what /usr/local/lib/mstdn/restic snapshots calls it: '
        "--data snapshot=1a2b3c4d",
    )
    replace: Literal["no", "yes"] = Field(
        "no",
        description='"yes" lets a restore take the place of an instance that is there: --data replace=yes. Its '
        "database, jobs and keys are kept aside.",
    )
