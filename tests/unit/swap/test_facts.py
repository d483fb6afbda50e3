"""Swap, as the script prints it."""

from __future__ import annotations

import pytest
from pyinfra.api.exceptions import FactProcessError

from mstdn.swap.facts import Swap, SwapState
from tests.harness import read


def test_everything_about_a_swap_file_is_read() -> None:
    output = """\
active 262140 /swap
active 1048572 /dev/mapper/vg 0
file 268435456 600 0
fstab
swappiness 60
persisted 10
"""
    active = {"/swap": 262140, "/dev/mapper/vg 0": 1048572}
    assert read(SwapState, output) == Swap(active, 268435456, "600", "0", True, "60", "10")


def test_a_server_without_swap_is_read() -> None:
    assert read(SwapState, "swappiness 60\npersisted \n") == Swap(swappiness="60")


@pytest.mark.parametrize("output", ["active many /swap\n", "file 1 600\n"])
def test_a_line_of_another_form_is_contained(output: str) -> None:
    with pytest.raises(FactProcessError, match="swap/state answered something unexpected"):
        read(SwapState, output)
