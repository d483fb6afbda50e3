"""The scripts on swap, with stand-ins for what only a kernel can do."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from mstdn.swap.facts import SwapState
from tests.harness import answer_of, calls_in, run_script, stand_in

# --- The file -----------------------------------------------------------------------------------

HEADER = "Filename Type Size Used Priority\n"


def make(
    directory: Path, *, active: bool = False, fits: bool = True, takes: bool = True
) -> subprocess.CompletedProcess[str]:
    """The script, for a file of 2 MiB: whether one is in use, whether it fits, whether the kernel takes it."""
    (directory / "swaps").write_text(HEADER + (f"{directory}/swap file 1020 0 -2\n" if active else ""))
    stand_in(directory, "chattr", "exit 1")
    for program in ("mkswap", "swapoff"):
        stand_in(directory, program)
    if not fits:
        stand_in(directory, "dd", "echo 'No space left on device' >&2; exit 1")
    path = stand_in(directory, "swapon", "" if takes else "echo 'Invalid argument' >&2; exit 255")
    return run_script(
        "swap/make_file", directory / "swap", "2", path=path, instead={"/proc/swaps": directory / "swaps"}
    )


def made(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir() if each.name.startswith("swap") and each.name != "swaps")


def test_a_swap_file_has_its_size_no_holes_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    answer = make(tmp_path)
    assert answer.returncode == 0, answer.stderr
    state = (tmp_path / "swap").stat()
    assert state.st_size == 2 * 1024 * 1024
    assert state.st_blocks * 512 >= state.st_size
    assert stat.S_IMODE(state.st_mode) == 0o600
    assert made(tmp_path) == ["swap"]
    assert calls_in(tmp_path)[-2:] == [f"mkswap {tmp_path}/swap.new", f"swapon {tmp_path}/swap"]


def test_the_old_file_is_given_up_only_when_the_new_one_is_complete(tmp_path: Path) -> None:
    (tmp_path / "swap").write_text("the old one")
    assert make(tmp_path, active=True).returncode == 0
    assert [call.split()[0] for call in calls_in(tmp_path)] == ["chattr", "mkswap", "swapoff", "swapon"]
    assert (tmp_path / "swap").stat().st_size == 2 * 1024 * 1024


def test_a_file_that_does_not_fit_leaves_the_old_one_in_use(tmp_path: Path) -> None:
    (tmp_path / "swap").write_text("the old one")
    answer = make(tmp_path, active=True, fits=False)
    assert answer.returncode != 0
    assert "No space left on device" in answer.stderr and "swap_size_mib" in answer.stderr
    assert (tmp_path / "swap").read_text() == "the old one"
    assert made(tmp_path) == ["swap"]
    assert not [call for call in calls_in(tmp_path) if call.startswith(("swapoff", "swapon"))]


def test_a_kernel_that_takes_no_swap_file_is_told_and_the_file_goes(tmp_path: Path) -> None:
    answer = make(tmp_path, takes=False)
    assert answer.returncode != 0 and "swap_size_mib = 0" in answer.stderr
    assert made(tmp_path) == []


# --- fstab --------------------------------------------------------------------------------------

OTHERS = "# a comment\nUUID=01 / ext4 defaults 0 1\n/swap2 none swap sw 0 0\n/swap /mnt ext4 defaults 0 2\n"
LINE = "/swap none swap sw 0 0\n"


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(OTHERS, id="none"),
        pytest.param(OTHERS + LINE, id="as wanted"),
        pytest.param("/swap\tswap\tswap\tdefaults,pri=5\t0\t0\n" + OTHERS + LINE, id="two, one with options"),
    ],
)
def test_fstab_has_one_line_for_the_file_and_keeps_all_others(tmp_path: Path, before: str) -> None:
    fstab = tmp_path / "fstab"
    fstab.write_text(before)
    fstab.chmod(0o640)
    instead = {"/etc/fstab": fstab, "/etc/.fstab.new": tmp_path / ".fstab.new"}
    answer = run_script("swap/write_fstab", "/swap", instead=instead)
    assert answer.returncode == 0, answer.stderr
    assert fstab.read_text() == OTHERS + LINE
    assert stat.S_IMODE(fstab.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["fstab"]


# --- The question -------------------------------------------------------------------------------


def test_everything_about_swap_is_read_at_once(tmp_path: Path) -> None:
    swap, fstab, swaps, swappiness = (tmp_path / name for name in ("swap", "fstab", "swaps", "swappiness"))
    swap.write_bytes(bytes(4096))
    swap.chmod(0o600)
    fstab.write_text(f"{swap} none swap sw 0 0\n")
    swaps.write_text(f"{HEADER}{swap} file 1020 0 -2\n/dev/vda2 partition 2048 0 -3\n/dev/zram0 other 1 0 5\n")
    swappiness.write_text("10\n")
    instead = {"/etc/fstab": fstab, "/proc/swaps": swaps, "/proc/sys/vm/swappiness": swappiness}
    state = answer_of(SwapState.of(str(swap)), instead=instead)
    assert state.active == {str(swap): 1020, "/dev/vda2": 2048}
    assert (state.file_bytes, state.file_mode, state.in_fstab, state.swappiness) == (4096, "600", True, "10")
