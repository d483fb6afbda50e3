"""Operations that need Docker Engine, and a server that has none yet."""

from __future__ import annotations

import pytest

from mstdn.docker.operations import packages
from mstdn.docker.presence import needs_engine
from mstdn.operation import operation
from mstdn.shell import Commands, script
from tests.harness import Command, commands_of, refusal_of


@operation
@needs_engine
def pulled(names: tuple[str, ...]) -> Commands:
    """Something that is done with the engine, if there is something to do."""
    for name in names:
        yield script("images/pull", name)


@operation
def prepared_and_pulled() -> Commands:
    """As in deploy.py: what installs the engine goes before what needs it."""
    yield from packages._inner()
    yield from pulled._inner(names=("nginx",))


ABSENT = {
    "docker/setup": "absent",
    "docker/state": "codename debian trixie\narchitecture amd64\nactive inactive\nenabled not-found",
}


def test_without_an_engine_it_is_refused_before_the_first_command_with_what_to_type() -> None:
    assert "pyinfra inventory.py deploy.py" in refusal_of(pulled, ABSENT, names=("nginx",))


@pytest.mark.parametrize("facts", [{}, ABSENT])
def test_what_has_nothing_to_do_needs_no_engine(facts: dict[str, str]) -> None:
    assert commands_of(pulled, facts, names=()) == []


def test_with_an_engine_all_commands_come() -> None:
    assert commands_of(pulled, {}, names=("a", "b")) == [Command("images/pull", (each,)) for each in ("a", "b")]


def test_an_engine_that_comes_earlier_in_the_run_is_one() -> None:
    assert commands_of(prepared_and_pulled, ABSENT)[-1] == Command("images/pull", ("nginx",))
