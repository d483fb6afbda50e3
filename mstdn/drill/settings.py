"""The settings of the drill."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mstdn.kinds.part import Part
from mstdn.kinds.repositories import TimeOfDay


class DrillSettings(Part):
    """When the newest backup is restored aside and proven, and how much of it."""

    title: ClassVar[str] = "Drill: the proof of the backups"

    drill_day: Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] = Field(
        "Sun", description="The day of the week on which the newest backup is proven."
    )
    drill_time: TimeOfDay = Field("05:30", description="When it begins, in the server's time zone.")
    drill_memory_mib: Annotated[int, Field(ge=256, le=65536)] = Field(
        1024, description="Memory and swap that have to be free for it; with less it is not held, and says so."
    )
    drill_media_files: Annotated[int, Field(ge=0, le=50)] = Field(
        20, description="How many media files, chosen at random, are fetched and compared."
    )
    drill_read_data_percent: Annotated[int, Field(ge=0, le=100)] = Field(
        2, description="How much of the repository's data is read and checked each time; in a year that is all of it."
    )
