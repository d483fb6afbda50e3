"""What the swap operation decides."""

from __future__ import annotations

from typing import Any

from mstdn.swap.facts import SWAPPINESS_FILE
from mstdn.swap.operations import swap_file
from tests.harness import Command, commands_of

SWAP: dict[str, Any] = {"path": "/swap", "size_mib": 2048, "swappiness": 10}
SWAP_FILE = "active 2097148 /swap\nfile 2147483648 600 0\nfstab\n"
SWAPPINESS = "swappiness 10\npersisted 10\n"


def swap_commands(state: str, **changed: Any) -> list[Command]:
    return commands_of(swap_file, {"swap/state": state}, **SWAP | changed)


def test_a_bare_server_gets_swap_now_and_after_a_reboot() -> None:
    assert swap_commands("swappiness 60\npersisted \n") == [
        Command("swap/make_file", ("/swap", "2048")),
        Command("swap/write_fstab", ("/swap",)),
        Command("files/put", ("file", "0:0", "0644", SWAPPINESS_FILE), "vm.swappiness = 10\n"),
        Command("", ("echo", "10", ">", "/proc/sys/vm/swappiness")),
    ]


def test_the_wanted_swap_is_left_alone() -> None:
    assert swap_commands(SWAP_FILE + SWAPPINESS) == []


def test_a_swap_file_of_another_size_is_made_anew() -> None:
    assert swap_commands(SWAP_FILE + SWAPPINESS, size_mib=4096) == [Command("swap/make_file", ("/swap", "4096"))]


def test_a_swap_file_that_is_not_in_use_is_made_anew() -> None:
    assert swap_commands("file 2147483648 600 0\nfstab\n" + SWAPPINESS) == [
        Command("swap/make_file", ("/swap", "2048"))
    ]


def test_a_swap_file_that_others_may_read_is_closed() -> None:
    state = "active 2097148 /swap\nfile 2147483648 644 0\nfstab\n" + SWAPPINESS
    assert swap_commands(state) == [Command("", ("chown", "0:0", "/swap", "&&", "chmod", "0600", "/swap"))]


def test_swap_that_would_be_gone_after_a_reboot_comes_into_fstab() -> None:
    state = "active 2097148 /swap\nfile 2147483648 600 0\n" + SWAPPINESS
    assert swap_commands(state) == [Command("swap/write_fstab", ("/swap",))]


def test_swappiness_is_put_right_now_and_for_later() -> None:
    assert [command.script for command in swap_commands(SWAP_FILE + "swappiness 10\npersisted 60\n")] == ["files/put"]
    assert [command.words[0] for command in swap_commands(SWAP_FILE + "swappiness 60\npersisted 10\n")] == ["echo"]


def test_a_larger_swap_of_the_machine_is_respected() -> None:
    assert swap_commands("active 4194300 /dev/vda2\nswappiness 60\n") == []


def test_a_swap_of_the_machine_of_exactly_the_size_is_respected_although_the_kernel_counts_a_page_less() -> None:
    assert swap_commands("active 2097148 /dev/vda2\nswappiness 60\n") == []


def test_a_smaller_swap_of_the_machine_is_not_enough() -> None:
    assert swap_commands("active 1048572 /dev/vda2\n" + SWAPPINESS)[0] == Command("swap/make_file", ("/swap", "2048"))


def test_size_0_leaves_the_swap_as_it_is() -> None:
    assert swap_commands("swappiness 60\n", size_mib=0) == []
