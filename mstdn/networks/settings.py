"""The setting of the networks between containers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mstdn.kinds.part import Part
from mstdn.kinds.text import AutoOrBoolean


class NetworksSettings(Part):
    """The networks front and back-mstdn."""

    title: ClassVar[str] = "Networks"

    networks_ipv6: AutoOrBoolean = Field(
        "auto",
        description='"auto" gives the front network IPv6 where the server has it; True and False force it.',
    )
