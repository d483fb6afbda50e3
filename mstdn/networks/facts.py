"""Facts about the networks of Docker Engine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question


@dataclass(frozen=True)
class Network:
    """A network of the engine by its ID, with its options."""

    id: str
    driver: str
    internal: bool
    ipv6: bool


class DockerNetworks(Fact[dict[str, Network]]):
    """The networks of some names that exist."""

    script = "networks/state"
    before = "docker/engine"

    @classmethod
    def named(cls, names: Iterable[str]) -> Question[dict[str, Network]]:
        """names: to look for."""
        return cls.question(*names)

    @override
    def read(self, lines: Lines) -> dict[str, Network]:
        found = (json.loads(text) for text in lines.all("network"))
        return {each.pop("name"): Network(**each) for each in found}
