"""
The operations of the suite: pyinfra's, with what holds for every one of ours.

An operation asks, applies rules, and yields commands. What the server answered holds until one of its commands has run.
Where something could not be looked at, a plan says so and announces nothing; a run refuses. And what it refuses it
refuses before the first change of the whole run, with -y too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, cast

from pyinfra import host, logger, state
from pyinfra.api import operation as pyinfra_operation
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.operation import OperationMeta, PyinfraOperation

from mstdn.asking import forget
from mstdn.fact import CouldNotLook
from mstdn.refusal import refuse
from mstdn.shell import Commands

P = ParamSpec("P")


def operation(function: Callable[P, Commands]) -> PyinfraOperation[P]:
    """An operation of the suite, from a generator of commands for the host at work."""

    @functools.wraps(function)
    def commands(*arguments: P.args, **options: P.kwargs) -> Commands:
        try:
            for command in function(*arguments, **options):
                try:
                    yield command
                finally:
                    if state.is_executing:
                        forget()
        except CouldNotLook as reason:
            if state.is_executing:
                yield from refuse(f"This could not be looked at: {reason}.")
            elif is_the_moment_to_show():
                logger.info(f"{host.print_prefix}Not known yet, because {reason}")
        except FactProcessError as error:
            yield from refuse(str(error))

    wrapped = pyinfra_operation()(commands)

    @functools.wraps(function)
    def rehearsed(*arguments: P.args, **options: P.kwargs) -> OperationMeta:
        meta = wrapped(*arguments, **options)  # type: ignore[arg-type, misc]
        if is_a_rehearsal():
            # With -y pyinfra plans nothing, and a refusal would come after the changes of the operations before.
            _rehearse(meta)
        return meta

    rehearsed._inner = commands  # type: ignore[attr-defined]
    return cast("PyinfraOperation[P]", rehearsed)


def _rehearse(meta: OperationMeta) -> None:
    """Go as far as a plan goes: to the first command, or to a refusal, which is raised."""
    generator = state.get_op_data_for_host(host, meta._hash).command_generator()
    for _ in generator:
        break


def is_a_rehearsal() -> bool:
    """Whether an operation is only rehearsed: a run with -y looks before its first change, and shows nothing yet."""
    return not state.is_executing and not state.check_for_changes


def is_the_moment_to_show() -> bool:
    """
    Whether what an operation shows (reasons, diffs) is to be shown now, so that each run shows it once.

    That is while planning, or while running when -y skipped the planning.
    """
    return bool(state.is_executing) != bool(state.check_for_changes)


def announce(*reasons: str) -> None:
    """Say why something is done."""
    if is_the_moment_to_show():
        for reason in reasons:
            logger.info(f"{host.print_prefix}{reason}")
