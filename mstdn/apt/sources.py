"""
Files of apt's sources, in both of their formats. Pure. Source: sources.list(5).

Two entries for one repository that name different keys make apt refuse all of its sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mstdn.finding import Finding

if TYPE_CHECKING:
    from mstdn.apt.facts import SourceFile, Sources

_LINE = re.compile(r"\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s*)?(?P<uri>\S+)\s")


@dataclass(frozen=True)
class Rewritten:
    """`text`: the file without the repository, None where nothing else is in it. `changed`: it had the repository."""

    text: str | None
    changed: bool


def without(file: SourceFile, repository: str) -> Rewritten:
    """The file without its entries for the repository (a URL). Entries that are switched off count as none."""
    parts = _paragraphs(file.text) if file.path.endswith(".sources") else file.text.splitlines(keepends=True)
    rewrite = _paragraph if file.path.endswith(".sources") else _line
    kept = [rewrite(part, _normal(repository)) for part in parts]
    text = "".join(part for part in kept if part is not None)
    if text == "".join(parts):
        return Rewritten(text, changed=False)
    return Rewritten(text if _says_anything(text) else None, changed=True)


def findings(sources: Sources, own: str, repository: str, keyring: str, *, needed: bool) -> Iterator[Finding]:
    """
    What is wrong with apt's sources. own: the suite's own file, with the repository. keyring: the suite's own file of
    the key. needed: packages are missing.
    """
    for file in sources.files:
        if file.path == own and (rest := _of_others(without(file, repository).text or "", keyring)):
            yield Finding(
                "error",
                f"{own} holds more than Docker's repository, and the suite writes this file. Put the rest into a file "
                f"of its own: {' '.join(rest.split())}",
            )
    # The suite takes every other entry for its own repository out.
    place = _normal(repository)
    mended = (place, own.lower(), "list of sources")
    if strange := [text for text in sources.problems if not any(each in _normal(text) for each in mended)]:
        yield Finding(
            "error" if needed else "warning",
            "apt cannot read its own sources, so it can neither install nor update anything on this server. Correct "
            f"this first, until apt-get update is content: {' '.join(strange)}",
        )


def _of_others(text: str, keyring: str) -> str:
    """
    What of the suite's own file is somebody else's: not Docker's repository at another place, which docker_repository
    named before, and not what is left of an entry that somebody has damaged.
    """
    return "".join(
        part
        for part in _paragraphs(text)
        if all(re.search(rf"^{name}:", part, re.IGNORECASE | re.MULTILINE) for name in ("URIs", "Suites"))
        and not re.search(rf"^Signed-By:\s*{re.escape(keyring)}\s*$", part, re.IGNORECASE | re.MULTILINE)
    )


def _normal(address: str) -> str:
    return re.sub(r"https?://", "", address).rstrip("/").lower()


def _line(line: str, place: str) -> str | None:
    found = _LINE.match(line + " ")
    return None if found and _normal(found["uri"]) == place else line


def _paragraphs(text: str) -> list[str]:
    """Each with the empty line at its end."""
    parts = [""]
    for line in text.splitlines(keepends=True):
        parts[-1] += line
        if not line.strip():
            parts.append("")
    return parts


def _paragraph(text: str, place: str) -> str | None:
    if re.search(r"^Enabled:\s*(no|false|without|off|disable)\s*$", text, re.IGNORECASE | re.MULTILINE):
        return text
    field = re.search(r"^(URIs:)((?:.*)(?:\n[ \t]+.*)*)", text, re.IGNORECASE | re.MULTILINE)
    if not field:
        return text
    uris = field[2].split()
    others = [uri for uri in uris if _normal(uri) != place]
    if len(others) == len(uris):
        return text
    return text[: field.start()] + f"{field[1]} {' '.join(others)}" + text[field.end() :] if others else None


def _says_anything(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())
