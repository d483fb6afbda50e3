"""Facts about the networks of Docker Engine."""

import json
from dataclasses import dataclass
from typing import Any

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


@dataclass(frozen=True)
class Network:
    """`attached`: names of all containers that use the network, stopped ones too."""

    driver: str
    internal: bool
    ipv6: bool
    attached: tuple[str, ...]


class DockerNetworks(FactBase[dict[str, Network]]):
    """The networks of these names that exist."""

    @override
    def command(self, networks: list[str]) -> StringCommand:
        return question("networks/state", *networks)

    @staticmethod
    @override
    def default() -> dict[str, Network]:
        return {}

    @override
    def process(self, output: list[str]) -> dict[str, Network]:
        networks = {}
        for line in output:
            found: dict[str, Any] = json.loads(line)
            networks[found["name"]] = Network(
                driver=found["driver"],
                internal=found["internal"],
                ipv6=found["ipv6"],
                attached=tuple(found["attached"].split()),
            )
        return networks
