"""Where a swap file can be, and where it is refused before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mstdn.swap.facts import SWAPPINESS_FILE, Swap, SwapState
from mstdn.swap.operations import swap_file
from mstdn.swap.rules import findings
from tests.harness import Command, answer_of, commands_of, refusal_of


@pytest.mark.parametrize(
    ("swap", "size_mib"),
    [
        (Swap(path="/swap", file_system="ext2/ext3"), 2048),
        (Swap(path="/swap", file_system="xfs"), 2048),
        (Swap(path="/swap", file_system="btrfs"), 2048),
        (Swap(path="/swap", file_system="overlayfs"), 0),
        (Swap({"/swap": 2097148}, path="/swap", file_system="overlayfs"), 2048),
        (Swap({"/dev/vdb": 2097148}, path="/swap", file_system="zfs"), 2048),
        (Swap({"/dev/vdb": 2097148}, path="/swap", foreign=True), 2048),
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
        (Swap(path="/data/disk.img", foreign=True), "mv /data/disk.img /data/disk.img.old"),
        (Swap(path="/swap", file_system="bcachefs"), "no swap file can be (bcachefs)"),
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


@pytest.mark.parametrize(
    ("content", "line", "foreign"),
    [
        pytest.param(b"somebody's own", "", True, id="a file of somebody's"),
        pytest.param(b"x" * 200_000, "", True, id="a large one"),
        pytest.param(b"", "", False, id="an empty one"),
        pytest.param(b"\0" * 4086 + b"SWAPSPACE2" + b"\0" * 4096, "", False, id="swap that is not in use"),
        pytest.param(b"\0" * 65526 + b"SWAPSPACE2" + b"\0" * 4096, "", False, id="swap of a kernel with large pages"),
        pytest.param(b"damaged", "{} none swap sw 0 0\n", False, id="what /etc/fstab calls swap"),
    ],
)
def test_a_file_that_is_no_swap_is_somebodys(tmp_path: Path, content: bytes, line: str, *, foreign: bool) -> None:
    (tmp_path / "swap").write_bytes(content)
    (tmp_path / "fstab").write_text(line.format(tmp_path / "swap"))
    instead = {"/etc/fstab": tmp_path / "fstab", SWAPPINESS_FILE: tmp_path / "sysctl"}
    assert answer_of(SwapState.of(str(tmp_path / "swap")), instead=instead).foreign is foreign


def test_somebodys_file_is_not_replaced_by_the_task_itself_either() -> None:
    state = "real /swap\nfile 12 644 0\nforeign\nswappiness 10\npersisted 10\n"
    said = refusal_of(swap_file, {"swap/state": state}, path="/swap", size_mib=2048, swappiness=10)
    assert "a file already that is no swap" in said
    arguments: dict[str, Any] = {"path": "/swap", "size_mib": 0, "swappiness": 10}
    assert commands_of(swap_file, {"swap/state": state}, **arguments) == []


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
