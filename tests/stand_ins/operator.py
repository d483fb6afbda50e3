"""Operations of provisioning, run in this process as pyinfra runs them, with all that they say; and time to wait in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pyinfra import logger
from pyinfra.api import FunctionCommand, Host, OperationError, State
from pyinfra.api.operation import PyinfraOperation
from pyinfra.context import ctx_host, ctx_state
from typing_extensions import override

from mstdn.cloud.loading import examine
from mstdn.settings.provision import ProvisionSettings
from tests.harness import on_host


@dataclass
class Sleeper:
    """Time that passes only when somebody waits. `at_each`: what happens meanwhile."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    at_each: list[Callable[[], None]] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        for happen in self.at_each:
            happen()

    def clock(self) -> float:
        return self.now


def provision_settings(**values: Any) -> ProvisionSettings:
    """Valid settings, checked as a run checks them."""
    settings, problems = examine({"local_domain": "social.example.org", "server_wait_seconds": 0} | values)
    assert settings is not None, "\n".join(map(str, problems))
    return settings


@dataclass
class Outcome:
    """What an operation did. `lines`: all that it said. `done`: how many steps. `refusal`: why it ended, or ""."""

    lines: list[str] = field(default_factory=list)
    done: int = 0
    refusal: str = ""

    @property
    def text(self) -> str:
        return "\n".join([*self.lines, self.refusal])


class _Listener(logging.Handler):
    def __init__(self, outcome: Outcome):
        super().__init__()
        self._outcome = outcome

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._outcome.lines.append(record.getMessage().partition("] ")[2])


def plan(operation: PyinfraOperation[Any], **arguments: Any) -> Outcome:
    """What the operation says while planning; its steps are counted and not carried out."""
    return _evaluate(operation, executing=False, arguments=arguments)


def run(operation: PyinfraOperation[Any], **arguments: Any) -> Outcome:
    """Carry the operation out, as pyinfra does at its turn."""
    return _evaluate(operation, executing=True, arguments=arguments)


@cache
def _this_computer() -> tuple[State, Host]:
    """One for all tests: pyinfra looks through every installed package when it makes an inventory."""
    with on_host("@local") as state:
        return state, next(iter(state.inventory))


def _evaluate(operation: PyinfraOperation[Any], executing: bool, arguments: dict[str, Any]) -> Outcome:
    outcome = Outcome()
    listener = _Listener(outcome)
    logger.addHandler(listener)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        state, host = _this_computer()
        with ctx_state.use(state), ctx_host.use(host):
            state.is_executing = executing
            state.check_for_changes = not executing
            for command in operation._inner(**arguments):
                assert isinstance(command, FunctionCommand), command
                if not executing:
                    outcome.done += 1
                elif command.function(state, host, *command.args) is False:
                    outcome.refusal = outcome.refusal or "refused while running"
                    break
                else:
                    outcome.done += 1
    except OperationError as error:
        outcome.refusal = str(error)
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)
    return outcome
