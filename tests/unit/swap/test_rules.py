"""Where a swap file can be, and where it is refused before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mstdn.swap.facts import SWAPPINESS_FILE, Swap, SwapState
from mstdn.swap.operations import swap_file
from mstdn.swap.rules import findings
from tests.harness import Command, answer_of, commands_of


@pytest.mark.parametrize(
    ("swap", "size_mib"),
    [
        (Swap(path="/swap", file_system="ext2/ext3"), 2048),
        (Swap(path="/swap", file_system="xfs"), 2048),
        (Swap(path="/swap", file_system="btrfs"), 2048),
        (Swap(path="/swap", file_system="overlayfs"), 0),
        (Swap({"/swap": 2097148}, path="/swap", file_system="overlayfs"), 2048),
        (Swap({"/dev/vdb": 2097148}, path="/swap", file_system="zfs"), 2048),
    ],
)
def test_a_swap_file_that_can_be_or_need_not_be_gives_no_finding(swap: Swap, size_mib: int) -> None:
    assert not list(findings(swap, "/swap", size_mib))


@pytest.mark.parametrize(
    ("swap", "words"),
    [
        (Swap(path="/swap", file_system="overlayfs"), "no swap file can be (overlayfs)"),
        (Swap(path="/swap", file_system="zfs"), "no swap file can be (zfs)"),
        (Swap({"/dev/vdb": 1048572}, path="/swap", file_system="nfs"), "swap_size_mib = 0"),
        (Swap(path="/dev/vdb", obstacle="block special file"), "which is a block special file and no file"),
        (Swap(path="/swap", obstacle="directory"), "which is a directory and no file"),
    ],
)
def test_a_swap_file_that_cannot_be_is_named_with_what_to_do(swap: Swap, words: str) -> None:
    (found,) = findings(swap, "/swap", 2048)
    assert found.level == "error" and words in found.text


def test_a_link_leads_to_the_file_that_the_kernel_knows() -> None:
    state = "active 2097148 /big/swap\nreal /big/swap\nfile 2147483648 600 0\nfstab\nswappiness 10\npersisted 10\n"
    arguments: dict[str, Any] = {"path": "/swap", "size_mib": 2048, "swappiness": 10}
    assert commands_of(swap_file, {"swap/state": state}, **arguments) == []
    (made,) = commands_of(swap_file, {"swap/state": state}, **arguments | {"size_mib": 4096})
    assert made == Command("swap/make_file", ("/big/swap", "4096"))


def test_the_script_follows_links_and_names_what_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "here").symlink_to(tmp_path / "big")
    fstab = {"/etc/fstab": tmp_path / "fstab", SWAPPINESS_FILE: tmp_path / "sysctl"}
    (tmp_path / "fstab").write_text(f"{tmp_path}/big/swap none swap sw 0 0\n")
    swap = answer_of(SwapState.of(str(tmp_path / "here/swap")), instead=fstab)
    assert (swap.path, swap.obstacle, swap.in_fstab) == (str(tmp_path / "big/swap"), "", True)
    assert swap.file_system
    assert answer_of(SwapState.of(str(tmp_path / "here")), instead=fstab).obstacle == "directory"
    deep = answer_of(SwapState.of(str(tmp_path / "not/there/swap")), instead=fstab)
    assert deep.file_system == swap.file_system
