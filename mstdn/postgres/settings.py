"""The setting of tasks/postgres_upgrade.py; for one run, by --data."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mstdn.kinds.part import Part


class PostgresSettings(Part):
    """What becomes of the data directory that a new one has taken the place of. For tasks/postgres_upgrade.py."""

    title: ClassVar[str] = "PostgreSQL (for one run of tasks/postgres_upgrade.py)"

    postgres_old_directory: Literal["keep", "remove"] = Field(
        "keep",
        description='"remove" takes away the data directory that tasks/postgres_upgrade.py has kept aside, when the '
        "new one has served long enough: --data postgres_old_directory=remove",
    )
