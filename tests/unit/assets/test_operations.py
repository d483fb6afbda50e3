"""When assets are published."""

from __future__ import annotations

import pytest

from mstdn.assets.operations import published_assets
from tests.harness import Command, commands_of


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
