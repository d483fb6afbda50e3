"""
How pyinfra talks to a server over SSH: through any login shell, as root with or without sudo, and never to the dead.

    keep_alive.py   what is done to a connection that stands
    login_shell.py  how a command gets through any login shell
    way_in.py       the sentences for whatever closes the way
"""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from paramiko import Channel, ChannelException, SSHException, Transport
from pyinfra import logger
from pyinfra.api import HiddenValue, Host, State, StringCommand
from pyinfra.api.exceptions import ConnectError, DeployError, PyinfraError
from pyinfra.api.output import echo
from pyinfra.api.state import StateStage
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.ssh_util import load_key_with_certificate
from pyinfra.connectors.sshuserclient.client import get_ssh_config
from pyinfra.connectors.util import (
    SUDO_ASKPASS_ENV_VAR,
    CommandOutput,
    OutputLine,
    execute_command_with_sudo_retry,
    extract_control_arguments,
    make_unix_command,
    make_unix_command_for_host,
    read_output_buffers,
    write_stdin,
)
from typing_extensions import override

from mstdn import login_shell, way_in
from mstdn.keep_alive import Watch, send_at_once
from mstdn.way_in import Door

# Seconds. How long sshd may take to notice that the session before has ended, where it allows one only.
SESSION_SECONDS = 5.0
# How long paramiko may take to notice that a connection has ended.
ENDING_SECONDS = 1.0
# What paramiko has instead of an exit code when none came: the command was killed, or the connection ended.
NO_STATUS = -1
NOTHING_WAS_CHANGED = "Nothing was changed. "


