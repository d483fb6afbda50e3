"""Facts about the site's certificates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question


@dataclass(frozen=True)
class Certificate:
    """
    `sum`: its SHA-256, "" if it cannot be read. `fits`: the key beside it is its own. `begin` and `end`: seconds since
    the epoch. `names`: the host names it is for, perhaps with a * for their first label.
    """

    sum: str = ""
    fits: bool = True
    begin: int = 0
    end: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class CertificateFiles:
    """
    By host name: `installed` where nginx looks, `kept` by the authority's client, `served` by nginx. `linked`: names
    whose links lead to a file. `age`: seconds for which nginx, docker-gen, acme-companion and the inner nginx have been
    running, None if one of them is not. `configuration`: what docker-gen wrote is "gone", "empty", "refused" by nginx
    or "accepted".
    """

    installed: dict[str, Certificate] = field(default_factory=dict)
    kept: dict[str, Certificate] = field(default_factory=dict)
    served: dict[str, Certificate] = field(default_factory=dict)
    linked: frozenset[str] = frozenset()
    age: int | None = None
    configuration: str = "accepted"


class CertificateStates(Fact[CertificateFiles]):
    """What is on disk, what nginx serves, and what the authority's client keeps."""

    script = "certificates/state"
    before = "docker/engine"

    @classmethod
    def of(cls, proxy_root: str, prefix: str, names: Iterable[str]) -> Question[CertificateFiles]:
        """
        proxy_root: of the proxy. prefix: of the client's directories ("_test_" for a staging authority). names: hosts.
        """
        return cls.question(proxy_root, prefix, *names)

    @override
    def read(self, lines: Lines) -> CertificateFiles:
        # The newest of several copies that the client keeps: it may have had keys of two kinds.
        kept = sorted(_certificates(lines, "kept"), key=lambda each: each[1].end)
        return CertificateFiles(
            installed=dict(_certificates(lines, "installed")),
            kept=dict(kept),
            served=dict(_certificates(lines, "served")),
            linked=frozenset(lines.all("links")),
            age=int(lines.one("age")) if "age" in lines else None,
            configuration=lines.get("configuration", "accepted"),
        )


def _certificates(lines: Lines, place: str) -> Iterable[tuple[str, Certificate]]:
    for name, *words in lines.words(place):
        if words == ["unreadable"]:
            yield name, Certificate()
        else:
            sha256, fits, begin, end, *names = words
            yield name, Certificate(sha256, fits == "yes", int(begin), int(end), _split("".join(names)))


def _split(names: str) -> tuple[str, ...]:
    return tuple(name for name in names.split(",") if name)
