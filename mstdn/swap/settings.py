"""The settings of the swap file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.kinds.part import Part, Relation
from mstdn.kinds.paths import ServerPath, lies_in
from mstdn.problems import Problem


def swap_lies_apart(swap_path: str, mastodon_root: str, proxy_root: str) -> Iterator[Problem]:
    for name, root in (("mastodon_root", mastodon_root), ("proxy_root", proxy_root)):
        if lies_in(swap_path, root):
            yield Problem(
                "swap_path", f"it lies in {name} ({root})", "swap_path in a place of its own", f'"{swap_path}"'
            )


class SwapSettings(Part):
    """Where swap lies, how much there is, and when it is used."""

    title: ClassVar[str] = "Swap"
    relations: ClassVar[tuple[Relation, ...]] = (swap_lies_apart,)

    swap_path: ServerPath = Field("/swap", description="The swap file.")
    swap_size_mib: Annotated[int, Field(ge=0, le=65536)] = Field(
        2048, description="0 makes no swap file. An existing swap of at least this size is kept as it is."
    )
    swap_swappiness: Annotated[int, Field(ge=0, le=200)] = Field(
        10, description="How readily the kernel swaps: the smaller, the later."
    )
