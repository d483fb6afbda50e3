"""The setting of the checkout of Mastodon's source."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mstdn.kinds.network import HttpsUrl
from mstdn.kinds.part import Part


class CheckoutSettings(Part):
    """Where the source comes from."""

    title: ClassVar[str] = "Checkout"

    checkout_repository: HttpsUrl = Field(
        "https://github.com/mastodon/mastodon.git", description="Where Mastodon's source comes from."
    )
