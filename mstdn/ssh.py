"""
How pyinfra talks to a server over SSH: through any login shell, as root with or without sudo, and never to the dead.

    ssh_login.py    how a connection is made, and known to be lost
    keep_alive.py   what is done to an open connection
    login_shell.py  how a command gets through any login shell
    way_in.py       the sentences for whatever closes the way
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import Any

from paramiko import Channel, ChannelException, SSHException
from pyinfra import logger
from pyinfra.api import HiddenValue, Host, State, StringCommand
from pyinfra.api.exceptions import ConnectError, DeployError, PyinfraError
from pyinfra.api.output import echo
from pyinfra.api.state import StateStage
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
from mstdn.ssh_login import NOTHING_WAS_CHANGED, LogIn, RefusedError, there_is_a_terminal

# Seconds. How long sshd may take to notice that the session before has ended, where it allows one only.
SESSION_SECONDS = 5.0
# How often a new connection is tried again. Where strangers guess passwords, sshd hangs up at random on some who are
# not logged in yet (MaxStartups).
RETRIES = 2
# What paramiko has instead of an exit code when none came: the command was killed, or the connection ended.
NO_STATUS = -1


@dataclass(frozen=True)
class Answer:
    """What came back of a command: its exit code and output; `refusal` tells why it was not run, "" if it was."""

    code: int
    output: CommandOutput
    refusal: str = ""


class WayIn(LogIn):
    """pyinfra's SSH connector, for servers as they are: any login shell, root without sudo, one session at a time."""

    def __init__(self, state: State, host: Host) -> None:
        super().__init__(state, host)
        # Set as soon as a command is on its way.
        self.sent = threading.Event()
        self._told: set[str] = set()

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
        out = login_shell.Lines(channel.makefile("rb"), tell=self._say)
        err = login_shell.Lines(channel.makefile_stderr("rb"), stderr=True, tell=self._say)
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

    def _say(self, sentence: str) -> None:
        """Have the operator read this while the command is at work."""
        self.host.log_styled(sentence, fg="yellow")

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

    One that fails is tried again. Returns why it is not, as a sentence for the operator; "" if it is, or if the host is
    not reached by SSH.
    """
    connector = host.connector
    if not isinstance(connector, WayIn):
        return ""
    another = WayIn(connector.state, connector.host)
    another.data["ssh_connect_retries"] = max(RETRIES, another.data["ssh_connect_retries"])
    try:
        another.connect()
    except ConnectError as error:
        return str(error).removeprefix(NOTHING_WAS_CHANGED)
    finally:
        if another.client:
            another.client.close()
    return ""
