"""Facts about what is left behind."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Fact, Lines, Question


@dataclass(frozen=True)
class Image:
    """
    An image by one of its names.

    `tag`: "" without one, because another image has it now. `built`: here, from the checkout.
    """

    repository: str
    tag: str
    id: str
    built: bool = False

    @property
    def name(self) -> str:
        """What "docker image rm" is told."""
        return f"{self.repository}:{self.tag}" if self.tag else self.id


@dataclass(frozen=True)
class OldFiles:
    """How many files nobody has written to for long, and their size in KiB."""

    number: int = 0
    kib: int = 0


class Images(EngineFact[tuple[Image, ...]]):
    """All images of the engine, by all of their names."""

    script = "cleanup/images"

    @classmethod
    def all(cls) -> Question[tuple[Image, ...]]:
        """The question without arguments."""
        return cls.question()

    @override
    def read(self, lines: Lines) -> tuple[Image, ...]:
        built = set(lines.all("built"))
        return tuple(
            Image(repository, "" if tag == "<none>" else tag, identity, identity in built)
            for name, identity in lines.words("image")
            for repository, _, tag in [name.rpartition(":")]
        )


class OldScratch(Fact[OldFiles]):
    """The old ones among the temporary files of Mastodon's programs."""

    script = "cleanup/scratch"

    @classmethod
    def under(cls, directory: str, minutes: int) -> Question[OldFiles]:
        """minutes: for which nobody has written to them."""
        return cls.question(directory, str(minutes))

    @override
    def read(self, lines: Lines) -> OldFiles:
        number, kib = lines.get("files", "0 0").split()
        return OldFiles(int(number), int(kib))
