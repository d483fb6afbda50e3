"""Facts about Compose projects."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Fact, Lines, Question


@dataclass
class Applied:
    """
    What was applied to a project last: `revision` of its files, `loaded` revision of those that services read anew
    while they run; "" if never, or if a file was changed since.

    `mounted`: checksum of each file that a service mounts, as it was then, and `edited` those that are another now or
    gone. `making`: what the container of each service was made with at that time (Container.making). `parts`: checksum
    of what the files said about each service (Project.parts).
    `led`: variables in the project's .env by which Compose would read other files or call the project otherwise.
    `override`: checksum of the operator's own compose.override.yaml now, "" without one. `broken`: why Compose cannot
    read that, with its path.
    """

    revision: str = ""
    loaded: str = ""
    making: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    mounted: dict[str, str] = field(default_factory=dict)
    edited: frozenset[str] = frozenset()
    led: tuple[str, ...] = ()
    override: str = ""
    broken: str = ""


class AppliedProject(Fact[Applied]):
    """What was applied to a Compose project, as far as it is still true."""

    script = "compose/applied"

    @classmethod
    def of(cls, directory: str, made_from: Iterable[str], reloaded: Iterable[str]) -> Question[Applied]:
        """
        directory: of the project. made_from: paths of the files that containers are made from. reloaded: of those that
        running containers read anew.
        """
        return cls.question(directory, *made_from, "--", *reloaded)

    @override
    def read(self, lines: Lines) -> Applied:
        return Applied(
            revision=lines.get("revision"),
            loaded=lines.get("loaded"),
            making={
                service: text for service, text in _noted(lines.get("making")).items() if _object(text) is not None
            },
            parts=_noted(lines.get("parts")),
            mounted={
                path: sha256 for sha256, _, path in (line.partition("  ") for line in lines.all("mounted")) if path
            },
            edited=frozenset(lines.all("edited")),
            led=tuple(lines.all("led")),
            override=lines.get("override"),
            broken=lines.get("broken"),
        )


def _noted(text: str) -> dict[str, str]:
    """
    What a note on the server says by service. One that was emptied or damaged says nothing: it is written anew, and to
    refuse would leave the operator with a file of which he knows nothing.
    """
    return {key: value for key, value in (_object(text) or {}).items() if isinstance(value, str)}


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _halves(line: str) -> tuple[str, str, str]:
    return line.partition("  ")


class Settled(EngineFact[bool]):
    """Waits until no container of a project is starting any more. It changes nothing; the answer is always True."""

    script = "compose/settled"

    @classmethod
    def of(cls, project: str, timeout_seconds: int) -> Question[bool]:
        """project: its name. timeout_seconds: how long to wait at most."""
        return cls.question(project, str(timeout_seconds))

    @override
    def read(self, lines: Lines) -> bool:
        return True
