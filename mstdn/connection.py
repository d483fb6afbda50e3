"""
The way to a server: bad input is refused before it, and whatever closes it is told in one sentence with the remedy.

pyinfra connects before it runs deploy.py. Only config.py runs earlier, so that is what calls prepare().

    ssh.py          the connector that hosts are then reached by
    keep_alive.py   what is done to an open connection
    login_shell.py  how a command gets through any login shell
    way_in.py       the sentences
"""

from __future__ import annotations

import ast
import atexit
import functools
import inspect
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import gevent  # type: ignore[import-untyped]
from pyinfra.api import Host, State, arguments, facts, util
from pyinfra.api.exceptions import DeployError, PyinfraError
from pyinfra.api.state import StateStage
from pyinfra.connectors.ssh import SSHConnector

from mstdn.problems import Problem, report
from mstdn.settings import examine
from mstdn.ssh import WayIn

# The host of inventory.py as it is shipped; no machine has this name.
PLACEHOLDER_HOST = "your-server.example.org"

THIS_COMPUTER = "@local"


def prepare(state: State, operations: Sequence[str] = ()) -> None:
    """
    Have `state`, that of pyinfra's command line, check its hosts just before it connects to them.

    operations: the rest of the command line; files among it are read ahead while the connection is made.

    Entering the stage Connect is the last thing pyinfra 3.10 does before it connects (pyinfra_cli/cli.py).
    Its callbacks are no place for the check: they run in greenlets, and gevent prints a traceback of whatever
    these raise.
    """
    set_stage = state.set_stage

    @functools.wraps(set_stage)
    def set_stage_with_care(stage: StateStage) -> None:
        if stage is StateStage.Connect:
            check_hosts(state)
            take_the_way_in(state)
            gevent.spawn(read_ahead, [each for each in operations if each.endswith(".py")])
        set_stage(stage)

    state.set_stage = set_stage_with_care  # type: ignore[method-assign]
    no_tracebacks()
    no_source_lines()
    know_the_arguments()
    atexit.register(end_threads)


def check_hosts(state: State) -> None:
    """Raises DeployError if this run has no host, or with every problem of the settings of every host."""
    hosts = [host for host in state.inventory if state.is_host_in_limit(host)]
    if not hosts:
        raise DeployError(
            "There is no host to work on, so nothing was done. Check the name of the inventory file (the "
            "first argument), the hosts in it, and the patterns of --limit and --exclude."
        )
    # This computer is not contacted, and provision.py has settings of its own: its tasks look at what they need.
    problems = {host.name: _problems(host) for host in hosts if host.name != THIS_COMPUTER}
    reports = [report(f"Settings of {name}:", found) for name, found in problems.items() if found]
    if reports:
        title = "Please correct this first. Nothing was contacted or changed."
        raise DeployError("\n\n".join([title, *reports]))


def _problems(host: Host) -> list[Problem]:
    _, problems = examine(host.data.dict(), host.groups)  # type: ignore[no-untyped-call]
    if host.name != PLACEHOLDER_HOST:
        return problems
    wrong = "the host is still the placeholder"
    return [Problem("inventory.py", wrong, "the name or address of your server", f'"{host.name}"'), *problems]


def take_the_way_in(state: State) -> None:
    """Have every host of `state` that is reached by SSH reached by WayIn."""
    for host in state.inventory:
        if type(host.connector) is SSHConnector:
            host.connector = WayIn(state, host)


def read_ahead(files: Sequence[str]) -> None:
    """
    Import what these files import of the suite, which takes about as long as a server that is far away takes to answer.

    Whatever is wrong with a file is told by the run of it.
    """
    # The connection begins first.
    gevent.sleep(0)
    for file in files:
        with suppress(Exception):
            for statement in ast.parse(Path(file).read_bytes()).body:
                if isinstance(statement, ast.ImportFrom) and str(statement.module).startswith("mstdn."):
                    import_module(str(statement.module))


def end_threads() -> None:
    """
    End the threads in which gevent looks names up, before Python ends itself; one that is not done in a second is left.

    They end when they have had nothing to do for five seconds. One that woke up while Python was freeing what it needs
    took it down (signal 11) when all was done and said.
    """
    with gevent.Timeout(1, False):
        gevent.get_hub().threadpool.size = 0


def no_tracebacks() -> None:
    """
    Leave errors to those who tell them in a sentence.

    gevent prints a traceback of what a greenlet raises, although pyinfra takes every PyinfraError out of its greenlets
    and shows it. paramiko logs the traceback of what it then raises. And pyinfra's question before it changes
    something ends in one where there is nobody to answer.
    """
    hub = gevent.get_hub()
    hub.NOT_ERROR = (*hub.NOT_ERROR, PyinfraError)
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    if cli := sys.modules.get("pyinfra_cli.cli"):
        vars(cli)["input"] = _answer


def _answer(prompt: str = "") -> str:
    try:
        return input(prompt)
    except EOFError:
        raise DeployError(
            "There is no terminal to answer at, so nothing was done. Add -y to go ahead without the question, or "
            "--dry to only look."
        ) from None


def no_source_lines() -> None:
    """
    Have pyinfra ask the stack for files and line numbers only.

    It orders operations by these (pyinfra/api/util.py), and would have inspect find the source of every frame of every
    operation as well, and throw it away: half of the time that a run spends on this machine after the server's answer.
    """
    util.stack = functools.partial(inspect.stack, context=0)
    util.getframeinfo = functools.partial(inspect.getframeinfo, context=0)


def know_the_arguments() -> None:
    """
    Have pyinfra work out only once which arguments all operations take, and of which types.

    It reads the hints of a class anew for each fact that is defined and each operation that is called
    (pyinfra/api/arguments.py, facts.py): some 90 times in a deployment, a fifth of a millisecond each.
    """
    once = functools.cache(arguments.all_global_arguments)
    arguments.all_global_arguments = facts.all_global_arguments = once
