"""What the operation on the checkout decides, and what it makes of a real repository."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.checkout.operations import git_checkout
from tests.harness import Command, commands_of, refusal_of

REPOSITORY = "https://github.com/mastodon/mastodon.git"
SOURCE = "/srv/mastodon/source"
CHECKOUT_ARGUMENTS: dict[str, Any] = {"repository": REPOSITORY, "directory": SOURCE, "tag": "v4.7.60"}
CHECKOUT = Command("checkout/fetch", (REPOSITORY, SOURCE, "v4.7.60"))
HERE, THERE = "1" * 40, "2" * 40


def checkout_commands(state: str) -> list[Command]:
    return commands_of(git_checkout, {"checkout/state": state}, **CHECKOUT_ARGUMENTS)


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("", id="nothing there"),
        pytest.param("head \nwanted \ntagged \n", id="a first fetch was killed"),
        pytest.param(f"head {HERE}\nwanted \ntagged v4.7.5\n", id="another release"),
        pytest.param(f"head {HERE}\nwanted {THERE}\ntagged v4.7.5\n", id="the wanted release is fetched already"),
        pytest.param(
            f"switching\nhead {HERE}\nwanted {THERE}\ntagged v4.7.5\nmodified  M app/x.rb\n", id="a move was killed"
        ),
    ],
)
def test_the_release_is_checked_out_when_it_is_not_there(state: str) -> None:
    assert checkout_commands(state) == [CHECKOUT]


@pytest.mark.parametrize("modified", ["", "modified  M app/x.rb\n"], ids=["clean", "modified"])
def test_the_wanted_release_is_left_as_the_operator_has_it(modified: str) -> None:
    assert checkout_commands(f"head {HERE}\nwanted {HERE}\ntagged v4.7.60\n{modified}") == []


def test_modifications_are_not_lost_to_another_release() -> None:
    state = f"head {HERE}\nwanted \ntagged v4.7.5\nmodified  M app/x.rb\nmodified ?? notes\n"
    refusal = refusal_of(git_checkout, {"checkout/state": state}, **CHECKOUT_ARGUMENTS)
    assert " M app/x.rb; ?? notes" in refusal
    assert "images_patches_directory" in refusal


def test_commits_of_the_operators_own_are_not_lost_to_another_release() -> None:
    state = f"head {HERE}\nwanted {THERE}\ntagged \n"
    assert "a commit of its own" in refusal_of(git_checkout, {"checkout/state": state}, **CHECKOUT_ARGUMENTS)
