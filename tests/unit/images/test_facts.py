"""Images, their record and their source, as the scripts print them."""

from __future__ import annotations

import pytest
from pyinfra.api.exceptions import FactProcessError

from mstdn.images.facts import Images, ImageStates, RecordedImages, SourceTree
from tests.harness import read


def test_images_are_read_with_every_digest_and_their_source() -> None:
    output = """\
id postgres:17-trixie sha256:aa
digest postgres:17-trixie postgres@sha256:d1
digest postgres:17-trixie mirror.example.org:5000/postgres@sha256:d2
id built:1 sha256:bb
built built:1 tree-patches
version postgres:17-trixie PG_MAJOR=17
"""
    assert read(ImageStates, output) == Images(
        ids={"postgres:17-trixie": "sha256:aa", "built:1": "sha256:bb"},
        digests={"postgres:17-trixie": {"sha256:d1", "sha256:d2"}},
        built={"built:1": "tree-patches"},
        versions={"postgres:17-trixie": {"PG_MAJOR": "17"}},
    )


def test_each_image_is_asked_for_once() -> None:
    assert ImageStates.of(["a:1", "b:1", "a:1"]).arguments == ("a:1", "b:1")


def test_the_record_is_read() -> None:
    output = "recorded postgres:17-trixie sha256:d1\nrecorded redis:7.4 sha256:d2\n"
    assert read(RecordedImages, output) == {"postgres:17-trixie": "sha256:d1", "redis:7.4": "sha256:d2"}


def test_a_record_with_half_a_line_is_contained() -> None:
    with pytest.raises(FactProcessError, match="images/recorded answered something unexpected"):
        read(RecordedImages, "recorded postgres:17-trixie\n")


@pytest.mark.parametrize(("output", "tree"), [("tree cc\n", "cc"), ("", "")])
def test_the_source_is_read(output: str, tree: str) -> None:
    assert read(SourceTree, output) == tree
