"""
The one place where commands for a server are put together, and the one place where their quoting rules live.

A command is a POSIX script of a component (mstdn/swap/state.sh) plus arguments. The script itself travels as one quoted
word, so shellcheck and a reader see a whole file, and every argument is quoted. Secrets travel on standard input only:
an argument can be read by every user of the server in `ps`, and sudo writes it to its log.
"""

import getpass
import os
import shlex
import socket
import sys
from collections.abc import Generator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from pyinfra.api import Host, QuoteString, State, StringCommand
from pyinfra.api.command import PyinfraCommand
from pyinfra.connectors.util import CommandOutput
from typing_extensions import override

from mstdn.suite import this_suite

# What an operation yields.
Commands: TypeAlias = Generator[PyinfraCommand, None, None]

SCRIPTS = Path(__file__).parent


class ToldCommand(StringCommand):
    """A command of which the operator reads each line as it comes, without -v too. For what takes minutes."""

    @override
    def execute(self, state: State, host: Host, connector_arguments: Any) -> tuple[bool, CommandOutput]:
        """Run it, as StringCommand does. Of a failure pyinfra would show the output, which has been read already."""
        arguments = {**connector_arguments, **self.connector_arguments}
        succeeded, _ = host.run_shell_command(self, print_output=True, print_input=state.print_input, **arguments)
        return succeeded, CommandOutput([])


def question(name: str, *arguments: str, before: str = "") -> StringCommand:
    """
    The command of a fact: mstdn/<name>.sh with `arguments` as $1, $2, …; it changes nothing.

    `before` names another script whose text goes before it.
    """
    return _command((_text(before) if before else "") + _text(name), name, arguments)


def script(
    name: str, *arguments: str, before: str | Sequence[str] = (), stdin: str | None = None, told: bool = False
) -> StringCommand:
    """
    The command of an operation: mstdn/<name>.sh with `arguments` as $1, $2, …, never two at once on a server.

    `before` names other scripts whose texts go before it. `stdin` is handed over on standard input; pyinfra ends it
    with a newline. It appears in no log at any verbosity. `told`: the operator reads what it prints while it runs.
    """
    earlier = [before] if isinstance(before, str) else before
    text = f"run={shlex.quote(who_works())}\n" + "".join(_text(each) for each in ("lock", *earlier, name))
    return _command(text, name, arguments, stdin, ToldCommand if told else StringCommand)


@cache
def who_works() -> str:
    """Who works, with which suite and on what, for others who want to work on the same server."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A user without a name, in a container.
        user = str(os.getuid())
    files = " ".join(each for each in sys.argv[1:] if each.endswith(".py") and "inventory" not in each)
    return f"{user}@{socket.gethostname()} with {files or 'pyinfra'} of the suite {this_suite()}"


def _text(name: str) -> str:
    return (SCRIPTS / f"{name}.sh").read_text()


def _command(
    text: str,
    name: str,
    arguments: tuple[str, ...],
    stdin: str | None = None,
    kind: type[StringCommand] = StringCommand,
) -> StringCommand:
    words = [QuoteString(word) for word in (text, name, *arguments)]
    if stdin is None:
        return kind("sh -c", *words)
    return kind("sh -c", *words, _stdin=stdin)
