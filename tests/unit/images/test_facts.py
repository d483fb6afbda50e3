"""Images, their record and their source, as the scripts print them."""

from __future__ import annotations

import pytest

from mstdn.images.facts import Images, ImageStates, RecordedImages, SourceTree
from tests.harness import read


def test_images_are_read_with_every_digest_and_their_source() -> None:
    output = """\
id postgres:17-bookworm sha256:aa
digest postgres:17-bookworm postgres@sha256:d1
digest postgres:17-bookworm mirror.example.org:5000/postgres@sha256:d2
id built:1 sha256:bb
built built:1 tree-patches
version postgres:17-bookworm PG_MAJOR=17
"""
    assert read(ImageStates, output) == Images(
        ids={"postgres:17-bookworm": "sha256:aa", "built:1": "sha256:bb"},
        digests={"postgres:17-bookworm": {"sha256:d1", "sha256:d2"}},
        built={"built:1": "tree-patches"},
        versions={"postgres:17-bookworm": {"PG_MAJOR": "17"}},
    )


def test_each_image_is_asked_for_once() -> None:
    assert ImageStates.of(["a:1", "b:1", "a:1"]).arguments == ("a:1", "b:1")


def test_the_record_is_read() -> None:
    output = "recorded postgres:17-bookworm sha256:d1\nrecorded redis:7.4 sha256:d2\n"
    assert read(RecordedImages, output) == {"postgres:17-bookworm": "sha256:d1", "redis:7.4": "sha256:d2"}


def test_half_a_line_of_the_record_says_nothing() -> None:
    assert read(RecordedImages, "recorded postgres:17-bookworm\nrecorded \nrecorded redis:7.4 sha256:d2\n") == {
        "redis:7.4": "sha256:d2"
    }


@pytest.mark.parametrize(("output", "tree"), [("tree cc\n", "cc"), ("", "")])
def test_the_source_is_read(output: str, tree: str) -> None:
    assert read(SourceTree, output) == tree
