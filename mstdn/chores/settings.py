"""The settings of the chores."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mstdn.chores.rules import preview_cards_come_back
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.repositories import TimeOfDay


class ChoresSettings(Part):
    """What is tidied up every week, beyond what Mastodon does by itself."""

    title: ClassVar[str] = "Chores"
    relations: ClassVar[tuple[Relation, ...]] = (preview_cards_come_back,)

    chores_day: Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] = Field(
        "Wed", description="The day of the week on which the chores are done."
    )
    chores_time: TimeOfDay = Field("05:00", description="When they begin, in the server's time zone.")
    chores_profile_media_days: Annotated[int, Field(ge=0, le=3650)] = Field(
        30,
        description="Avatars and headers of accounts elsewhere, whom nobody here follows and who have not been heard "
        "of for so many days, are removed. 0 keeps them.",
    )
    chores_preview_card_days: Annotated[int, Field(ge=0, le=3650)] = Field(
        180,
        description="Pictures of preview cards are removed after so many days, where retention_media_days does not do "
        "it earlier; below 14 they would not come back. 0 keeps them.",
    )
    chores_orphans: bool = Field(
        True,
        description="Files that no post and no account knows any more are removed. It looks at every single file; with "
        "an object store it is not done.",
    )