def there_is_a_terminal() -> bool:
    """Whether getpass has somebody to ask."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


class RefusedError(PyinfraError):
    """The server ran no command at all. The text is for the operator."""


@dataclass(frozen=True)
class Answer:
    """What came back of a command: its exit code and output; `refusal` tells why it was not run, "" if it was."""

    code: int
    output: CommandOutput
    refusal: str = ""


class WayIn(SSHConnector):
    """
    pyinfra's SSH connector, for servers as they are found: any login shell, root without sudo, one session at a time.

    A connection that dies in silence is noticed within a minute, and each SSH packet is sent at once.
    """

    def __init__(self, state: State, host: Host) -> None:
        super().__init__(state, host)
        self._watch: Watch | None = None
        # Set as soon as a command is on its way.
        self.sent = threading.Event()
        self._told: set[str] = set()

    # --- Connecting

    @override
    def connect(self) -> None:
        """Raises ConnectError, with the remedy."""
        try:
            if self.data["ssh_key"] and not there_is_a_terminal():
                self._load_key()
            super().connect()
        # Whatever else were raised here would end the run of all hosts, with a traceback.
        except Exception as error:
            cause = error.__context__ if isinstance(error, ConnectError) and error.__context__ else error
            sentence = way_in.no_connection(self.door(), cause, self._banner())
            raise ConnectError(f"{NOTHING_WAS_CHANGED}{sentence}") from None
        transport = self._transport()
        send_at_once(transport)
        self._watch = Watch(transport)
        self._watch.start()

    def _load_key(self) -> None:
        """Load the key for pyinfra, which would ask for a passphrase although nobody is there."""
        file = self.data["ssh_key"]
        if file not in self.state.private_keys:
            self.state.private_keys[file] = load_key_with_certificate(
                file, self.data["ssh_key_password"], cwd=self.state.cwd, allow_prompt=False
            )

    def _transport(self) -> Transport:
        transport = self.client.get_transport() if self.client else None
        if transport is None:
            raise self._lost()
        return transport

    def _is_lost(self) -> bool:
        """Whether the connection ended. paramiko ends its channels first, so they may tell us a moment too early."""
        deadline = time.monotonic() + ENDING_SECONDS
        while self._transport().is_active():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _lost(self) -> RefusedError:
        return RefusedError(way_in.lost(self.door(), silent=self._watch is not None and self._watch.silent))

    def _banner(self) -> str:
        """The server's words for people. Not by get_banner(), which knows none once the server has hung up."""
        transport = self.client.get_transport() if self.client else None
        banner = getattr(transport.auth_handler, "banner", None) if transport else None
        return banner.decode(errors="replace") if isinstance(banner, bytes) else ""

    @property
    def user(self) -> str:
        """Who logged in, as the server was told; "" before that."""
        transport = self.client.get_transport() if self.client else None
        return (transport.get_username() if transport else None) or ""

    def door(self) -> Door:
        """Where we log in, as inventory.py and ~/.ssh/config have it."""
        name = self.data["ssh_hostname"] or self.host.name
        try:
            config = get_ssh_config(self.data["ssh_config_file"])
            found = dict(config.lookup(name)) if config else {}
        except Exception:  # in a file that pyinfra could not read either, which is told in its words
            found = {}
        port = str(self.data["ssh_port"] or found.get("port", ""))
        between = [f"{word} {found[key]}" for key, word in _BETWEEN.items() if key in found]
        return Door(
            host=self.host.name,
            address=found.get("hostname", name),
            port=int(port) if port.isdigit() else 22,
            user=self.user or self.data["ssh_user"] or found.get("user", "") or _own_name(),
            key=self.data["ssh_key"] or "",
            by_way_of=between[0] if between else "",
        )

    # --- Running a command

    @override
    def run_shell_command(
        self, command: StringCommand, print_output: bool = False, print_input: bool = False, **arguments: Any
    ) -> tuple[bool, CommandOutput]:
        """Run a command. A refusal is told here, and is then a failure without output, as pyinfra has it."""
        control = extract_control_arguments(arguments)  # type: ignore[arg-type]
        self._be_root_without_sudo(arguments)
        if print_input:
            shown = make_unix_command(command, **{**arguments, "_sudo_password": ""})
            echo(f"{self.host.print_prefix}>>> {shown}", err=True)
        answer = Answer(1, CommandOutput([]))

        def attempt() -> tuple[int, CommandOutput]:
            nonlocal answer
            answer = self._run(command, control, arguments, print_output)
            return answer.code, answer.output

        try:
            if there_is_a_terminal():
                execute_command_with_sudo_retry(self.host, arguments, attempt)  # type: ignore[arg-type]
            else:
                attempt()
        except RefusedError as refused:
            return self._tell(str(refused))
        except DeployError:
            raise
        except PyinfraError as error:  # pyinfra could not write the helper that hands sudo its password
            return self._tell(way_in.no_helper_for_sudo(self.door(), str(error)))
        if answer.refusal:
            return self._tell(answer.refusal)
        return answer.code in (control.get("_success_exit_codes") or [0]), answer.output

    def _run(self, command: StringCommand, control: Any, arguments: dict[str, Any], print_output: bool) -> Answer:
        """Raises RefusedError if the server runs nothing, TimeoutError after the operation's own `_timeout`."""
        line, first_lines = self._line(command, arguments)
        try:
            with contextlib.closing(self._session()) as channel:
                return self._converse(channel, line, first_lines, control, print_output)
        except (SSHException, EOFError, OSError) as error:
            if self._is_lost():
                raise self._lost() from None
            if isinstance(error, TimeoutError):
                raise
            raise RefusedError(way_in.no_command(self.door(), str(error))) from None

    def _converse(
        self, channel: Channel, line: str, first_lines: list[str], control: Any, print_output: bool
    ) -> Answer:
        stdin = [*first_lines, *_lines_of(control.get("_stdin"))]
        if control.get("_get_pty"):
            channel.get_pty()
        else:  # also where there is nothing to be read, so that who reads it is found out before the first change
            stdin.insert(0, login_shell.UNREAD)
        names = [SUDO_ASKPASS_ENV_VAR] if first_lines else []
        # What a plan asks changes nothing.
        changes = self.state.current_stage is not StateStage.Prepare or len(stdin) != 1
        channel.exec_command(
            login_shell.armoured(line, stdin=not control.get("_get_pty"), variables=names, changes=changes)
        )
        # A login shell that ends at once leaves its words, and nobody who reads.
        with contextlib.suppress(OSError):
            write_stdin(stdin, channel.makefile_stdin("wb"))  # type: ignore[no-untyped-call]
        self.sent.set()
        out = login_shell.Lines(channel.makefile("rb"))
        err = login_shell.Lines(channel.makefile_stderr("rb"), stderr=True)
        output = read_output_buffers(
            out, err, control.get("_timeout"), print_output=print_output, print_prefix=self.host.print_prefix
        )
        status = channel.recv_exit_status()
        if out.code is None and status == NO_STATUS and self._is_lost():
            raise self._lost()
        if login_shell.STDIN_WAS_READ in output.stderr_lines:
            return Answer(status or 1, output, way_in.stdin_was_read(self.door()))
        if out.granted:
            return Answer(status if out.code is None else out.code, output)
        if not out.reached:
            said = [*out.before, *err.before]
            return Answer(status or 1, output, way_in.shell_refuses(self.door(), said, status))
        said = [*err.between, *out.between]
        if login_shell.STDIN_WAS_READ in said:
            return Answer(status or 1, output, way_in.stdin_was_read(self.door()))
        # pyinfra looks among these lines for a sudo that wants a password.
        output = CommandOutput([OutputLine("stderr", each) for each in said])
        return Answer(status or 1, output, way_in.sudo_refuses(self.door(), said))

    def _line(self, command: StringCommand, arguments: dict[str, Any]) -> tuple[str, list[str]]:
        """The command as root's or another's, and what it has to read from standard input first: sudo's password."""
        shell = arguments.get("_shell_executable") or "sh"
        arguments = {**arguments, "_shell_executable": login_shell.announced(shell)}
        password = arguments.get("_sudo_password") or self.host.connector_data.get("prompted_sudo_password")
        if not (arguments.get("_sudo") and password):
            return make_unix_command_for_host(self.state, self.host, command, **arguments).get_raw_value(), []
        # pyinfra would make it an argument, which every user of the server could read.
        arguments["_sudo_password"] = _NOTHING
        line = make_unix_command_for_host(self.state, self.host, command, **arguments).get_raw_value()
        line = line.replace(f"{SUDO_ASKPASS_ENV_VAR}={_NOTHING} ", "", 1)
        return line, [password.unmask() if isinstance(password, HiddenValue) else str(password)]

    def _session(self) -> Channel:
        """
        A session of its own for one command. Raises RefusedError if sshd opens none.

        sshd may allow one at a time (MaxSessions 1), and may not yet have noticed the end of the one before.
        """
        deadline = time.monotonic() + SESSION_SECONDS
        while True:
            try:
                return self._transport().open_session()
            except ChannelException as error:
                if time.monotonic() > deadline:
                    raise RefusedError(way_in.no_session(self.door(), error.text)) from None
                time.sleep(0.05)

    def _be_root_without_sudo(self, arguments: dict[str, Any]) -> None:
        """group_data/all.py has `_sudo` for everybody; root needs none, and a server without other users has none."""
        if self.user == "root" and arguments.get("_sudo_user") in (None, "", "root"):
            arguments["_sudo"] = False

    def _tell(self, sentence: str) -> tuple[bool, CommandOutput]:
        """
        Refuse, once, in words.

        Raises DeployError while a deploy file is prepared: nothing was changed then, and pyinfra shows it as it is.
        Elsewhere that would end other hosts' runs half-way.
        """
        if self.state.current_stage is StateStage.Prepare and self.state.current_deploy_filename:
            raise DeployError(f"{NOTHING_WAS_CHANGED}{sentence}")
        if sentence not in self._told:
            self._told.add(sentence)
            self.host.log_styled(sentence, fg="red", log_func=logger.error)
        return False, CommandOutput([])

    # --- Files. The suite sends its own through standard input; other people's tasks may use these.

    @override
    def put_file(self, *names: Any, **arguments: Any) -> bool:
        self._be_root_without_sudo(arguments)
        return super().put_file(*names, **arguments)

    @override
    def get_file(self, *names: Any, **arguments: Any) -> bool:
        self._be_root_without_sudo(arguments)
        return super().get_file(*names, **arguments)


_NOTHING = "-"
_BETWEEN = {"proxycommand": "ProxyCommand", "proxyjump": "ProxyJump"}


def _own_name() -> str:
    """The name with which SSH logs in when none is given; "" where this machine has no name for us."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _lines_of(stdin: Any) -> list[str]:
    """pyinfra's _stdin, which may be text, lines or a file."""
    if not stdin:
        return []
    if hasattr(stdin, "readlines"):
        return list(stdin.readlines())
    return list(stdin) if isinstance(stdin, list | tuple) else [stdin]


def another_connection(host: Host) -> str:
    """
    Log in once more, beside the connection in use, and out again: whether the way in is open to new connections.

    Returns why it is not, as a sentence for the operator; "" if it is, or if the host is not reached by SSH.
    """
    connector = host.connector
    if not isinstance(connector, WayIn):
        return ""
    another = WayIn(connector.state, connector.host)
    try:
        another.connect()
    except ConnectError as error:
        return str(error).removeprefix(NOTHING_WAS_CHANGED)
    finally:
        if another.client:
            another.client.close()
    return ""
