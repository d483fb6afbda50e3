"""
The way in: each login shell, sudo and sshd that a server may have is got through, or refused in words that help.

Every row is a server as it is found somewhere. What a row does is undone after it, and a plain run follows the last.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests import forked
from tests.e2e import reliability
from tests.lab import addresses
from tests.lab.addresses import REPOSITORY
from tests.lab.world import IMPORTED, World

NOBODY, GATEWAY = addresses.NOBODY.ipv4, addresses.GATEWAY.ipv4
FILES = ("tasks/preflight.py", "tasks/swap.py", "tests/e2e/way_in_probe.py")
HOME = "/home/operator"
SUDOERS = "/etc/sudoers.d/operator"
SSHD = "/etc/ssh/sshd_config.d/way-in.conf"
# Put back by every row that touches them.
KEPT = f"/etc/passwd /etc/shadow {SUDOERS} /etc/sudo.conf"
WORKS = ""
ANSWER_SECONDS = 120
CRASH = ("Traceback", "pyinfra-debug.log", "Exception (client)", "could not load fact", "GetPassWarning")


@dataclass(frozen=True)
class Row:
    """
    there: what is there, for the reader. says: words of the refusal, or WORKS.

    prepare and undo: run by root on the server. data: settings of this run, such as ssh_user. config: ~/.ssh/config.
    tried: settings of a run before this one, which does not get in.
    """

    there: str
    says: str = WORKS
    prepare: str = ":"
    undo: str = ":"
    data: Mapping[str, str] = field(default_factory=dict)
    config: str = ""
    more: str = ""
    tried: Mapping[str, str] = field(default_factory=dict)


def startup(there: str, shell: str, file: str, text: str, says: str = WORKS) -> Row:
    """A login shell with a start-up file; `text` goes before what the file has."""
    install = f"command -v {shell} >/dev/null || apt-get install --yes --no-install-recommends {shell} >/dev/null 2>&1"
    put = (
        f"{install}; chsh -s $(command -v {shell}) operator && install -d -o operator $(dirname {HOME}/{file})"
        f" && touch {HOME}/{file} && cp {HOME}/{file} /run/kept"
        f" && cat - /run/kept >{HOME}/{file} <<'END'\n{text}\nEND\n"
    )
    return Row(there, says, put, f"cp /run/kept {HOME}/{file}")


def login_shell(shell: str) -> Row:
    install = f"apt-get install --yes --no-install-recommends {shell} >/dev/null 2>&1"
    return Row(
        f"login shell {shell}", WORKS, f"command -v {shell} || {install}; chsh -s $(command -v {shell}) operator"
    )


def sudo(there: str, sudoers: str, says: str = WORKS) -> Row:
    return Row(there, says, f"cat >{SUDOERS} <<'END'\n{sudoers}\nEND\n")


def sshd(there: str, line: str, says: str = WORKS) -> Row:
    reload = "systemctl reload ssh"
    return Row(there, says, f"echo '{line}' >{SSHD} && {reload}", f"rm {SSHD} && {reload}")


ROOT_MAY_COME = (
    f"install -d -m 0700 /root/.ssh && cp {HOME}/.ssh/authorized_keys /root/.ssh/ && chown -R root: /root/.ssh"
)
NO_SUDO = "mv /usr/bin/sudo /usr/bin/sudo.away"
SUDO_RS = (
    "command -v sudo-rs || apt-get install --yes --no-install-recommends sudo-rs >/dev/null 2>&1;"
    f" {NO_SUDO}; ln -s $(command -v sudo-rs) /usr/bin/sudo"
)
SUDO_AGAIN = "mv /usr/bin/sudo.away /usr/bin/sudo"

ROWS = [
    # --- Login shells
    Row("login shell bash"),
    login_shell("dash"),
    login_shell("zsh"),
    login_shell("fish"),
    login_shell("tcsh"),
    startup("bash that greets", "bash", ".bashrc", "echo; echo Welcome to $(hostname); echo On this server: >&2"),
    startup("bash with a prompt before its output", "bash", ".bashrc", "printf 'Which project? '"),
    startup("bash that prints 4 MB", "bash", ".bashrc", "head -c 3000000 /dev/zero | base64"),
    startup("bash that prints what is no text", "bash", ".bashrc", r"printf '\377\376 caf\351\n'"),
    startup("bash that says good-bye", "bash", ".bashrc", "trap 'echo good-bye; exit 3' EXIT"),
    startup("bash that traces what it does", "bash", ".bashrc", "set -x -v"),
    startup("bash with a PATH of its own", "bash", ".bashrc", "export PATH=/opt/bin"),
    startup("bash with an alias sh", "bash", ".bashrc", "shopt -s expand_aliases; alias sh='echo no'"),
    startup("zsh that greets", "zsh", ".zshenv", "print; print Welcome; alias sh='echo no'"),
    startup(
        "fish that greets and says good-bye",
        "fish",
        ".config/fish/config.fish",
        "echo Welcome\nfunction bye --on-event fish_exit\n  echo bye\nend",
    ),
    startup("tcsh that greets", "tcsh", ".tcshrc", "echo Welcome; set backslash_quote; set histchars='!^'"),
    startup(
        "a locale that does not exist", "bash", ".bashrc", "export LANG=xx_YY.UTF-8 LC_ALL=xx_YY.UTF-8 LANGUAGE=de"
    ),
    startup("bash that ends in .bashrc", "bash", ".bashrc", "exit", "login shell of operator"),
    startup("bash that becomes another shell", "bash", ".bashrc", "exec zsh", "login shell of operator"),
    startup("bash that reads standard input", "bash", ".bashrc", "read -r answer", "reads standard input"),
    Row("login shell /usr/sbin/nologin", "currently not available", "usermod -s /usr/sbin/nologin operator"),
    Row("login shell /bin/false", "wrote nothing and ended with 1", "usermod -s /bin/false operator"),
    Row("login shell that is not there", "does not let operator in", "usermod -s /bin/gone operator"),
    Row("login shell rbash", "restricted", "usermod -s /bin/rbash operator"),
    # --- root, and sudo
    Row("root, with sudo", data={"ssh_user": "root"}, prepare=ROOT_MAY_COME),
    Row("root, without sudo", WORKS, f"{ROOT_MAY_COME} && {NO_SUDO}", SUDO_AGAIN, {"ssh_user": "root"}),
    Row(
        "root by ~/.ssh/config, without sudo",
        WORKS,
        f"{ROOT_MAY_COME} && {NO_SUDO}",
        SUDO_AGAIN,
        config="Host {server}\n  User root\n",
    ),
    Row(
        "root of a cloud image, which sends one away",
        'set ssh_user to "debian"',
        f"install -d -m 0700 /root/.ssh && paste -d ' ' - {HOME}/.ssh/authorized_keys >/root/.ssh/authorized_keys"
        " <<'END'\n"
        + r"""command="echo 'Please login as the user \"debian\" rather than \"root\".';exit 142" """
        + "\nEND\n",
        data={"ssh_user": "root"},
    ),
    Row("no sudo, and not root", "apt-get install sudo", NO_SUDO, SUDO_AGAIN),
    Row("no sudo, not root, zsh", "apt-get install sudo", f"chsh -s /bin/zsh operator; {NO_SUDO}", SUDO_AGAIN),
    Row("no sudo, not root, fish", "apt-get install sudo", f"chsh -s /usr/bin/fish operator; {NO_SUDO}", SUDO_AGAIN),
    sudo("sudo with a password", "operator ALL=(ALL) ALL", "wants a password"),
    replace(
        startup("sudo with a password, in German", "bash", ".bashrc", "export LANG=de_DE.UTF-8", "wants a password"),
        more="apt-get install --yes --no-install-recommends locales >/dev/null 2>&1; "
        f"localedef -i de_DE -f UTF-8 de_DE.UTF-8; echo 'operator ALL=(ALL) ALL' >{SUDOERS}",
    ),
    sudo("sudo with a lecture each time", "Defaults lecture=always\noperator ALL=(ALL) NOPASSWD: ALL"),
    sudo("sudo with a lecture and a password", "Defaults lecture=always\noperator ALL=(ALL) ALL", "wants a password"),
    sudo("sudo with requiretty", "Defaults requiretty\noperator ALL=(ALL) NOPASSWD: ALL", "!requiretty"),
    sudo("sudo with use_pty", "Defaults use_pty\noperator ALL=(ALL) NOPASSWD: ALL"),
    Row("sudo-rs", WORKS, SUDO_RS, SUDO_AGAIN),
    Row(
        "sudo-rs with a password",
        "wants a password",
        f"{SUDO_RS}; echo 'operator ALL=(ALL) ALL' >{SUDOERS}",
        SUDO_AGAIN,
    ),
    Row("sudo-rs, not in sudoers", "NOPASSWD: ALL", f"{SUDO_RS}; echo 'nobody ALL=(ALL) ALL' >{SUDOERS}", SUDO_AGAIN),
    sudo("not in sudoers", "nobody ALL=(ALL) ALL", "NOPASSWD: ALL"),
    sudo("sudo for some commands only", "operator ALL=(ALL) NOPASSWD: /usr/bin/apt-get", "NOPASSWD: ALL"),
    sudo("sudoers with a mistake", "operator ALL=(ALL NOPASSWD: ALL", "visudo -c"),
    Row("sudo that is not setuid", "cannot be run as root", "chmod u-s /usr/bin/sudo", "chmod u+s /usr/bin/sudo"),
    Row("sudo that cannot resolve its host name", WORKS, "hostname nowhere-to-be-found", "hostname server"),
    # --- sshd
    sshd("one session at a time", "MaxSessions 1"),
    sshd("no sessions", "MaxSessions 0", "MaxSessions"),
    sshd("only sftp", "ForceCommand internal-sftp", "ForceCommand"),
    sshd("a forced greeting", "ForceCommand echo This server is for backups only", "for backups only"),
    sshd("a banner", "Banner /etc/issue.net"),
    sshd(
        "no forwarding, no terminal, no environment", "DisableForwarding yes\\nPermitTTY no\\nPermitUserEnvironment no"
    ),
    # Not who leaves at once: the runs of other tests ask this server whether it answers, from the same address.
    replace(
        sshd("a lock-out after failed tries", "PerSourcePenalties min:0s authfail:60s noauth:0s", "locked you out"),
        tried={"ssh_key": "{wrong}"},
    ),
    sshd("another user only", "AllowUsers root", "does not let operator in"),
    Row(
        "no sftp",
        WORKS,
        "sed -i.kept '/^Subsystem/d' /etc/ssh/sshd_config && systemctl reload ssh",
        "mv /etc/ssh/sshd_config.kept /etc/ssh/sshd_config && systemctl reload ssh",
    ),
    Row("maintenance: /etc/nologin", "back at noon", "echo back at noon >/etc/nologin", "rm /etc/nologin"),
    Row(
        "an expired password",
        "has expired",
        "echo operator:x | chpasswd && chage -d 0 operator",
        "chage -d -1 operator; passwd -dl operator",
    ),
    Row("an expired account", "does not let operator in", "chage -E 1 operator", "chage -E -1 operator"),
    Row("a wrong user", "does not let nobody-here in", data={"ssh_user": "nobody-here"}),
    Row("a wrong key", "does not let operator in", data={"ssh_key": "{wrong}"}),
    Row("a key that is not there", "ssh_key", data={"ssh_key": "/nowhere/key"}),
    Row("a key with a passphrase, no agent", "ssh-add", data={"ssh_key": "{locked}"}),
    Row("a changed host key", "ssh-keygen -R", data={"ssh_known_hosts_file": "{other_hosts}"}),
    Row("no known_hosts and no ~/.ssh", "mkdir -m 700", data={"ssh_known_hosts_file": "{nowhere}/.ssh/known_hosts"}),
    Row(
        "an unknown host key, and nobody to ask",
        "is not known yet",
        data={"ssh_known_hosts_file": "{nobody}", "ssh_strict_host_key_checking": "ask"},
    ),
    Row("a closed port", "Nothing listens", data={"ssh_port": "2222"}),
    Row("a name that does not resolve", "does not resolve", data={"ssh_hostname": "no.such.name.invalid"}),
    Row("an address without a machine", NOBODY, data={"ssh_hostname": NOBODY}),
    Row(
        "a port of something else",
        "broke off",
        "systemd-run -q --unit=other systemd-socket-activate -a -l 2200 cat",
        "systemctl stop other",
        {"ssh_port": "2200"},
    ),
    Row("a jump host", WORKS, config="Host {server}\n  ProxyJump gate\n{gate}"),
    Row("a jump host that is away", "ProxyJump", config="Host {server}\n  ProxyJump operator@127.0.0.1:9\n"),
    Row(
        "a proxy command that is not installed",
        "ProxyCommand",
        config="Host {server}\n  ProxyCommand no-such-program %h\n",
    ),
    # --- Disks
    Row(
        "a home that is not there",
        WORKS,
        f"cp {HOME}/.ssh/authorized_keys /etc/ssh/keys && chown root: /etc/ssh/keys && chmod 644 /etc/ssh/keys"
        f" && echo 'AuthorizedKeysFile /etc/ssh/keys' >{SSHD} && systemctl reload ssh && mv {HOME} {HOME}.away",
        f"mv {HOME}.away {HOME}; rm {SSHD} && systemctl reload ssh",
    ),
    Row("a read-only /tmp", WORKS, "mount -o remount,ro /tmp", "mount -o remount,rw /tmp"),
    Row(
        "a full home",
        WORKS,
        f"mkdir /run/full && mount -t tmpfs -o size=1m full /run/full && cp -a {HOME}/. /run/full/"
        f" && mount --move /run/full {HOME} && head -c 2m /dev/zero >{HOME}/filler 2>/dev/null; :",
        f"umount {HOME}",
    ),
]


class Operator:
    """Whoever types pyinfra, on this machine, without a terminal, and with a home of his own."""

    def __init__(self, world: World, home: Path) -> None:
        self.world, self.home = world, home
        self.server = addresses.SERVERS[world.name].ipv4
        (home / ".ssh").mkdir(mode=0o700)
        for name, phrase in (("wrong", ""), ("locked", "secret")):
            subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", phrase, "-f", home / name], check=True)
        (home / "nobody").touch()
        (home / "other_hosts").write_text(f"{self.server} " + (home / "wrong.pub").read_text())
        # The lab's inventory names the user; some rows leave that to ~/.ssh/config.
        (home / "inventory.py").write_text(
            "import runpy\nlab = [(name, {key: value for key, value in data.items() if key != 'ssh_user'})\n"
            f"       for name, data in runpy.run_path('{REPOSITORY}/tests/lab/inventory.py')['lab']]\n"
        )

    def words(self) -> dict[str, str]:
        gate = (
            f"Host gate\n  HostName {self.server}\n  User operator\n  IdentityFile {addresses.STATE / 'operator'}\n"
            f"  UserKnownHostsFile {addresses.STATE / 'known_hosts'}\n"
        )
        home = self.home
        return {
            "server": self.server,
            "wrong": f"{home}/wrong",
            "locked": f"{home}/locked",
            "other_hosts": f"{home}/other_hosts",
            "nowhere": f"{home}/nowhere",
            "nobody": f"{home}/nobody",
            "gate": gate,
        }

    def arguments(self, *files: str, data: Mapping[str, str] | None = None, config: str = "") -> list[str]:
        """Of pyinfra --yes, for FILES or others."""
        (self.home / ".ssh/config").write_text(config.format_map(self.words()))
        settings = [f"--data={name}={value.format_map(self.words())}" for name, value in (data or {}).items()]
        inventory = str(self.home / "inventory.py") if config else "tests/lab/inventory.py"
        if config and "User" not in config:
            settings.append("--data=ssh_user=operator")
        return [f"--limit={self.world.name}", "--yes", *settings, inventory, *(files or FILES)]

    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in self.world.environment().items() if name != "SSH_AUTH_SOCK"}
        return {**ours, "HOME": str(self.home)}

    def runs(self, *files: str, data: Mapping[str, str] | None = None, config: str = "") -> CompletedProcess[str]:
        return self.types(self.arguments(*files, data=data, config=config))

    def types(self, arguments: list[str]) -> CompletedProcess[str]:
        surroundings = forked.Surroundings(IMPORTED, REPOSITORY, self.environment(), ANSWER_SECONDS)
        return forked.pyinfra(arguments, surroundings)


def at_a_terminal(arguments: list[str], environment: dict[str, str], answers: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and everything shown, when each question (the end of it) is answered."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--wait", "--ctty", str(Path(sys.executable).parent / "pyinfra"), *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        cwd=REPOSITORY,
    )
    os.close(theirs)
    shown, heard = "", 0
    while True:
        try:
            piece = os.read(ours, 4096).decode(errors="replace")
        except OSError:  # how Linux tells that nobody has the terminal open any more
            break
        shown += piece
        for question, answer in answers.items():
            if question in shown[heard:]:
                heard = len(shown)
                os.write(ours, answer.encode())
    os.close(ours)
    return process.wait(ANSWER_SECONDS), shown


@pytest.fixture(name="operator", scope="module")
def _operator(world: World, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    world.reset()
    # Rows that fail to log in would otherwise lock the next ones out (OpenSSH 9.8 and later).
    world.server.run("echo PerSourcePenalties no >/etc/ssh/sshd_config.d/no-penalties.conf; systemctl reload ssh")
    world.server.run("apt-get update")
    operator = Operator(world, tmp_path_factory.mktemp("operator"))
    first = operator.runs()
    assert first.returncode == 0, first.stderr
    return operator


@contextmanager
def found(world: World, row: Row) -> Iterator[None]:
    """A server as the row finds it."""
    keep = f"for file in {KEPT}; do [ ! -e $file ] || cp -p $file $file.kept; done"
    back = f"for file in {KEPT}; do [ ! -e $file.kept ] || mv $file.kept $file; done"
    world.server.run(keep)
    try:
        world.server.run(row.prepare + ("\n" + row.more if row.more else ""))
        yield
    finally:
        world.server.run(f"{row.undo}\n{back}")


def what_happened(answer: CompletedProcess[str], home: Path) -> str:
    """
    "works", or the refusal as it was told: what docs/reliability.md has in its last column.

    Without the places of this machine. home: of the operator.
    """
    if answer.returncode == 0:
        return "works"
    told = re.search(r"Nothing was changed\. (.*)", answer.stderr)
    text = told[1].strip() if told else answer.stderr
    return text.replace(f"{REPOSITORY}/", "").replace(str(home), "~")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Without --all-rows every third: they stand in groups, so that is some of each."""
    if "row" in metafunc.fixturenames:
        rows = ROWS if metafunc.config.getoption("--all-rows") else reliability.of_part(ROWS, "1/3")
        metafunc.parametrize("row", rows, ids=[row.there for row in rows])


