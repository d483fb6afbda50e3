"""The settings of content retention."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.kinds.part import Part

Days = Annotated[int, Field(ge=0, le=3650)]


class RetentionSettings(Part):
    """How long copies of other servers' content are kept, where nobody has chosen yet."""

    title: ClassVar[str] = "Content retention"

    retention_media_days: Days = Field(
        14,
        description="Copies of other servers' pictures and films, and preview cards, are removed after so many days; "
        "Mastodon fetches them again when somebody looks. 0 keeps them for ever, and they fill the disk. It is set "
        "once, where the administration pages (Content retention) have no value yet; from then on what stands "
        "there counts.",
    )
    retention_content_days: Days = Field(
        0,
        description="Other servers' posts that nobody here has interacted with are removed after so many days, and do "
        "not come back. 0 keeps them, as Mastodon advises. Set once, as retention_media_days.",
    )
