"""
Steps of provisioning: told while planning, carried out while running, each in words of its own.

They run in this process, on the operator's computer, and never through a shell: `_sudo = True` in group_data is meant
for servers.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pyinfra import host, logger, state
from pyinfra.api import FunctionCommand, Host, State

from mstdn.cloud.errors import ProvisionError
from mstdn.operation import is_a_rehearsal
from mstdn.refusal import refuse
from mstdn.shell import Commands


@dataclass(frozen=True)
class Step:
    """
    One change. `sign`: + for something new, ~ for something changed. `kind`, `name`, `detail`: what, in a line.

    `do` carries it out, looking again at whatever it depends on; it raises ProvisionError.
    """

    sign: str
    kind: str
    name: str
    detail: str
    do: Callable[[], None] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.sign} {self.kind:<10} {self.name:<28} {self.detail}".rstrip()


@dataclass(frozen=True)
class Plan:
    """
    What is to be done. `place`: whose account, zone or project, for the heading.

    `steps` come in their order. `notes`: lines that begin with ! or say what nobody has to do anything about.
    `agrees`: what to say when nothing is to be done.
    """

    place: str
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    agrees: str = "it is as it should be"
    warnings: tuple[str, ...] = ()


def carry_out(look: Callable[[], Plan]) -> Commands:
    """
    The commands of an operation: ask the provider with `look`, tell what is to be done, do it.

    What goes wrong in `look` or in a step ends the operation in a refusal, never in a traceback.
    """
    try:
        plan = look()
    except Exception as error:
        unchanged = "\nNothing was changed by this step." if state.is_executing else ""
        yield from refuse(f"{in_words(error)}{unchanged}")
        return
    if not is_a_rehearsal():
        _tell(plan)
    if not plan.steps:
        host.noop(plan.agrees)
    for step in plan.steps:
        yield FunctionCommand(_carry_out, (step,), {})


def _tell(plan: Plan) -> None:
    """Notes are told while running too: what was not known to the plan may be known now."""
    for warning in plan.warnings:
        host.log(f"Warning: {warning}", logger.warning)
    if plan.notes or (plan.steps and not state.is_executing):
        told = [] if state.is_executing else list(map(str, plan.steps))
        for line in (plan.place, *(f"  {line}" for line in (*told, *plan.notes))):
            host.log(line)


def in_words(error: Exception) -> str:
    """
    A ProvisionError's own text. For anything else, which a provider that changed its interface would cause, a sentence
    too: the place is for a report, and goes to the log of --debug without any value.
    """
    if isinstance(error, ProvisionError):
        return str(error)
    logger.debug("".join(traceback.format_tb(error.__traceback__)))
    kind, place = type(error).__name__, traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"A provider's answer has a form that this suite does not know ({kind} in {Path(place.filename).name}, line "
        f"{place.lineno}). Please report it with the output of --debug."
    )


def _carry_out(state: State, host: Host, step: Step) -> bool:
    try:
        step.do()
    except Exception as error:
        for line in in_words(error).splitlines():
            host.log_styled(line, fg="red", log_func=logger.error)
        host.log_styled(
            f"Not done: {step.kind} {step.name}. What was made before it stays; the next run goes on from there.",
            fg="red",
            log_func=logger.error,
        )
        return False
    host.log(f"Done: {step}")
    return True