@pytest.fixture(name="results", scope="module")
def _results() -> Iterator[dict[str, reliability.Row]]:
    """What each row came to; all of them together are a table of docs/reliability.md."""
    rows: dict[str, reliability.Row] = {}
    yield rows
    reliability.record("way in", [row.there for row in ROWS], list(rows.values()), ("The way in", "What a run does"))


def test_the_way_in(operator: Operator, row: Row, results: dict[str, reliability.Row]) -> None:
    results[row.there] = reliability.Row(row.there, "", holds=False)
    with found(operator.world, row):
        if row.tried:
            assert "does not let operator in" in operator.runs(data=row.tried).stderr
        answer = operator.runs(data=row.data, config=row.config)
    said = answer.stdout + answer.stderr
    results[row.there] = reliability.Row(row.there, what_happened(answer, operator.home), holds=False)
    outcomes = re.findall(rf"\[{operator.world.name}\] +(Success|No changes)", said)
    assert not [word for word in CRASH if word in said], said
    assert answer.returncode == (0 if row.says == WORKS else 1), said
    assert row.says in said
    if row.says == WORKS:
        assert "mstdn:" not in said and outcomes == ["No changes", "No changes", "Success", "Success"], said
    else:
        assert "Nothing was changed" in said and "Success" not in outcomes, said
    results[row.there] = replace(results[row.there], holds=True)


