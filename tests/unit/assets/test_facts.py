"""What is published, as the script prints it."""

from __future__ import annotations

from mstdn.assets.facts import Assets, PublishedAssets
from tests.harness import read


def test_published_releases_are_read() -> None:
    output = "current v4.7.60-0123456789ab\nprevious v4.7.5-ba9876543210\ncomplete\n"
    assert read(PublishedAssets, output) == Assets("v4.7.60-0123456789ab", "v4.7.5-ba9876543210", True)


def test_a_bare_server_publishes_nothing() -> None:
    assert read(PublishedAssets, "") == Assets("", "", False)
