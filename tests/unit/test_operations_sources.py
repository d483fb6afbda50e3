"""What the operations on the checkout, the images and the assets decide."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from mstdn.assets.operations import published_assets
from mstdn.checkout.operations import git_checkout
from mstdn.images.operations import built_images, pulled_images
from tests.harness import Command, commands_of, refusal_of

# --- Checkout -----------------------------------------------------------------------------------

REPOSITORY = "https://github.com/mastodon/mastodon.git"
SOURCE = "/srv/mastodon/source"
CHECKOUT_ARGUMENTS: dict[str, Any] = {"repository": REPOSITORY, "directory": SOURCE, "tag": "v4.7.6"}
CHECKOUT = Command("checkout/fetch", (REPOSITORY, SOURCE, "v4.7.6"))
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
    assert checkout_commands(f"head {HERE}\nwanted {HERE}\ntagged v4.7.6\n{modified}") == []


def test_modifications_are_not_lost_to_another_release() -> None:
    state = f"head {HERE}\nwanted \ntagged v4.7.5\nmodified  M app/x.rb\nmodified ?? notes\n"
    refusal = refusal_of(git_checkout, {"checkout/state": state}, **CHECKOUT_ARGUMENTS)
    assert " M app/x.rb; ?? notes" in refusal
    assert "images_patches_directory" in refusal


def test_commits_of_the_operators_own_are_not_lost_to_another_release() -> None:
    state = f"head {HERE}\nwanted {THERE}\ntagged \n"
    assert "a commit of its own" in refusal_of(git_checkout, {"checkout/state": state}, **CHECKOUT_ARGUMENTS)


# --- Images from a registry ---------------------------------------------------------------------

RECORD = "/srv/mastodon/state/images"
REFERENCES = ("postgres:17-trixie", "redis:7.4-alpine")
BOTH = "".join(f"id {name} sha256:i\ndigest {name} x@sha256:d\nrecorded {name} sha256:d\n" for name in REFERENCES)


def pull_commands(state: str, *, refresh: bool = False) -> list[Command]:
    return commands_of(pulled_images, {"images/state": state}, references=REFERENCES, record=RECORD, refresh=refresh)


def test_a_bare_server_pulls_everything_at_once() -> None:
    assert pull_commands("") == [Command("images/pull", (RECORD, "refuse", *REFERENCES))]


def test_what_is_there_is_not_pulled() -> None:
    assert pull_commands(BOTH) == []


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(BOTH.replace("id redis", "id other"), id="removed from the server"),
        pytest.param(BOTH.replace("recorded redis", "recorded other"), id="never recorded"),
    ],
)
def test_only_what_is_missing_is_pulled(state: str) -> None:
    assert pull_commands(state) == [Command("images/pull", (RECORD, "refuse", "redis:7.4-alpine"))]


def test_an_image_that_is_not_the_recorded_one_is_refused_with_both_ways_out() -> None:
    moved = BOTH.replace("digest redis:7.4-alpine x@sha256:d", "digest redis:7.4-alpine x@sha256:e")
    refusal = refusal_of(pulled_images, {"images/state": moved}, references=REFERENCES, record=RECORD)
    for needed in ("redis:7.4-alpine", "sha256:d", "sha256:e", "docker image rm", "images_refresh=true"):
        assert needed in refusal


def test_an_image_known_by_several_digests_is_accepted_when_one_is_the_recorded() -> None:
    assert pull_commands(BOTH + "digest redis:7.4-alpine mirror/redis@sha256:e\n") == []


def test_a_refresh_accepts_what_the_registry_offers_for_every_image() -> None:
    assert pull_commands(BOTH, refresh=True) == [Command("images/pull", (RECORD, "accept", *REFERENCES))]


# --- Images built on the server -----------------------------------------------------------------

PATCHES = ("diff --git a/x b/x\n", "diff --git a/y b/y\n")
PATCHES_ID = sha256("\n".join(PATCHES).encode()).hexdigest()[:12]


def build_commands(state: str) -> list[Command]:
    return commands_of(
        built_images,
        {"images/build_state": state},
        source=SOURCE,
        web="own/web:1",
        streaming="own/streaming:1",
        patches=PATCHES,
    )


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("", id="no checkout yet"),
        pytest.param("tree aa\n", id="never built"),
        pytest.param(f"built bb-{PATCHES_ID}\nbuilt bb-{PATCHES_ID}\ntree aa\n", id="the source changed"),
        pytest.param("built aa-0\nbuilt aa-0\ntree aa\n", id="the patches changed"),
        pytest.param(f"built aa-{PATCHES_ID}\ntree aa\n", id="one of the two is missing"),
    ],
)
def test_both_images_are_built_unless_both_were_built_from_this(state: str) -> None:
    (command,) = build_commands(state)
    assert command.script == "images/build"
    assert command.words[:3] == (SOURCE, "own/web:1", "own/streaming:1")
    assert command.stdin is not None
    assert all(patch in command.stdin for patch in PATCHES)


def test_images_built_from_this_source_and_these_patches_are_left_alone() -> None:
    assert build_commands(f"built aa-{PATCHES_ID}\nbuilt aa-{PATCHES_ID}\ntree aa\n") == []


# --- Assets -------------------------------------------------------------------------------------

ASSETS = "/srv/mastodon/assets"
IMAGE = "ghcr.io/mastodon/mastodon:v4.7.6"
CURRENT = "current v4.7.6-0123456789ab\nprevious v4.7.5-ba9876543210\ncomplete\nimage sha256:0123456789abcdef\n"


@pytest.mark.parametrize(
    ("state", "publishes"),
    [
        pytest.param(CURRENT, False, id="current"),
        pytest.param("", True, id="bare server"),
        pytest.param(CURRENT.replace("complete\n", ""), True, id="half copied"),
        pytest.param(CURRENT.replace("current v4.7.6", "current v4.7.5"), True, id="another release"),
        pytest.param(CURRENT.replace("image sha256:0", "image sha256:f"), True, id="another build of the release"),
        pytest.param(CURRENT.replace("previous v4.7.5-ba9876543210\n", ""), True, id="no previous"),
        pytest.param(CURRENT.replace("image sha256:0123456789abcdef\n", ""), True, id="no image"),
    ],
)
def test_assets_are_published_unless_they_are_those_of_the_image(state: str, publishes: bool) -> None:
    expected = [Command("assets/publish", (ASSETS, IMAGE, "v4.7.6"))] if publishes else []
    assert (
        commands_of(published_assets, {"assets/state": state}, root=ASSETS, image=IMAGE, release="v4.7.6") == expected
    )
