"""
What to tell the operator when the way to the server is closed: what is wrong, then what to type. Pure.

Everything here is made from the words and exceptions of SSH, the login shell and sudo after they failed, so that a
server on which everything is in order is never asked about its rights.
"""

from __future__ import annotations

import errno
import re
import shlex
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from paramiko import AuthenticationException, BadHostKeyException, PasswordRequiredException, SSHException
from paramiko.ssh_exception import NoValidConnectionsError

# More would not be a sentence.
QUOTED_CHARACTERS = 200


@dataclass(frozen=True)
class Door:
    """
    Where the operator logs in. host: its name in inventory.py. user, key (a file): "" if none is named.

    by_way_of: what ~/.ssh/config puts in between ("ProxyJump gate"), or "".
    """

    host: str
    address: str
    port: int = 22
    user: str = ""
    key: str = ""
    by_way_of: str = ""

    @property
    def ssh(self) -> str:
        """The command with which to try the same by hand."""
        port = [] if self.port == 22 else [f"-p {self.port}"]
        key = [f"-i {shlex.quote(self.key)}"] if self.key else []
        return " ".join(["ssh", *port, *key, f"{self.user}@{self.address}" if self.user else self.address])

    @property
    def login(self) -> str:
        return self.user or "the user that you log in as"


# --- Before there is a connection ----------------------------------------------------------------


def no_connection(door: Door, error: BaseException, server_says: str = "") -> str:
    """Why there is no connection. error: what paramiko or the system raised. server_says: its banner, or ""."""
    if isinstance(error, NoValidConnectionsError):  # one for each address of the name
        error = next(iter(error.errors.values()))
    words = _quoted(str(error) or type(error).__name__)
    between = f" (by way of {door.by_way_of})" if door.by_way_of else ""
    where = f"{door.address} port {door.port}{between}"
    if isinstance(error, BadHostKeyException):
        return (
            f"The host key of {door.address} is not the one in known_hosts. If the server was installed anew, forget "
            f"the old key with: ssh-keygen -R {_known_as(door)}. If not, somebody may be listening: go no further."
        )
    if isinstance(error, PasswordRequiredException) or "is encrypted" in str(error):
        return (
            f"The key for {door.address} has a passphrase, and there is neither an agent that holds it nor a terminal "
            f"to ask for it at. Type ssh-add {door.key or 'FILE'}, leave ssh_key out of inventory.py, and run again."
        )
    if "private key file" in str(error):
        return f"Your key cannot be used: {words}. Correct ssh_key in inventory.py."
    if isinstance(error, AuthenticationException):
        says = f" It says {_quoted(server_says)}." if server_says else ""
        kinds = getattr(error, "allowed_types", [])
        accepts = f" It accepts: {', '.join(kinds)}." if kinds else ""
        return (
            f"{door.address}{between} does not let {door.login} in.{says}{accepts} Try: {door.ssh}. When that works, "
            "set the same ssh_user and ssh_key beside the host in inventory.py."
        )
    if _is_known_hosts(error):
        directory = Path(str(getattr(error, "filename", ""))).parent
        return f"Your known_hosts cannot be written: {words}. Make its directory: mkdir -m 700 -p {directory}"
    if "EOF when reading" in str(error) or "No host key for" in str(error):
        return f"The host key of {door.address} is not known yet. Connect once by hand, and compare it: {door.ssh}"
    if between:
        return f"There is no way to {where}: {words}. Correct ~/.ssh/config. Try: {door.ssh}"
    if isinstance(error, socket.gaierror):
        return (
            f"The name {door.address} does not resolve: {words}. Correct the host in inventory.py, or give its "
            "address beside it as ssh_hostname."
        )
    if isinstance(error, ConnectionRefusedError):
        return (
            f"Nothing listens at {where}. Correct ssh_port in inventory.py, or start sshd on the server, by way of "
            "your provider's console."
        )
    if isinstance(error, TimeoutError) or getattr(error, "errno", None) in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return (
            f"{where} does not answer: {words}. Look whether the server runs and its provider's firewall lets you in. "
            f"Try: {door.ssh}"
        )
    if isinstance(error, EOFError | SSHException | ConnectionResetError):
        return (
            f"SSH at {where} broke off before you were logged in: {words}. Try: {door.ssh}. Many failed tries may "
            "have locked you out for a while (fail2ban, PerSourcePenalties), or another program listens at this port."
        )
    return f"There is no way to {where}: {words}. Try: {door.ssh}"


def _is_known_hosts(error: BaseException) -> bool:
    return isinstance(error, OSError) and "known_hosts" in str(error.filename)


def lost(door: Door, *, silent: bool) -> str:
    """The connection is gone. silent: nobody ended it, answers stopped."""
    how = "has not answered for a minute" if silent else "ended the connection"
    return (
        f"{door.host} {how}. Run the same command again: it waits for what the server may still be doing, and goes on "
        "from there."
    )


