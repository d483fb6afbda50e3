"""Facts about git checkouts."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question


@dataclass
class Checkout:
    """
    `head` and `wanted` are commits ("" if there is none); `tagged` is a tag that points at `head`.
    `modified`: the first lines of git status --porcelain. `switching`: a run was killed while it moved to a tag.
    """

    switching: bool = False
    head: str = ""
    wanted: str = ""
    tagged: str = ""
    modified: list[str] = field(default_factory=list)


class GitCheckout(Fact[Checkout]):
    """The state of a checkout with respect to a tag."""

    script = "checkout/state"

    @classmethod
    def of(cls, directory: str, tag: str) -> Question[Checkout]:
        """directory: of the checkout. tag: the wanted one."""
        return cls.question(directory, tag)

    @override
    def read(self, lines: Lines) -> Checkout:
        return Checkout(
            switching="switching" in lines,
            head=lines.get("head"),
            wanted=lines.get("wanted"),
            tagged=lines.get("tagged"),
            modified=lines.all("modified"),
        )
