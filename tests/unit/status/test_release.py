"""An upgrade that is half done, and releases that are out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mstdn.status.complaint import Seen
from mstdn.status.release import newer_patch
from mstdn.versions import MASTODON, NEWEST_PATCHES
from tests.unit.status.server import installed, is_told_once, parts


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(
            parts(updates=(("99.0.1", True), ("99.0.2", False), ("99.1.0-beta.1", True), ("4.0.0", True))),
            "error",
            "release",
            f"v99.0.1 is out and mends security; {MASTODON} is installed",
            'mastodon_version = "v99.0.1"',
            id="security release",
        ),
        pytest.param(
            replace(
                installed(MASTODON_VERSION="v98.1.0"), parts=parts(updates=(("98.2.3", True), ("98.1.7", True))).parts
            ),
            "error",
            "release",
            "v98.1.7, v98.2.3 are out and mend security",
            'mastodon_version = "v98.1.7"',
            id="security releases of two minors",
        ),
        pytest.param(
            installed(NEXT_VERSION="v9.9.9"), "error", "release", "not finished", "deploy.py", id="half an upgrade"
        ),
        pytest.param(
            installed(NEXT_VERSION="v9.9.9", WORK="activating"),
            "warning",
            "release",
            "A deployment is at work",
            "journalctl --follow --unit mstdn-deploy",
            id="an upgrade at work",
        ),
        pytest.param(
            installed(MASTODON_VERSION="v4.6.0"),
            "warning",
            "release",
            NEWEST_PATCHES[-2],
            "mastodon_version",
            id="patch",
        ),
    ],
)
def test_a_release_that_is_not_as_it_should_be_is_told_once_with_its_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    is_told_once(seen, level, about, words, remedy)


@pytest.mark.parametrize(
    ("release", "newer"),
    [(MASTODON, ""), ("v4.5.0", "v4.5.20"), ("v4.5.99", ""), ("v3.0.0", ""), ("none", "")],
)
def test_only_a_newer_patch_of_the_same_minor_release_is_named(release: str, newer: str) -> None:
    assert newer_patch(release) == newer
