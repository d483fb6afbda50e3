"""
The one place where commands for a server are put together, and the one place where their quoting rules live.

A command is a POSIX script of a component (mstdn/swap/state.sh) plus arguments. The script itself travels as one quoted
word, so shellcheck and a reader see a whole file, and every argument is quoted. Secrets travel on standard input only:
an argument can be read by every user of the server in `ps`, and sudo writes it to its log.
"""

from collections.abc import Generator
from pathlib import Path
from typing import TypeAlias

from pyinfra.api import QuoteString, StringCommand
from pyinfra.api.command import PyinfraCommand

# What an operation yields.
Commands: TypeAlias = Generator[PyinfraCommand, None, None]

SCRIPTS = Path(__file__).parent


def question(name: str, *arguments: str) -> StringCommand:
    """The command of a fact: mstdn/<name>.sh with `arguments` as $1, $2, …; it changes nothing."""
    return _command(_text(name), name, arguments)


def script(name: str, *arguments: str, stdin: str | None = None) -> StringCommand:
    """
    The command of an operation: mstdn/<name>.sh with `arguments` as $1, $2, …, never two at once on a server.

    `stdin` is handed over on standard input; pyinfra ends it with a newline. It appears in no log at any verbosity.
    """
    return _command(_text("lock") + _text(name), name, arguments, stdin)


def _text(name: str) -> str:
    return (SCRIPTS / f"{name}.sh").read_text()


def _command(text: str, name: str, arguments: tuple[str, ...], stdin: str | None = None) -> StringCommand:
    words = [QuoteString(word) for word in (text, name, *arguments)]
    if stdin is None:
        return StringCommand("sh -c", *words)
    return StringCommand("sh -c", *words, _stdin=stdin)
