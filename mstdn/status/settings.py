"""How tasks/status.py tells what it sees; for one run, by --data."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mstdn.kinds.part import Part


class StatusSettings(Part):
    """For whom the state of a server is told. For tasks/status.py."""

    title: ClassVar[str] = "Status (for one run of tasks/status.py)"

    format: Literal["text", "json"] = Field(
        "text", description='"json" is for programs, one line for each server: --data format=json'
    )
