"""What the operations on images decide."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from mstdn.images.operations import built_images, pulled_images
from tests.harness import Command, commands_of, refusal_of


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
