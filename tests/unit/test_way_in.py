"""What the operator is told when the way to the server is closed: always what is wrong, then what to type."""

from __future__ import annotations

import socket

import pytest
from paramiko import (
    AuthenticationException,
    BadAuthenticationType,
    BadHostKeyException,
    PasswordRequiredException,
    PKey,
    SSHException,
)
from paramiko.ssh_exception import NoValidConnectionsError
from pyinfra.api.exceptions import PyinfraError

from mstdn import way_in
from mstdn.way_in import Door

DOOR = Door("server", "203.0.113.7", user="admin")
RULE = "echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin"


def test_the_command_to_try_is_the_one_for_this_door() -> None:
    assert DOOR.ssh == "ssh admin@203.0.113.7"
    assert Door("a", "b", 2222, "c", "/home/me/a key").ssh == "ssh -p 2222 -i '/home/me/a key' c@b"
    assert Door("a", "b").ssh == "ssh b"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BadHostKeyException("203.0.113.7", PKey(), PKey()), "ssh-keygen -R 203.0.113.7"),
        (PasswordRequiredException("Private key file is encrypted"), "ssh-add"),
        (PyinfraError("Private key file (k) is encrypted, set ssh_key_password to use this key"), "ssh-add"),
        (AuthenticationException("Authentication failed."), "does not let admin in. Try: ssh admin@203.0.113.7."),
        (socket.gaierror(-2, "Name or service not known"), "The name 203.0.113.7 does not resolve"),
        (ConnectionRefusedError(111, "Connection refused"), "Nothing listens at 203.0.113.7 port 22"),
        (
            NoValidConnectionsError({("203.0.113.7", 22): ConnectionRefusedError(111, "Connection refused")}),
            "Nothing listens at 203.0.113.7 port 22",
        ),
        (TimeoutError("timed out"), "203.0.113.7 port 22 does not answer"),
        (FileNotFoundError(2, "No such file or directory", "/h/.ssh/known_hosts"), "mkdir -m 700 -p /h/.ssh"),
        (EOFError("EOF when reading a line"), "The host key of 203.0.113.7 is not known yet"),
        (SSHException("StrictPolicy: No host key for h found in known_hosts"), "Connect once by hand"),
        (EOFError(), 'broke off before you were logged in: "EOFError"'),
        (SSHException("Error reading SSH protocol banner"), "PerSourcePenalties"),
        (OSError(113, "No route to host"), "203.0.113.7 port 22 does not answer"),
        (BadAuthenticationType("", ["publickey"]), "It accepts: publickey."),
        (PyinfraError("No such private key file: k"), "Correct ssh_key"),
        (ValueError("a bug of somebody"), '"a bug of somebody"'),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value[:20],
)
def test_no_connection(error: Exception, words: str) -> None:
    assert words in way_in.no_connection(DOOR, error)


def test_the_servers_own_words_are_passed_on() -> None:
    told = way_in.no_connection(DOOR, AuthenticationException(), "back at\r\n noon\x1b[1m\n")
    assert 'It says "back at noon [1m".' in told


def test_what_lies_between_is_named() -> None:
    door = Door("server", "203.0.113.7", by_way_of="ProxyJump gate")
    told = way_in.no_connection(door, ConnectionRefusedError())
    assert "(by way of ProxyJump gate)" in told and "Correct ~/.ssh/config" in told


def test_a_host_key_at_another_port_is_forgotten_by_the_name_it_is_known_by() -> None:
    error = BadHostKeyException("203.0.113.7", PKey(), PKey())
    assert "ssh-keygen -R '[203.0.113.7]:2222'" in way_in.no_connection(Door("a", "203.0.113.7", 2222), error)


def test_a_lost_connection() -> None:
    assert way_in.lost(DOOR, silent=True).startswith("server has not answered for a minute. Run the same command again")
    assert way_in.lost(DOOR, silent=False).startswith("server ended the connection.")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "This account is currently not available.",
            'wrote "This account is currently not available." and ended with 1',
        ),
        ("", "wrote nothing and ended with 1"),
        ('Please login as the user "debian" rather than the user "root".', 'set ssh_user to "debian"'),
        ("WARNING: Your password has expired.", "has expired"),
        ("Password change required but no TTY available.", "Change it: ssh admin@203.0.113.7"),
    ],
)
def test_a_login_shell_that_refuses(said: str, words: str) -> None:
    assert words in way_in.shell_refuses(DOOR, said.splitlines(), 1)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        # From sudo 1.9.16 and sudo-rs 0.2.5, and the shells before them.
        ("sh: 1: sudo: not found", "There is no sudo on server, and admin is not root."),
        ("bash: line 1: sudo: command not found", "There is no sudo"),
        ("sudo: a password is required", "wants a password"),
        ("sudo-rs: interactive authentication is required", "wants a password"),
        ("sudo: sorry, you must have a tty to run sudo", "echo 'Defaults:admin !requiretty' >/etc/sudoers.d/admin-"),
        ("sudo: no tty present and no askpass program specified", "requiretty"),
        ("sudo: no askpass program specified, try setting SUDO_ASKPASS", "/tmp there has to be writable"),
        ("Sorry, try again.\nsudo: 1 incorrect password attempt", "did not accept that password"),
        ("admin is not in the sudoers file.", "may not use sudo"),
        ("Sorry, user admin is not allowed to execute '/bin/sh' as root on server.", "may not use sudo"),
        ("sudo-rs: I'm sorry admin. I'm afraid I can't do that", "may not use sudo"),
        ("/etc/sudoers.d/admin:1:5: syntax error\nsudo: a password is required", "visudo -c"),
        ("sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set", "setuid bit set"),
        ("sudo: Account or password is expired, reset your password and try again", "Account or password is expired"),
        ("", "wrote nothing"),
    ],
)
def test_sudo_that_refuses(said: str, words: str) -> None:
    assert words in way_in.sudo_refuses(DOOR, said.splitlines())


@pytest.mark.parametrize(
    "said", ["sudo: not found", "sudo: a password is required", "admin is not in the sudoers file."]
)
def test_the_remedy_is_a_line_to_type(said: str) -> None:
    assert RULE in way_in.sudo_refuses(DOOR, [said])


def test_the_file_of_the_rule_is_one_that_sudo_reads() -> None:
    assert way_in.sudo_refuses(Door("a", "b", user="j.doe"), ["sudo: not found"]).count("/etc/sudoers.d/j-doe.") == 1


def test_a_sentence_stays_a_sentence() -> None:
    told = way_in.shell_refuses(DOOR, ["x" * 5000, "\0\x07", "the end"], 1)
    assert len(told) < 700 and "the end" in told and "\n" not in told
