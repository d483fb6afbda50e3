"""Facts about container images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Fact, Lines, Question


@dataclass
class Images:
    """
    By reference: `ids` of what lies on the server, `digests` it is known by in registries, `built` from what
    source, and the `versions` of what is in it, as its variables say them (PG_MAJOR, REDIS_VERSION).
    """

    ids: dict[str, str] = field(default_factory=dict)
    digests: dict[str, set[str]] = field(default_factory=dict)
    built: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)


class ImageStates(EngineFact[Images]):
    """Which of these images the server has."""

    script = "images/state"

    @classmethod
    def of(cls, references: Iterable[str]) -> Question[Images]:
        """references: of the images to look for."""
        return cls.question(*dict.fromkeys(references))

    @override
    def read(self, lines: Lines) -> Images:
        images = Images()
        for reference, identity in lines.words("id"):
            images.ids[reference] = identity
        for reference, digest in lines.words("digest"):
            images.digests.setdefault(reference, set()).add(digest.partition("@")[2])
        for reference, source in lines.words("built"):
            images.built[reference] = source
        for reference, variable in lines.words("version"):
            name, _, version = variable.partition("=")
            images.versions.setdefault(reference, {})[name] = version
        return images


class RecordedImages(Fact[dict[str, str]]):
    """Which content (digest) each tag stood for when it was first pulled, by reference."""

    script = "images/recorded"

    @classmethod
    def of(cls, record: str) -> Question[dict[str, str]]:
        """record: the file that remembers it, one line "reference digest" for each image."""
        return cls.question(record)

    @override
    def read(self, lines: Lines) -> dict[str, str]:
        # Of a line that somebody has damaged nothing is known: that tag is pulled and noted once more.
        return {words[0]: words[1] for words in lines.words("recorded") if len(words) == 2}


class SourceTree(Fact[str]):
    """What the checkout is now: a checksum of its commit and of what was changed in it; "" without one."""

    script = "images/source"

    @classmethod
    def of(cls, source: str) -> Question[str]:
        """source: directory of the checkout."""
        return cls.question(source)

    @override
    def read(self, lines: Lines) -> str:
        return lines.get("tree")
