"""Operations that need Docker Engine, and a server that has none yet."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

from mstdn.asking import ask
from mstdn.brought import ENGINE, is_brought
from mstdn.docker.facts import EngineSetup
from mstdn.layout import ENGINE_NOTE
from mstdn.refusal import refuse
from mstdn.shell import Commands

P = ParamSpec("P")


def needs_engine(function: Callable[P, Commands]) -> Callable[P, Commands]:
    """
    For an operation whose commands call what tasks/docker.py installs.

    Each file of tasks/ can be run by itself. On a server without an engine such a run would fail in the middle.
    """

    @functools.wraps(function)
    def commands(*arguments: P.args, **options: P.kwargs) -> Commands:
        there = False
        for command in function(*arguments, **options):
            if not there and not (there := _is_there()):
                yield from refuse(
                    "There is no Docker Engine on this server yet, and this needs it. Everything in its order: "
                    "pyinfra inventory.py deploy.py"
                )
                return
            yield command

    return commands


def _is_there() -> bool:
    return is_brought(ENGINE) or not ask(EngineSetup.of(ENGINE_NOTE, ())).absent
