"""Commands for a server: their quoting, the lock, and what every question does on a bare server."""

from __future__ import annotations

import shlex
import stat
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstdn.shell import SCRIPTS, question, script


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)))
def test_every_argument_arrives_as_it_was(words: list[str]) -> None:
    for command in (question("files/state", *words), script("files/write", *words)):
        assert shlex.split(command.get_raw_value())[4:] == words


def test_what_changes_a_server_takes_the_lock_and_what_only_asks_does_not() -> None:
    lock = (SCRIPTS / "lock.sh").read_text()
    assert shlex.split(script("swap/write_fstab", "/swap").get_raw_value())[2].startswith(lock)
    assert lock not in shlex.split(question("swap/state", "/swap").get_raw_value())[2]


def test_two_runs_at_once_wait_for_each_other(tmp_path: Path) -> None:
    lock = (SCRIPTS / "lock.sh").read_text().replace("/run/mstdn.lock", str(tmp_path / "lock"))
    order = tmp_path / "order"
    slow = f"{lock}\n: >{order}.begun\necho first begins >>{order}\nsleep 0.5\necho first ends >>{order}"
    first = subprocess.Popen(["sh", "-ec", slow])
    deadline = time.monotonic() + 10
    while not Path(f"{order}.begun").exists():
        assert time.monotonic() < deadline, "the first run did not get the lock"
        time.sleep(0.01)
    subprocess.run(["sh", "-ec", f"{lock}\necho second >>{order}"], check=True, timeout=30)
    assert first.wait(timeout=30) == 0
    assert order.read_text().splitlines() == ["first begins", "first ends", "second"]


def test_what_is_written_does_not_depend_on_the_servers_umask(tmp_path: Path) -> None:
    prelude = (SCRIPTS / "lock.sh").read_text().replace("/run/mstdn.lock", str(tmp_path / "lock"))
    subprocess.run(["sh", "-ec", f"umask 077\n{prelude}\n: >{tmp_path}/file"], check=True)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


# QUESTIONS
QUESTIONS: list[tuple[FactBase[Any], str, list[str]]] = [
    (PublishedAssets(), "assets/state", [NOWHERE, "no-such-image:1"]),
    (ImageBuilds(), "images/build_state", [NOWHERE, "no-such-image:1"]),
    (ComposeProject(), "compose/state", ["no-such-project", NOWHERE, NOWHERE, NOWHERE, "--", NOWHERE]),
    (DockerHost(), "docker/state", [NOWHERE, "no-such-package"]),
    (DockerNetworks(), "networks/state", ["no-such-network"]),
    (FileStates(), "files/state", [NOWHERE]),
    (GitCheckout(), "checkout/state", [NOWHERE, "v4.7.6"]),
    (ImageStates(), "images/state", [NOWHERE, "no-such-image:1"]),
    (Installed(), "database/state", [NOWHERE, NOWHERE]),
    (SecretStates(), "secrets/state", [NOWHERE, NOWHERE]),
    (ServerShape(), "sizing/state", []),
    (SwapState(), "swap/state", [NOWHERE, NOWHERE]),
]


@pytest.mark.parametrize(("fact", "name", "arguments"), QUESTIONS, ids=[name for _, name, _ in QUESTIONS])
def test_a_question_to_a_server_that_has_nothing_is_answered_without_an_error(
    fact: FactBase[Any], name: str, arguments: list[str]
) -> None:
    answer = run_script(name, *arguments)
    assert answer.returncode == 0, answer.stderr
    fact.process(answer.stdout.splitlines())


def test_the_shape_of_this_machine_is_read() -> None:
    shape = ServerShape().process(run_script("sizing/state").stdout.splitlines())
    assert shape.memory_mib > 256
