"""The settings of preflight: what must be true before anything is changed."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mstdn.kinds.network import Ipv4AddressOrEmpty, Ipv6AddressOrEmpty
from mstdn.kinds.part import Part


class PreflightSettings(Part):
    """What the server must have, and what the DNS must say of it."""

    title: ClassVar[str] = "Preflight: what must be true before anything is changed"

    preflight_dns: Literal["require", "warn", "skip"] = Field(
        "require",
        description='What if the DNS of the domain does not lead to this server? "require" refuses, "warn" '
        'goes on, "skip" does not look.',
    )
    public_ipv4: Ipv4AddressOrEmpty = Field(
        "",
        examples=["198.51.100.7"],
        description="The address that visitors use, when it differs from the server's own (behind NAT).",
    )
    public_ipv6: Ipv6AddressOrEmpty = Field("", examples=["2001:db8::7"], description="The same for IPv6.")
    preflight_free_disk_gib: Annotated[int, Field(ge=1, le=100000)] = Field(
        10,
        description="The space that must be free before the first installation; afterwards a third of it is enough.",
    )
    preflight_memory_and_swap_mib: Annotated[int, Field(ge=512, le=1048576)] = Field(
        2048, description="What memory and swap (planned swap included) must come to."
    )
