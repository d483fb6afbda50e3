"""Facts about container images."""

from dataclasses import dataclass, field

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


@dataclass
class Images:
    """By reference: `ids` of what lies on the server, `digests` it is known by in registries, `recorded` digest."""

    ids: dict[str, str] = field(default_factory=dict)
    digests: dict[str, set[str]] = field(default_factory=dict)
    recorded: dict[str, str] = field(default_factory=dict)


class ImageStates(FactBase[Images]):
    """Which of these images the server has, and which content each tag stood for when it was first pulled."""

    @override
    def command(self, record: str, references: list[str]) -> StringCommand:
        return question("images/state", record, *references)

    @staticmethod
    @override
    def default() -> Images:
        return Images()

    @override
    def process(self, output: list[str]) -> Images:
        images = Images()
        for line in output:
            key, reference, value = line.split(" ")
            if key == "id":
                images.ids[reference] = value
            elif key == "digest":
                images.digests.setdefault(reference, set()).add(value.partition("@")[2])
            elif key == "recorded":
                images.recorded[reference] = value
        return images


@dataclass
class Builds:
    """`built`: what each existing image was built from; `tree`: what the checkout is now ("" without one)."""

    built: list[str] = field(default_factory=list)
    tree: str = ""


class ImageBuilds(FactBase[Builds]):
    """What the images `references` were built from, and the state of the checkout `source`."""

    @override
    def command(self, source: str, references: list[str]) -> StringCommand:
        return question("images/build_state", source, *references)

    @staticmethod
    @override
    def default() -> Builds:
        return Builds()

    @override
    def process(self, output: list[str]) -> Builds:
        builds = Builds()
        for line in output:
            key, _, value = line.partition(" ")
            if key == "tree":
                builds.tree = value
            else:
                builds.built.append(value)
        return builds
