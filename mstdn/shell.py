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
from dataclasses import dataclass, field
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


def question(name: str, *arguments: str, before: Sequence[str] = ()) -> StringCommand:
    """
    The command of a fact: mstdn/<name>.sh with `arguments` as $1, $2, …; it changes nothing.

    `before` names other scripts whose texts go before it.
    """
    return _command("".join(map(text_of, (*before, name))), name, arguments)


@dataclass(frozen=True)
class Asked:
    """
    A script of a batch and its arguments. `before`: scripts whose texts go before it. `shared`: scripts that the
    batch runs once, before the first of those that name them, which then have their variables and functions. `inside`:
    it starts a program in a container.
    """

    script: str
    arguments: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    inside: bool = False

    @property
    def effort(self) -> int:
        """How long it takes, roughly: the length of its script, or of one that takes as long as to get inside."""
        return len(text_of(self.script)) + (6000 if self.inside else 0)


# How many scripts that share something run at the same time, and how many of the others. Those that share
# something ask Docker Engine, and its command takes 40 MB of memory for as long as it waits.
LANES = 2
# A script's lines come between two lines that begin with a character that no script prints. Its last line may have no
# end, as that of a file that somebody has edited. $1 is its number, $2 its text, $3 its name. A subshell begins in a
# third of the time that a shell of its own takes.
_ASK = r"""ask() { printf '\001%s\n' "$1"; (t=$2; shift 3; eval "$t") </dev/null; printf '\001end %s\n' "$?"; };"""
_MARK = r"""mark() {{ awk '
    end = index($0, "\001end ") {{
        if (end > 1) print mark " " substr($0, 1, end - 1)
        print mark " " substr($0, end + 1)
        next
    }}
    /^\001/ {{ mark = "{} " substr($0, 2); next }}
    {{ print mark " " $0 }}'; }};"""


def questions(asked: Sequence[Asked], mark: str) -> StringCommand:
    """
    One command that runs all of these scripts, none of which changes anything.

    Each line that a script prints comes out with `mark` and its place in `asked`, from 0, before it, and "end" with its
    exit code as the last. They stand in lanes, which are worked off at the same time. A lane gets what the ones before
    it printed on standard input, and copies that after its own lines: so the lines of two scripts do not mix, and no
    file is written.
    """
    texts: dict[str, str] = {}
    apart, sharing = ([_Lane() for _ in range(LANES)] for _ in range(2))
    shared: dict[str, None] = {}
    # Those that take longest go first, so that the lanes end together.
    for number, each in sorted(enumerate(asked), key=lambda numbered: -numbered[1].effort):
        lane = min(sharing if each.shared else apart, key=lambda lane: lane.effort)
        lane.effort += each.effort
        # What is shared goes before all of them anyway.
        names = [name for name in (*each.before, each.script) if name not in each.shared]
        words = "".join(f"${texts.setdefault(name, f't{len(texts)}')}" for name in names)
        lane.commands.append(f'ask {number} "{words}" {shlex.join((each.script, *each.arguments))};')
        shared |= dict.fromkeys(each.shared)
    jobs = [str(lane) for lane in apart if lane.commands]
    if shared:
        found_once = "".join(text_of(name) for name in shared)
        jobs.append(f"{{ :;\n{found_once}}} </dev/null\n{_side_by_side([str(lane) for lane in sharing])}")
    texts_as_variables = [f"{name}={shlex.quote(text_of(script))};" for script, name in texts.items()]
    return StringCommand("\n".join([*texts_as_variables, _ASK, _MARK.format(mark), _side_by_side(jobs)]))


@dataclass
class _Lane:
    """Commands that run one after the other, and what they take in all."""

    commands: list[str] = field(default_factory=list)
    effort: int = 0

    def __str__(self) -> str:
        return "\n".join(["{ :;", *self.commands, "} | mark"])


def _side_by_side(jobs: Sequence[str]) -> str:
    first, *others = jobs
    return f"{first} | {{ {_side_by_side(others)}; cat; }}" if others else first


def script(
    name: str,
    *arguments: str,
    before: str | Sequence[str] = (),
    stdin: str | None = None,
    told: bool = False,
    lock: bool = True,
) -> StringCommand:
    """
    The command of an operation: mstdn/<name>.sh with `arguments` as $1, $2, …, never two at once on a server.

    `before` names other scripts whose texts go before it. `stdin` is handed over on standard input; pyinfra ends it
    with a newline. It appears in no log at any verbosity. `told`: the operator reads what it prints while it runs.
    `lock`: False for a script that waits for a program of the server, which takes the lock itself.
    """
    earlier = [before] if isinstance(before, str) else list(before)
    if lock:
        earlier[:0] = ["connection", "lock"]
    who = f"run={shlex.quote(who_works())}\n" if lock else ""
    text = who + "".join(text_of(each) for each in (*earlier, name) if each)
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


@cache
def text_of(name: str) -> str:
    """The text of mstdn/<name>.sh."""
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
