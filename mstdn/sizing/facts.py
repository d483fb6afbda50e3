"""Facts that do not change while a server lives in its present size."""

from dataclasses import dataclass
from functools import cache

from pyinfra.api import FactBase, Host, StringCommand
from typing_extensions import override

from mstdn.shell import question


@dataclass
class Shape:
    """`ipv6`: it has a global address."""

    memory_mib: int = 0
    ipv6: bool = False


class ServerShape(FactBase[Shape]):
    """Memory and IPv6."""

    @override
    def command(self) -> StringCommand:
        return question("sizing/state")

    @staticmethod
    @override
    def default() -> Shape:
        return Shape()

    @override
    def process(self, output: list[str]) -> Shape:
        shape = Shape()
        for line in output:
            key, _, value = line.partition(" ")
            if key == "memory":
                shape.memory_mib = int(value) // 1024
            elif key == "ipv6":
                shape.ipv6 = True
        return shape


@cache
def shape_of(host: Host) -> Shape:
    """The shape of `host`, asked for once in a run: five tasks need it, and each question is a round trip."""
    return host.get_fact(ServerShape)
