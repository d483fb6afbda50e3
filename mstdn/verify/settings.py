"""The settings of the visit at the end of a run."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.kinds.network import Port
from mstdn.kinds.part import Part

Ports = Annotated[tuple[Port, ...], Field(strict=False, title="list of ports")]


class VerifySettings(Part):
    """What a visitor may have to wait for, and what he may find open."""

    title: ClassVar[str] = "Verify"

    verify_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        180, description="How long the first certificate may take."
    )
    verify_open_ports: Ports = Field(
        (),
        description="Ports of other containers that are meant to answer from outside: [25, 993].",
    )
