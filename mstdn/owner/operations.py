"""The owner of the instance, and the password that only he sees."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import Host, State, StringCommand
from pyinfra.connectors.util import CommandOutput
from typing_extensions import override

from mstdn.asking import ask
from mstdn.docker.engine import CONTAINER
from mstdn.layout import MASTODON_PROJECT
from mstdn.operation import announce, operation
from mstdn.owner.facts import AccountState
from mstdn.owner.rules import TASK, Reset, explanation, step
from mstdn.refusal import refuse
from mstdn.shell import Commands, script

# The terminal itself: what goes there passes by the logs, and by files into which the output of pyinfra is led.
TERMINAL = Path("/dev/tty")
# tootctl makes passwords of 32 characters.
PAD_BYTES = 128


def there_is_a_terminal() -> bool:
    """Whether somebody is there to read a password."""
    try:
        with TERMINAL.open("w"):
            return True
    except OSError:
        return False


def show(text: str) -> None:
    """Write it to the terminal and nowhere else. Raises OSError where none is left."""
    with TERMINAL.open("w") as terminal:
        terminal.write(text)


def unsealed(output: str, pad: Sequence[int]) -> str:
    """The password that mstdn/owner/tootctl.sh sealed with this pad in one of these lines; "" if none did."""
    for line in output.splitlines():
        key, _, text = line.partition(" ")
        numbers = text.split()
        if key == "sealed" and len(numbers) <= len(pad):
            masked = zip(map(int, numbers), pad, strict=False)
            return bytes((number - mask) % 256 for number, mask in masked).decode(errors="replace")
    return ""


class ShownOnce(StringCommand):
    """
    mstdn/owner/tootctl.sh for an account. The password that it makes, if any, goes to the terminal.

    It crosses the network and pyinfra sealed with a pad that is used once and travels on standard input, which appears
    at no verbosity.
    """

    def __init__(self, name: str, arguments: Sequence[str], password: bool, show: Callable[[str], None] = show) -> None:
        self._name, self._password, self._show = name, password, show
        self._pad = tuple(secrets.token_bytes(PAD_BYTES))
        inner = script(
            "owner/tootctl", MASTODON_PROJECT, *arguments, before=CONTAINER, stdin=" ".join(map(str, self._pad))
        )
        super().__init__(*inner.bits, **inner.connector_arguments)

    @override
    def execute(self, state: State, host: Host, connector_arguments: Any) -> tuple[bool, CommandOutput]:
        """Run it, and say what its failure means."""
        arguments = {**connector_arguments, **self.connector_arguments}
        succeeded, output = host.run_shell_command(
            self, print_output=state.print_output, print_input=state.print_input, **arguments
        )
        said = self._refusal(output) if not succeeded else self._told(output.stdout)
        for line in said:
            host.log_styled(line, fg="red", log_func=logger.error)
        return not said, CommandOutput([])

    def _refusal(self, output: CommandOutput) -> list[str]:
        words = output.stderr.strip() or "The connection broke off, or the server did not run it."
        return [
            "Mastodon did not do that:",
            *(f"  {line}" for line in words.splitlines()),
            *filter(None, [explanation(words)]),
        ]

    def _told(self, output: str) -> list[str]:
        """Why the operator does not have the password; nothing if he has it, or if there is none."""
        if not self._password:
            return []
        again = f"The password was made, and is lost. Make another: {TASK}{self._name} --data owner_reset=password"
        password = unsealed(output, self._pad)
        if not password:
            return [f"Mastodon printed no password. {again}"]
        try:
            self._show(f"\nPassword of {self._name}, shown once and stored nowhere: {password}\n\n")
        except OSError as error:
            return [f"The terminal is gone ({error}). {again}"]
        return []


@operation
def owner(account: str, address: str, reset: Reset, promote: bool) -> Commands:
    """
    Ensure that an account of this name exists and is an owner who can log in, or give it what it needs to log in again.

    + account: its name
    + address: for an account that is made
    + reset: "password", "second_factor" or "both" are given to it anew or taken away; "" for neither
    + promote: an account that is there becomes an owner

    A new password is shown on the operator's terminal; without one it is refused.
    """
    todo = step(ask(AccountState.of(MASTODON_PROJECT, account, address)), account, address, reset, promote)
    if todo.refused:
        yield from refuse(todo.refused)
        return
    if not todo.arguments:
        announce(todo.said)
        host.noop(todo.said)
        return
    if todo.password and (state.is_executing or not state.check_for_changes) and not there_is_a_terminal():
        yield from refuse(
            "A new password is shown on your terminal and nowhere else, and this run has none. Run it in a terminal."
        )
        return
    announce(todo.said)
    yield ShownOnce(todo.arguments[1], todo.arguments, todo.password)
