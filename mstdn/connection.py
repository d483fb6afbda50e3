"""
What happens around pyinfra's own connecting: bad input is refused before it, and SSH is made quick after it.

pyinfra connects before it runs deploy.py. Only config.py runs earlier, so that is what calls prepare().
"""

from __future__ import annotations

import functools
import socket

from pyinfra.api.exceptions import DeployError
from pyinfra.api.host import Host
from pyinfra.api.state import BaseStateCallback, State, StateStage
from pyinfra.connectors.ssh import SSHConnector
from typing_extensions import override

from mstdn.problems import Problem, report
from mstdn.settings import examine

# The host of inventory.py as it is shipped; no machine has this name.
PLACEHOLDER_HOST = "your-server.example.org"

THIS_COMPUTER = "@local"


def prepare(state: State) -> None:
    """
    Have `state`, that of pyinfra's command line, check its hosts just before it connects to them.

    Entering the stage Connect is the last thing pyinfra 3.10 does before it connects (pyinfra_cli/cli.py).
    Its callbacks are no place for the check: they run in greenlets, and gevent prints a traceback of whatever
    these raise.
    """
    set_stage = state.set_stage

    @functools.wraps(set_stage)
    def set_stage_with_care(stage: StateStage) -> None:
        if stage is StateStage.Connect:
            check_hosts(state)
            state.add_callback_handler(QuickSsh())  # type: ignore[no-untyped-call]
        set_stage(stage)

    state.set_stage = set_stage_with_care  # type: ignore[method-assign]


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
    _, problems = examine(host.data.dict())  # type: ignore[no-untyped-call]
    if host.name != PLACEHOLDER_HOST:
        return problems
    wrong = "the host is still the placeholder"
    return [Problem("inventory.py", wrong, "the name or address of your server", f'"{host.name}"'), *problems]


class QuickSsh(BaseStateCallback):
    """
    Sends each SSH packet at once.

    Otherwise Nagle's algorithm waits for the peer's delayed acknowledgement, and every remote command takes
    43 ms instead of 2.5 ms (measured over loopback with paramiko 4.0).
    """

    @staticmethod
    @override
    def host_connect(state: State, host: Host) -> None:
        if not isinstance(host.connector, SSHConnector) or host.connector.client is None:
            return
        transport = host.connector.client.get_transport()
        # Behind a jump host or a ProxyCommand it is no socket, and the option means nothing.
        if transport is not None and isinstance(transport.sock, socket.socket):
            transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