def test_a_refusal_comes_while_operations_run_too(operator: Operator) -> None:
    """With --yes, a task without questions of its own asks first when its operation runs."""
    with found(operator.world, sudo("", "operator ALL=(ALL) ALL")):
        answer = operator.runs("tasks/swap.py")
    assert answer.returncode == 1
    assert answer.stderr.count("wants a password") == 1
    assert "Traceback" not in answer.stderr


def test_a_password_for_sudo_is_asked_for_at_a_terminal(operator: Operator) -> None:
    with found(
        operator.world,
        Row("", prepare=f"echo 'operator:Pass word' | chpasswd; echo 'operator ALL=(ALL) ALL' >{SUDOERS}"),
    ):
        code, said = at_a_terminal(operator.arguments(), operator.environment(), {"sudo password:": "Pass word\n"})
    assert code == 0, said
    assert said.count("sudo password:") == 1


def test_a_wrong_password_for_sudo_is_refused(operator: Operator) -> None:
    with found(
        operator.world,
        Row("", prepare=f"echo 'operator:Pass word' | chpasswd; echo 'operator ALL=(ALL) ALL' >{SUDOERS}"),
    ):
        code, said = at_a_terminal(operator.arguments(), operator.environment(), {"sudo password:": "no\n"})
    assert code == 1
    assert "did not accept that password" in said and "Traceback" not in said


