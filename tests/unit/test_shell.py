"""Commands for a server: their quoting, the lock, and what every question does on a bare server."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import stat
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstdn.adopt.facts import OldInstance
from mstdn.apt.facts import AptSources
from mstdn.assets.facts import PublishedAssets
from mstdn.backup.facts import BackupState
from mstdn.certificates.facts import CertificateStates
from mstdn.checkout.facts import GitCheckout
from mstdn.cleanup.facts import Images, OldScratch
from mstdn.compose.facts import AppliedProject, Settled
from mstdn.database.facts import DatabaseDumps, DuplicateAccounts, Installed, StoresAtWork
from mstdn.docker.facts import Containers, DockerHost, EngineSetup
from mstdn.fact import CouldNotLook, Question
from mstdn.files.facts import FileStates, InTheWay, Strangers, WrittenFiles
from mstdn.files.tree import ConfigDirectory
from mstdn.firewall.facts import FirewallSetup, PacketFilter
from mstdn.images.facts import ImageStates, RecordedImages, SourceTree
from mstdn.kernel.facts import KernelSetting
from mstdn.mail.facts import SenderRecords, WayOut
from mstdn.monitoring.facts import MonitoringRole
from mstdn.networks.facts import DockerNetworks, FirewallWays
from mstdn.owner.facts import AccountState
from mstdn.postgres.facts import DataDirectories
from mstdn.preflight.facts import Server
from mstdn.proxy.facts import CompanionLog
from mstdn.restore.facts import WayBack
from mstdn.secrets.facts import SecretStates
from mstdn.shell import SCRIPTS, question, script, who_works
from mstdn.sizing.facts import ServerSize
from mstdn.status.facts import MachineState, PartStates
from mstdn.storage.facts import Places
from mstdn.swap.facts import SwapState
from mstdn.timers.facts import Units
from mstdn.uninstall.facts import FilesThere, NetworksThere
from mstdn.updates.facts import UpdateState
from tests.harness import ROOT, all_facts, answer_of
from tests.lab.commands import wait_until

LOCK = "".join((SCRIPTS / f"{each}.sh").read_text() for each in ("connection", "lock"))
NOWHERE = '/nonexistent/it\'s "here" $HOME'


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)))
def test_every_argument_arrives_as_it_was(words: list[str]) -> None:
    for command in (question("files/state", *words), script("files/put", *words)):
        assert shlex.split(command.get_raw_value())[4:] == words


def test_what_changes_a_server_takes_the_lock_and_what_only_asks_does_not() -> None:
    lock = LOCK
    assert f"\n{lock}" in shlex.split(script("swap/write_fstab", "/swap").get_raw_value())[2]
    assert lock not in shlex.split(question("swap/state", "/swap").get_raw_value())[2]


def test_two_runs_at_once_wait_for_each_other(tmp_path: Path) -> None:
    lock = LOCK.replace("/run/mstdn.lock", str(tmp_path / "lock"))
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


class Runs:
    """Runs of the lock in a place of its own, each over a connection: a process that is called like sshd's."""

    def __init__(self, place: Path) -> None:
        self.place = place
        text = LOCK
        for there, here in (
            ("/run/mstdn.lock", f"{place}/lock"),
            ("/run/mstdn.run", f"{place}/run"),
            ("/run/mstdn-waiting.", f"{place}/follow."),
            ("sleep 10", "sleep 0.05"),
            ("systemctl --no-block stop mstdn-chores.service mstdn-drill.service", f"echo stopped >>{place}/chores"),
            ("flock --timeout 5", "flock --timeout 0.2"),
            ("systemctl list-units", "echo mstdn-backup.service; :"),
        ):
            assert there in text
            text = text.replace(there, here)
        self.lock = text
        (place / "sshd-session").symlink_to("/bin/sh")

    def connect(self) -> subprocess.Popen[str]:
        """A connection, which does what it reads."""
        name = str(self.place / "sshd-session")
        return subprocess.Popen([name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def change(self, connection: subprocess.Popen[str], who: str) -> str:
        """Run a script over the connection. Returns "done", or what it said instead."""
        assert connection.stdin and connection.stdout
        words = shlex.quote(f"run='{who}'\n{self.lock}\necho done")
        connection.stdin.write(f"sh -c {words} 2>&1 | tr '\\n' ' '; echo\n")
        connection.stdin.flush()
        return connection.stdout.readline().strip()

    def hang_up(self, connection: subprocess.Popen[str]) -> None:
        connection.communicate()


def test_what_only_asks_hears_of_a_run_and_holds_nobody_up(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    asking = f"only_ask=yes\n{runs.lock}\nif another_run_works; then echo somebody; else echo nobody; fi"

    def ask() -> str:
        return subprocess.run(["sh", "-ec", asking], capture_output=True, text=True, check=True).stdout

    assert ask() == "nobody\n"
    alice = runs.connect()
    assert runs.change(alice, "alice") == "done"
    assert ask() == "somebody\n"
    runs.hang_up(alice)
    assert ask() == "nobody\n" and not is_held(tmp_path / "lock")


def is_held(lock: Path) -> bool:
    return lock.exists() and subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False).returncode != 0


@pytest.mark.parametrize(
    ("who", "waits"),
    [("alice", False), ("bob", True), ("", True)],
    ids=["the run waits for it", "another run waits for it", "the run is at other work"],
)
def test_a_program_of_the_server_waits_for_a_run_unless_that_waits_for_it(
    tmp_path: Path, who: str, waits: bool
) -> None:
    runs = Runs(tmp_path)
    alice, bob = runs.connect(), runs.connect()
    assert runs.change(alice, "alice") == "done"
    if who:
        follower = {"alice": alice, "bob": bob}[who]
        held = tmp_path / f"follow.{follower.pid}"
        assert follower.stdin
        follower.stdin.write(f"exec 8>>{held}; flock --shared 8\n")
        follower.stdin.flush()
        wait_until("somebody follows it", lambda: is_held(held), timeout=10)
    # No sshd is above it.
    program = subprocess.Popen(
        ["sh", "-c", f"{runs.lock}\necho done"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if waits:
        with pytest.raises(subprocess.TimeoutExpired):
            program.communicate(timeout=0.5)
    else:
        assert program.communicate(timeout=10)[0] == "done\n"
    for each in (alice, bob):
        runs.hang_up(each)
    if waits:
        assert program.communicate(timeout=10)[0] == "done\n"


def test_a_run_holds_a_server_until_its_connection_ends(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    alice, bob = runs.connect(), runs.connect()
    assert [runs.change(alice, "alice") for _ in range(2)] == ["done", "done"]
    refusal = runs.change(bob, "bob")
    assert refusal.startswith("Another run is at work on this server: alice, since 2")
    assert f"kill {alice.pid}" in refusal
    runs.hang_up(alice)
    assert runs.change(bob, "bob") == "done"
    runs.hang_up(bob)


def test_what_waited_for_the_lock_while_its_run_died_changes_nothing_and_holds_no_server(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    alice, bob = runs.connect(), runs.connect()
    with open(tmp_path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert alice.stdin
        alice.stdin.write(f"sh -c {shlex.quote(f'{runs.lock}: >{tmp_path}/changed')} & echo $! >{tmp_path}/waits\n")
        alice.stdin.flush()
        wait_until("it waits", lambda: waits_for(tmp_path / "waits", "flock"), timeout=10)
        alice.kill()
        alice.wait()
    assert runs.change(bob, "bob") == "done"
    assert not (tmp_path / "changed").exists()
    runs.hang_up(bob)


def waits_for(number: Path, child: str) -> bool:
    """Whether the process of this number waits for a child of this name."""
    if not number.exists() or not (parent := number.read_text().strip()):
        return False
    command = ["ps", "--no-headers", "-o", "comm", "--ppid", parent]
    return child in subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_a_run_that_died_as_its_script_began_holds_no_server(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    alice, bob = runs.connect(), runs.connect()
    lock = runs.lock
    # The script found the connection's process, which was gone when it asked for its beginning.
    runs.lock = lock.replace("\nconnection=$$\n", "\nbegan() { :; }\nconnection=$$\n")
    assert runs.change(alice, "alice").startswith("The connection of this run ended")
    (tmp_path / "run").write_text(f"{alice.pid} \nalice, since then\n")
    runs.hang_up(alice)
    runs.lock = lock
    assert runs.change(bob, "bob") == "done"
    runs.hang_up(bob)


def test_chores_make_room_for_a_run_that_waits_and_for_nobody_else(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    chores = tmp_path / "chores"
    alice = runs.connect()
    assert runs.change(alice, "alice") == "done" and not chores.exists()
    runs.hang_up(alice)
    bob = runs.connect()
    assert bob.stdin
    with open(tmp_path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # A program of the server: no sshd is above it.
        program = subprocess.Popen(["sh", "-c", f"{runs.lock}: >{tmp_path}/changed"])
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(timeout=0.5)
        assert not chores.exists()
        bob.stdin.write(f"sh -c {shlex.quote(runs.lock)} &\n")
        bob.stdin.flush()
        wait_until("they are stopped", chores.exists, timeout=10)
    assert program.wait(timeout=30) == 0
    runs.hang_up(bob)


def test_who_waits_for_the_server_itself_is_told_so(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    alice = runs.connect()
    assert runs.change(alice, "alice") == "done"
    with open(tmp_path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert alice.stdin and alice.stdout
        alice.stdin.write(f"sh -c {shlex.quote(f'{runs.lock}echo done')} 2>&1\n")
        alice.stdin.flush()
        assert alice.stdout.readline() == (
            "mstdn:waits The server is at work by itself: mstdn-backup.service. This goes on when that is done, "
            "or gives up after 15 minutes.\n"
        )
    assert alice.stdout.readline() == "done\n"
    runs.hang_up(alice)


def test_a_connection_that_died_unnoticed_holds_a_server_for_a_while_only(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    alice, bob = runs.connect(), runs.connect()
    assert runs.change(alice, "alice") == "done"
    long_ago = time.time() - 16 * 60
    os.utime(tmp_path / "run", (long_ago, long_ago))
    assert runs.change(bob, "bob") == "done"
    assert "bob" in runs.change(alice, "alice")
    for each in (alice, bob):
        runs.hang_up(each)


def test_what_root_has_set_for_all_of_his_commands_leads_compose_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"):
        monkeypatch.setenv(name, "other")
    found = subprocess.run(
        ["sh", "-c", (SCRIPTS / "connection.sh").read_text() + "env"], capture_output=True, text=True, check=True
    )
    assert "COMPOSE_" not in found.stdout


def test_who_works_is_told_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["pyinfra", "inventory.py", "deploy.py", "--data", "smtp_login=secret"]
    monkeypatch.setattr("sys.argv", arguments)
    who_works.cache_clear()
    assert re.fullmatch(r"\S+@\S+ with deploy\.py of the suite [\d.]+.*", who_works())
    who_works.cache_clear()


def test_what_is_written_does_not_depend_on_the_servers_umask(tmp_path: Path) -> None:
    prelude = LOCK.replace("/run/mstdn.lock", str(tmp_path / "lock"))
    subprocess.run(["sh", "-ec", f"umask 077\n{prelude}\n: >{tmp_path}/file"], check=True)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


# --- Questions to a bare server -----------------------------------------------------------------

QUESTIONS: list[Question[Any]] = [
    AccountState.of("no-such-project", "alice", ""),
    InTheWay.of([NOWHERE], [NOWHERE, f"{NOWHERE}/"]),
    OldInstance.of("", NOWHERE, ["social.example.org"]),
    MachineState.of(NOWHERE, NOWHERE, [NOWHERE]),
    PartStates.of("no-such-project"),
    SenderRecords.of([]),
    AppliedProject.of(NOWHERE, [NOWHERE], [NOWHERE]),
    BackupState.of_the_server(),
    UpdateState.of_the_server(),
    AptSources.naming("nowhere.example.org", NOWHERE),
    CertificateStates.of(NOWHERE, "", ["social.example.org"]),
    CompanionLog.last_lines(),
    Containers.all(),
    DockerHost.of(NOWHERE, ["no-such-package"]),
    DockerNetworks.named(["no-such-network"]),
    EngineSetup.of(NOWHERE, ["no-such-user"]),
    FileStates.of([NOWHERE]),
    FirewallWays.of(["no-such-network"]),
    GitCheckout.of(NOWHERE, "v4.7.60"),
    ImageStates.of(["no-such-image:1"]),
    Images.all(),
    Installed.of(NOWHERE, NOWHERE),
    KernelSetting.of("vm.overcommit_memory", NOWHERE),
    OldScratch.under(NOWHERE, 1440),
    FirewallSetup.of_the_server(),
    PacketFilter.of_the_server(),
    Places.of(NOWHERE, NOWHERE, NOWHERE, "social.example.org", [NOWHERE]),
    PublishedAssets.under(NOWHERE),
    RecordedImages.of(NOWHERE),
    StoresAtWork.of("no-such-project"),
    DatabaseDumps.under(NOWHERE, size=True),
    DuplicateAccounts.of("no-such-project"),
    DataDirectories.under(NOWHERE, size=True),
    FilesThere.of(NOWHERE, [NOWHERE]),
    NetworksThere.all(),
    MonitoringRole.of("no-such-project", NOWHERE),
    SecretStates.of(NOWHERE, NOWHERE),
    Server.of("/nonexistent/mastodon", "/nonexistent/proxy", "/nonexistent/swap", "", []),
    ServerSize.of_the_server(),
    Settled.of("no-such-project", 1),
    SourceTree.of(NOWHERE),
    Strangers.of([ConfigDirectory(NOWHERE, rights="0604")]),
    SwapState.of(NOWHERE),
    Units.of(["mstdn-nowhere.timer"]),
    WrittenFiles.of(NOWHERE, "mark"),
    WayBack.of("latest", NOWHERE, "/srv/backups"),
    WayOut.of("no-such-project", "https://example.invalid/"),
]


@pytest.fixture(name="programs", scope="module")
def _programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of this machine's programs, but no engine."""
    programs = tmp_path_factory.mktemp("programs")
    for directory in reversed(os.environ["PATH"].split(":")):
        for program in Path(directory).iterdir() if Path(directory).is_dir() else ():
            (programs / program.name).unlink(missing_ok=True)
            (programs / program.name).symlink_to(program)
    for program in programs.glob("docker*"):
        program.unlink()
    return programs


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each.fact.__name__)
def test_a_question_to_a_server_that_has_nothing_is_answered_without_an_error(
    question: Question[Any], programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(programs))
    # "Could not look" is an answer too.
    with suppress(CouldNotLook):
        answer_of(question)


def test_every_fact_of_the_suite_is_asked_on_a_bare_server() -> None:
    facts = {each for each in all_facts() if each.__module__.startswith("mstdn.")}
    assert facts == {question.fact for question in QUESTIONS}


# --- Every script -------------------------------------------------------------------------------


def test_every_script_that_can_change_something_has_a_fast_test_of_its_own() -> None:
    facts = {question.fact for question in QUESTIONS}
    asking = {name for fact in facts for name in (fact.script, *fact.before, *fact.shared)}
    scripts = {str(path.relative_to(SCRIPTS).with_suffix("")) for path in SCRIPTS.rglob("*.sh")}
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "unit").rglob("test_*.py"))
    # These go before others, or run inside of a container for another: lock.sh is tested above, the others with each
    # script that they go before.
    before = {
        "connection",
        "lock",
        "backup/repository",
        "alerts/begin",
        "alerts/ways",
        "docker/light",
        "docker/container",
        "mail/as_mastodon",
        "timers/ended",
        "timers/growth",
        "timers/watch",
    }
    changing = scripts - asking - before - {"mail/go_out"}
    assert len(changing) > 20
    assert {name for name in changing if not re.search(rf'run_script\(\s*"{name}"', tests)} - {
        # Their tests name them in a table.
        *(name for name in changing if f'"{name}", "' in tests),
    } == set()
