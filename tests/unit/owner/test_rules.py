"""What becomes of an account."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.owner.facts import Account, AccountState, Found
from mstdn.owner.rules import explanation, step
from tests.harness import read

ALICE = "account alice t t t f f alice@example.org"
NOBODY = "web\nrole Owner"
ASKED: dict[str, Any] = {"name": "alice", "address": "alice@example.org", "reset": "", "promote": False}
CREATE = ("create", "alice", "--email", "alice@example.org", "--confirmed", "--role", "Owner", "--approve")


def found(*lines: str) -> Found:
    return read(AccountState, "\n".join((NOBODY, *lines)))


def test_the_fact_reads_an_account_with_whatever_address() -> None:
    assert found("account Alice f f t t f a@b.example").account == Account(
        "Alice", "a@b.example", owner=False, confirmed=False, approved=True, disabled=True, second_factor=False
    )
    assert read(AccountState, "") == Found()
    assert found("taken bob").taken == "bob"


@pytest.mark.parametrize(
    ("lines", "asked", "arguments", "password"),
    [
        pytest.param([], {}, CREATE, True, id="made"),
        pytest.param([ALICE], {}, (), False, id="an owner already"),
        pytest.param(
            [ALICE], {"reset": "password"}, ("modify", "alice", "--reset-password"), True, id="a new password"
        ),
        pytest.param([ALICE], {"reset": "second_factor"}, (), False, id="no second factor to take away"),
        pytest.param(
            ["account alice t t t f t alice@example.org"],
            {"reset": "second_factor"},
            ("modify", "alice", "--disable-2fa"),
            False,
            id="second factor",
        ),
        pytest.param(
            ["account alice f t t f t alice@example.org"],
            {"reset": "both"},
            ("modify", "alice", "--reset-password", "--disable-2fa"),
            True,
            id="both, of somebody who is no owner and stays none",
        ),
        pytest.param(
            ["account Alice f f f t f alice@example.org"],
            {"promote": True},
            ("modify", "Alice", "--role", "Owner", "--confirm", "--approve", "--enable"),
            False,
            id="promoted, and able to log in",
        ),
        pytest.param(
            ["account alice f t t t f alice@example.org"],
            {"reset": "password"},
            ("modify", "alice", "--reset-password"),
            True,
            id="a member who was disabled stays so",
        ),
        pytest.param(
            ["account alice t t t t f alice@example.org"], {}, ("modify", "alice", "--enable"), False, id="locked owner"
        ),
    ],
)
def test_what_becomes_of_an_account(
    lines: list[str], asked: dict[str, Any], arguments: tuple[str, ...], password: bool
) -> None:
    todo = step(found(*lines), **ASKED | asked)
    assert (todo.arguments, todo.password, todo.refused) == (arguments, password, "")
    assert todo.said


@pytest.mark.parametrize(
    ("state", "asked", "words"),
    [
        pytest.param(found(), {"name": ""}, "owner_name=alice --data owner_email", id="whose"),
        pytest.param(Found(), {}, "deploy.py", id="no instance"),
        pytest.param(read(AccountState, "web"), {}, "db:seed", id="no role"),
        pytest.param(found(), {"address": ""}, "owner_email=ADDRESS", id="no address"),
        pytest.param(found(), {"reset": "password"}, "is the name right?", id="a reset of nobody"),
        pytest.param(found(), {"promote": True}, "is the name right?", id="nobody promoted"),
        pytest.param(found("taken bob"), {}, "owner_name=bob --data owner_promote=true", id="address of another"),
        pytest.param(found("account alice f t t f f a@b.example"), {}, "owner_promote=true", id="no owner"),
    ],
)
def test_refusals_say_what_to_type(state: Found, asked: dict[str, Any], words: str) -> None:
    todo = step(state, **ASKED | asked)
    assert words in todo.refused
    assert not todo.arguments


def test_what_is_asked_of_an_owner_who_is_there_and_not_done_is_said() -> None:
    said = step(found(ALICE), "alice", "other@example.org", "", promote=False).said
    assert "its address is alice@example.org" in said and "owner_reset=password" in said


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ("Failure/Error: email\n    unreachable", "DNS"),
        ("Failure/Error: account.username\n    taken", "another name"),
        ("Failure/Error: email\n    blocked", "blocks"),
        ("tootctl was killed (exit code 137).", "memory"),
        ("something else", ""),
    ],
)
def test_what_tootctl_says_is_explained(words: str, means: str) -> None:
    assert means in explanation(words) and bool(means) == bool(explanation(words))
