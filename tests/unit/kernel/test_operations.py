"""What is decided about the kernel's settings, and the scripts on a stand-in for /proc."""

from __future__ import annotations

from pathlib import Path

import pytest

from mstdn.kernel.facts import KernelSetting, Setting
from mstdn.kernel.operations import OVERCOMMIT, OVERCOMMIT_FILE, memory_for_forks
from tests.harness import Command, answer_of, commands_of, run_script

WRITE = Command("files/put", ("file", "0:0", "0644", OVERCOMMIT_FILE), "vm.overcommit_memory = 1\n")
APPLY = Command("kernel/apply", (OVERCOMMIT, "1"))


@pytest.mark.parametrize(
    ("state", "commands"),
    [
        pytest.param("now 0\nafter \n", [WRITE, APPLY], id="as every server is"),
        pytest.param("now 1\nafter 1\n", [], id="as wanted"),
        pytest.param("now 0\nafter 1\n", [APPLY], id="not in force"),
        pytest.param("now 1\nafter \n", [WRITE], id="not after a reboot"),
        pytest.param("now 2\nafter \n", [], id="somebody's decision"),
        pytest.param("now \nafter \n", [], id="a kernel without it"),
    ],
)
def test_redis_gets_what_it_asks_for_unless_somebody_has_decided(state: str, commands: list[Command]) -> None:
    assert commands_of(memory_for_forks, {"kernel/state": state}) == commands


def test_a_setting_is_read_and_applied(tmp_path: Path) -> None:
    file, proc = tmp_path / "60.conf", tmp_path / "sys"
    (proc / "vm").mkdir(parents=True)
    (proc / "vm/overcommit_memory").write_text("0\n")
    question, instead = KernelSetting.of(OVERCOMMIT, str(file)), {"/proc/sys": proc}
    assert answer_of(question, instead=instead) == Setting("0", "")
    file.write_text("vm.overcommit_memory = 1\n")
    assert run_script("kernel/apply", OVERCOMMIT, "1", instead=instead).returncode == 0
    assert answer_of(question, instead=instead) == Setting("1", "1")
