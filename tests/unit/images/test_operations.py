"""What the operations on images decide."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from pyinfra.api import Host

from mstdn.asking import Questions
from mstdn.fact import Question
from mstdn.images.facts import ImageStates, RecordedImages
from mstdn.images.operations import built_images, pulled_images
from tests.harness import Command, commands_of, of_the_unit, refusal_of

# --- Images from a registry ---------------------------------------------------------------------

RECORD = "/srv/mastodon/state/images"
REFERENCES = ("postgres:17-bookworm", "redis:7.4-bookworm")
BOTH = "".join(f"id {name} sha256:i\ndigest {name} x@sha256:d\n" for name in REFERENCES)
RECORDED = "".join(f"recorded {name} sha256:d\n" for name in REFERENCES)
# All that the suite knows: one question to the engine serves every operation.
IMAGES = (*REFERENCES, "nginx:1.29-alpine")


def pull_commands(*states: str, recorded: str, refresh: bool = False) -> list[Command]:
    """What the operation does on a server that has the first of these states, and after each command the next one."""
    later = list(states)

    def answers(_: Host, batch: Questions) -> dict[Question[Any], list[str] | None]:
        state = later.pop(0) if len(later) > 1 else later[0]
        facts = {"images/state": state, "images/recorded": recorded, "docker/setup": ""}
        return {each: facts[each.fact.script].splitlines() for each in _both(batch)}

    arguments: dict[str, Any] = {"references": REFERENCES, "images": IMAGES, "record": RECORD, "refresh": refresh}
    return commands_of(pulled_images, {}, executing=True, answers=answers, **arguments)


def _both(batch: Questions) -> set[Question[Any]]:
    """The two questions of the operation are answered together, as in a deployment."""
    return {*batch, ImageStates.of(IMAGES), RecordedImages.of(RECORD)}


def record(**digests: str) -> Command:
    text = "".join(f"{name} {digests[name.partition(':')[0]]}\n" for name in REFERENCES)
    return Command("files/put", ("file", "0:0", "0644", RECORD), text)


def pull(*references: str) -> list[Command]:
    what = f"The pull of {len(references)} images"
    return of_the_unit(what, references, "images/put_in_order", "connection", "lock", "images/pull")


PULL_ALL = pull(*REFERENCES)


def test_a_bare_server_pulls_everything_at_once_and_records_what_it_got() -> None:
    assert pull_commands("", BOTH, recorded="") == [*PULL_ALL, record(postgres="sha256:d", redis="sha256:d")]


def test_what_is_there_is_not_pulled() -> None:
    assert pull_commands(BOTH, recorded=RECORDED) == []


@pytest.mark.parametrize(
    ("state", "recorded"),
    [
        pytest.param(BOTH.replace("id redis", "id other"), RECORDED, id="removed from the server"),
        pytest.param(BOTH, RECORDED.replace("redis", "other"), id="never recorded"),
    ],
)
def test_only_what_is_missing_is_pulled(state: str, recorded: str) -> None:
    assert pull_commands(state, BOTH, recorded=recorded)[:2] == pull("redis:7.4-bookworm")


MOVED = BOTH.replace("digest redis:7.4-bookworm x@sha256:d", "digest redis:7.4-bookworm x@sha256:e")


def test_an_image_that_is_not_the_recorded_one_is_refused_with_both_ways_out() -> None:
    refusal = refusal_of(
        pulled_images,
        {"images/state": MOVED, "images/recorded": RECORDED},
        references=REFERENCES,
        images=IMAGES,
        record=RECORD,
    )
    for needed in ("redis:7.4-bookworm", "sha256:d", "sha256:e", "docker image rm", "images_refresh=true"):
        assert needed in refusal


def test_a_tag_that_moved_at_the_registry_is_refused_and_forgotten_and_nothing_is_recorded() -> None:
    *pulled, forget, refusal = pull_commands("", MOVED, recorded=RECORDED)
    assert (pulled, forget) == (PULL_ALL, Command("images/forget", ("redis:7.4-bookworm",)))
    for needed in ("The tag redis:7.4-bookworm moved", "sha256:d", "sha256:e", "images_refresh=true"):
        assert needed in refusal.words[1]


def test_an_image_known_by_several_digests_is_accepted_when_one_is_the_recorded() -> None:
    both_digests = BOTH + "digest redis:7.4-bookworm mirror/redis@sha256:e\n"
    assert pull_commands(both_digests, recorded=RECORDED) == []
    assert pull_commands("", both_digests, recorded=RECORDED)[2] == record(postgres="sha256:d", redis="sha256:d")


def test_a_refresh_accepts_what_the_registry_offers_for_every_image() -> None:
    commands = pull_commands(BOTH, MOVED, recorded=RECORDED, refresh=True)
    assert commands == [*PULL_ALL, record(postgres="sha256:d", redis="sha256:e")]


def test_what_is_recorded_of_other_images_stays() -> None:
    *_, write = pull_commands("", BOTH, recorded="recorded ghcr.io/mastodon/mastodon:v4.7.5 sha256:c\n")
    assert write.stdin is not None and "ghcr.io/mastodon/mastodon:v4.7.5 sha256:c\n" in write.stdin


# --- Images built on the server -----------------------------------------------------------------

PATCHES = ("diff --git a/x b/x\n", "diff --git a/y b/y\n")
PATCHES_ID = sha256("\n".join(PATCHES).encode()).hexdigest()[:12]


SOURCE = "/srv/mastodon/source"
WEB, STREAMING = "own/web:1", "own/streaming:1"


def built(source: str) -> str:
    return f"built {WEB} {source}\nbuilt {STREAMING} {source}\n"


def build_commands(tree: str, state: str) -> list[Command]:
    return commands_of(
        built_images,
        {"images/source": tree, "images/state": state},
        source=SOURCE,
        web=WEB,
        streaming=STREAMING,
        images=(WEB, STREAMING, *IMAGES),
        patches=PATCHES,
    )


@pytest.mark.parametrize(
    ("tree", "state"),
    [
        pytest.param("", "", id="no checkout yet"),
        pytest.param("", built(f"-{PATCHES_ID}"), id="the checkout is gone"),
        pytest.param("tree aa\n", "", id="never built"),
        pytest.param("tree aa\n", built(f"bb-{PATCHES_ID}"), id="the source changed"),
        pytest.param("tree aa\n", built("aa-0"), id="the patches changed"),
        pytest.param("tree aa\n", f"built {WEB} aa-{PATCHES_ID}\n", id="one of the two is missing"),
        pytest.param(
            "tree aa\n",
            f"built {WEB} aa-{PATCHES_ID}\nbuilt {STREAMING} bb-{PATCHES_ID}\n",
            id="one of the two is older",
        ),
    ],
)
def test_both_images_are_built_unless_both_were_built_from_this(tree: str, state: str) -> None:
    words, text = (SOURCE, WEB, STREAMING, PATCHES_ID), "\n".join(PATCHES)
    program = ("images/put_in_order", "connection", "lock", "images/build")
    assert build_commands(tree, state) == of_the_unit(f"The build of {WEB}", words, *program, stdin=text)


def test_images_built_from_this_source_and_these_patches_are_left_alone() -> None:
    assert build_commands("tree aa\n", built(f"aa-{PATCHES_ID}")) == []
