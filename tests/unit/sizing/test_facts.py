"""The size of a server, as the script prints it."""

from __future__ import annotations

import pytest
from pyinfra.api.exceptions import FactProcessError

from mstdn.sizing.facts import ServerSize, Size
from tests.harness import answer_of, read


@pytest.mark.parametrize(
    ("output", "size"), [("memory 2014084\nipv6\n", Size(1966, True)), ("memory 2014084\n", Size(1966, False))]
)
def test_memory_and_ipv6_are_read(output: str, size: Size) -> None:
    assert read(ServerSize, output) == size


@pytest.mark.parametrize("output", ["", "memory lots\n", "memory\n"])
def test_a_server_without_a_size_is_contained(output: str) -> None:
    with pytest.raises(FactProcessError, match="sizing/state answered something unexpected"):
        read(ServerSize, output)


def test_the_size_of_this_machine_is_read() -> None:
    assert answer_of(ServerSize.of_the_server()).memory_mib > 256
