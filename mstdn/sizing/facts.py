"""Facts that do not change while a server lives in its present size."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.api.exceptions import DeployError, FactProcessError
from typing_extensions import override

from mstdn.asking import ask
from mstdn.fact import Fact, Lines, Question


@dataclass
class Size:
    """`ipv6`: it has a global address."""

    memory_mib: int = 0
    ipv6: bool = False


class ServerSize(Fact[Size]):
    """Memory and IPv6."""

    script = "sizing/state"
    before = ("sizing/interfaces",)

    @classmethod
    def of_the_server(cls) -> Question[Size]:
        """The question without arguments."""
        return cls.question()

    @override
    def read(self, lines: Lines) -> Size:
        return Size(memory_mib=int(lines.one("memory")) // 1024, ipv6="ipv6" in lines)


def server_size() -> Size:
    """The size of the server at work, for tasks. Raises DeployError if it did not answer."""
    try:
        return ask(ServerSize.of_the_server())
    except FactProcessError as error:
        raise DeployError(str(error)) from None
