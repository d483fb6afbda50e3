"""Facts about published assets."""

from dataclasses import dataclass

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


@dataclass
class Assets:
    """`current` and `previous` name directories ("" if there is none); `image` is the ID they should come from."""

    current: str = ""
    previous: str = ""
    complete: bool = False
    image: str = ""


class PublishedAssets(FactBase[Assets]):
    """What is published under `root`, and the ID of `image`."""

    @override
    def command(self, root: str, image: str) -> StringCommand:
        return question("assets/state", root, image)

    @staticmethod
    @override
    def default() -> Assets:
        return Assets()

    @override
    def process(self, output: list[str]) -> Assets:
        assets = Assets()
        for line in output:
            key, _, value = line.partition(" ")
            if key == "complete":
                assets.complete = True
            else:
                setattr(assets, key, value)
        return assets
