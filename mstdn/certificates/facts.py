"""Facts about the site's certificates."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.docker.engine import ContainerFact
from mstdn.fact import Lines, Question


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
    running, None if one of them is not or nginx publishes nothing. `ordered`: where that is less than a minute, names
    for which the client has got a certificate since then. `configuration`: what docker-gen wrote is "gone", "empty",
    "refused" by nginx or "accepted".
    """

    installed: dict[str, Certificate] = field(default_factory=dict)
    kept: dict[str, Certificate] = field(default_factory=dict)
    served: dict[str, Certificate] = field(default_factory=dict)
    linked: frozenset[str] = frozenset()
    age: int | None = None
    ordered: frozenset[str] = frozenset()
    configuration: str = "accepted"


class CertificateStates(ContainerFact[CertificateFiles]):
    """What is on disk, what nginx serves, and what the authority's client keeps."""

    script = "certificates/state"

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
            ordered=frozenset(lines.all("ordered")),
            configuration=lines.get("configuration", "accepted"),
        )


def _certificates(lines: Lines, place: str) -> Iterable[tuple[str, Certificate]]:
    texts: list[tuple[str, list[str]]] = []
    for line in lines.all(place):
        name, _, text = line.partition(" ")
        # The client may keep several for one name.
        if text == "unreadable" or text.startswith("fits "):
            texts.append((name, []))
        texts[-1][1].append(text)
    return ((name, _certificate(text)) for name, text in texts)


def _certificate(lines: list[str]) -> Certificate:
    """A certificate from what "openssl x509" prints of it: "sha256 Fingerprint=AB:CD", "notAfter=…", "    DNS:…"."""
    if lines == ["unreadable"]:
        return Certificate()
    fits, *rest = lines
    values = {key.strip(): value for key, _, value in (line.partition("=") for line in rest)}
    fingerprint = next(value for key, value in values.items() if key.lower() == "sha256 fingerprint")
    return Certificate(
        fingerprint.replace(":", ""),
        fits == "fits yes",
        int(ssl.cert_time_to_seconds(values["notBefore"])),
        int(ssl.cert_time_to_seconds(values["notAfter"])),
        tuple(name for line in rest for name in re.findall(r"DNS:([^,\s]+)", line)),
    )