def test_without_a_terminal_and_without_yes_nothing_is_asked(operator: Operator) -> None:
    answer = operator.types([word for word in operator.arguments() if word != "--yes"])
    assert answer.returncode == 1
    assert "Add -y" in answer.stderr and "Traceback" not in answer.stderr


def test_a_connection_that_dies_in_silence_is_given_up_after_a_minute(operator: Operator, tmp_path: Path) -> None:
    deploy = tmp_path / "long.py"
    deploy.write_text(
        "from pyinfra.operations import server\n"
        f"server.shell(name='Work', commands=['ip route add blackhole {GATEWAY} && sleep 300'])\n"
        "server.shell(name='Never', commands=['touch /run/never'])\n"
    )
    started = time.monotonic()
    try:
        answer = operator.runs(str(deploy))
    finally:
        operator.world.server.run(f"ip route del blackhole {GATEWAY}; pkill -x sleep", check=False)
    assert answer.returncode == 1
    assert answer.stderr.count("has not answered for a minute") == 1
    assert "Traceback" not in answer.stderr
    assert time.monotonic() - started < 90
    assert operator.world.server.run("test -e /run/never", check=False).returncode != 0


def test_a_connection_that_the_server_ends_is_told(operator: Operator, tmp_path: Path) -> None:
    deploy = tmp_path / "cut.py"
    deploy.write_text(
        "from pyinfra.operations import server\n"
        "server.shell(name='Work', commands=['pkill -KILL -x -u operator sshd-session'])\n"
    )
    answer = operator.runs(str(deploy))
    assert answer.returncode == 1
    ended = f"{operator.world.name} ended the connection. Run the same command again"
    assert answer.stderr.count(ended) == 1
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("words", [("fact", "server.Hostname"), ("exec", "--", "true")], ids=["fact", "exec"])
def test_pyinfras_other_commands_refuse_in_words_too(operator: Operator, words: tuple[str, ...]) -> None:
    with found(operator.world, sudo("", "operator ALL=(ALL) ALL")):
        answer = operator.runs(*words)
    assert answer.stderr.count("wants a password") == 1
    assert "Traceback" not in answer.stderr


def test_a_terminal_can_be_had(operator: Operator, tmp_path: Path) -> None:
    deploy = tmp_path / "terminal.py"
    deploy.write_text(
        "from pyinfra import host\nfrom pyinfra.api.exceptions import DeployError\n"
        "from pyinfra.facts.server import Command\n"
        "found = host.get_fact(Command, 'tty >/dev/null && echo yes', _get_pty=True)\n"
        "if found.strip() != 'yes': raise DeployError(repr(found))\n"
    )
    answer = operator.runs(str(deploy))
    assert answer.returncode == 0, answer.stderr


def test_at_the_end_the_server_is_as_it_was(operator: Operator) -> None:
    assert operator.runs().returncode == 0
