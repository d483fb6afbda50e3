"""Facts about the proxy."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question


@dataclass(frozen=True)
class Claim:
    """A running container that asks the proxy for host names. `project` is Compose's, "" without it."""

    container: str
    project: str
    names: frozenset[str]


class Claims(Fact[tuple[Claim, ...]]):
    """Who asks the proxy for which names."""

    script = "proxy/claims"
    before = "docker/engine"

    @classmethod
    def of_all(cls) -> Question[tuple[Claim, ...]]:
        """The question without arguments."""
        return cls.question()

    @override
    def read(self, lines: Lines) -> tuple[Claim, ...]:
        found = (text.split(" ", 2) for text in lines.all("claim"))
        return tuple(
            Claim(name.removeprefix("/"), "" if project == "-" else project, names_in(json.loads(variable)))
            for name, project, variable in found
        )


def names_in(variable: str) -> frozenset[str]:
    """
    The host names in VIRTUAL_HOST=a,b or VIRTUAL_HOST_MULTIPORTS, which is YAML or JSON with a name for each key.

    Patterns (*.example.org, ~^…) are among them as they are: nginx prefers a name to each of them.
    """
    name, _, value = variable.partition("=")
    if name == "VIRTUAL_HOST":
        return frozenset(each.strip().rstrip(".").lower() for each in value.split(",") if each.strip())
    return frozenset(each.lower() for each in re.findall(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", value))


class CompanionLog(Fact[list[str]]):
    """The last lines that acme-companion wrote; none without it."""

    script = "proxy/companion_log"
    before = "docker/engine"

    @classmethod
    def last_lines(cls) -> Question[list[str]]:
        """The question without arguments."""
        return cls.question()

    @override
    def read(self, lines: Lines) -> list[str]:
        return lines.all("line")