def no_session(door: Door, words: str) -> str:
    """sshd let the operator in and refuses to open a session, or another one beside it."""
    return (
        f"sshd on {door.host} lets {door.login} in but opens no session ({words}). In /etc/ssh/sshd_config (or "
        "sshd_config.d) there, MaxSessions has to be at least 1, and more with agent forwarding: correct it, then "
        "systemctl reload ssh."
    )


def no_command(door: Door, words: str) -> str:
    """sshd opened a session and refuses to run a command in it."""
    return f"sshd on {door.host} runs no commands for {door.login} ({words}). {_another_user(door)}"


# --- Before our command runs ---------------------------------------------------------------------


def shell_refuses(door: Door, said: Iterable[str], code: int) -> str:
    """The login shell did not run the command. said: what it printed instead. code: its exit code."""
    text = " ".join(said)
    if re.search(r"password.*(expired|change required)|change your password", text, re.IGNORECASE):
        return (
            f"The password of {door.login} on {door.host} has expired, and until it is changed no command is run. "
            f"Change it: {door.ssh}"
        )
    if other := re.search(r"log ?in as the user \"?([\w-]+)", text):
        return (
            f"{door.host} is not to be reached as {door.login}, but as {other[1]}: set ssh_user to "
            f'"{other[1]}" beside the host in inventory.py.'
        )
    words = f"wrote {_quoted(text)}" if text.strip() else "wrote nothing"
    return (
        f"The login shell of {door.login} on {door.host} did not run our command: it {words} and ended with {code}. "
        "Correct what ends it in its start-up files (exit or exec in ~/.bashrc), give the user an ordinary shell (as "
        f"root there: chsh -s /bin/bash {door.user or 'USER'}), or take the ForceCommand out of sshd_config."
    )


def stdin_was_read(door: Door) -> str:
    """A start-up file of the login shell read our standard input."""
    return (
        f"A start-up file of {door.login}'s login shell on {door.host} (such as ~/.bashrc) reads standard input, "
        "where our data travel. Have it do so only in interactive shells."
    )


def sudo_refuses(door: Door, said: Iterable[str]) -> str:
    """The command was not run as root. said: what sudo, or the shell before it, printed."""
    text = " ".join(said)
    user = door.user or "USER"
    # sudo skips files with a dot in their name.
    file = f"/etc/sudoers.d/{user.replace('.', '-')}"
    rule = f"echo '{user} ALL=(ALL) NOPASSWD: ALL' >{file}"
    if re.search(r"sudo: (command )?not found|sudo: No such file|Unknown command:? sudo", text, re.IGNORECASE):
        return (
            f"There is no sudo on {door.host}, and {door.login} is not root. As root there: apt-get install sudo, "
            f"then {rule}. Or log in as root: ssh_user in inventory.py."
        )
    if "syntax error" in text:
        return f"The sudoers files on {door.host} have a mistake. As root there: visudo -c"
    if re.search(r"must have a tty|no tty present|a terminal is required", text):
        return (
            f"sudo on {door.host} wants a terminal (requiretty). As root there: "
            f"echo 'Defaults:{user} !requiretty' >{file}-without-a-terminal"
        )
    if "askpass" in text:
        return no_helper_for_sudo(door, text)
    if re.search(r"password is required|authentication is required", text):
        return (
            f"sudo on {door.host} wants a password from {door.login}, and there is no terminal to ask for it at. "
            f"Run it in one, or, as root there: {rule}"
        )
    if re.search(r"Sorry, try again|incorrect password|[Aa]uthentication failed|no password was provided", text):
        return f"sudo on {door.host} did not accept that password. Run again, or, as root there: {rule}"
    if re.search(r"not in the sudoers|not allowed to (execute|run)|may not run sudo|I'm afraid I can't", text):
        return f"{door.login} may not use sudo on {door.host}. As root there: {rule}"
    words = f"wrote {_quoted(text)}" if text.strip() else "wrote nothing"
    return (
        f"Commands cannot be run as root on {door.host}: sudo {words}. Try: {door.ssh} sudo -n true. When that works "
        "without a question, run again."
    )


def no_helper_for_sudo(door: Door, words: str) -> str:
    """pyinfra hands sudo its password through a small script in the server's /tmp, which could not be written."""
    return (
        f"sudo on {door.host} cannot be given its password ({_quoted(words)}): /tmp there has to be writable. Or let "
        f"{door.login} use sudo without one."
    )


def _another_user(door: Door) -> str:
    return f"Try: {door.ssh} true. Log in as somebody else (ssh_user in inventory.py), or correct sshd_config there."


def _known_as(door: Door) -> str:
    return door.address if door.port == 22 else f"'[{door.address}]:{door.port}'"


def _quoted(text: str) -> str:
    """In quotes, on one line, without what is no character, and not for ever."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return f'"{line if len(line) <= QUOTED_CHARACTERS else "…" + line[-QUOTED_CHARACTERS:]}"'
