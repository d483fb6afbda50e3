"""Facts about git checkouts."""

from dataclasses import dataclass, field

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


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


class GitCheckout(FactBase[Checkout]):
    """The state of the checkout in `directory` with respect to `tag`."""

    @override
    def command(self, directory: str, tag: str) -> StringCommand:
        return question("checkout/state", directory, tag)

    @staticmethod
    @override
    def default() -> Checkout:
        return Checkout()

    @override
    def process(self, output: list[str]) -> Checkout:
        checkout = Checkout()
        for line in output:
            key, _, rest = line.partition(" ")
            if key == "switching":
                checkout.switching = True
            elif key == "head":
                checkout.head = rest
            elif key == "wanted":
                checkout.wanted = rest
            elif key == "tagged":
                checkout.tagged = rest
            elif key == "modified":
                checkout.modified.append(rest)
        return checkout
