"""When assets are published."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.assets.operations import published_assets
from tests.harness import commands_of, of_the_unit

ASSETS = "/srv/mastodon/assets"
IMAGE = "ghcr.io/mastodon/mastodon:v4.7.60"
IMAGES = ("nginx:1.29-alpine", IMAGE)
CURRENT = "current v4.7.60-0123456789ab\nprevious v4.7.5-ba9876543210\ncomplete\n"
PRESENT = f"id nginx:1.29-alpine sha256:ff\nid {IMAGE} sha256:0123456789abcdef\n"


@pytest.mark.parametrize(
    ("state", "images", "publishes"),
    [
        pytest.param(CURRENT, PRESENT, False, id="current"),
        pytest.param("", PRESENT, True, id="bare server"),
        pytest.param(CURRENT.replace("complete\n", ""), PRESENT, True, id="half copied"),
        pytest.param(CURRENT.replace("current v4.7.60", "current v4.7.5"), PRESENT, True, id="another release"),
        pytest.param(CURRENT, PRESENT.replace("sha256:0", "sha256:f"), True, id="another build of the release"),
        pytest.param(CURRENT.replace("previous v4.7.5-ba9876543210\n", ""), PRESENT, True, id="no previous"),
        pytest.param(CURRENT, "id nginx:1.29-alpine sha256:ff\n", True, id="no image"),
    ],
)
def test_assets_are_published_unless_they_are_those_of_the_image(state: str, images: str, publishes: bool) -> None:
    program = ("assets/put_in_order", "connection", "lock", "timers/growth", "assets/publish")
    work = of_the_unit(f"The publishing of the assets of {IMAGE}", (ASSETS, IMAGE, "v4.7.60"), *program)
    facts = {"assets/state": state, "images/state": images}
    arguments: dict[str, Any] = {"root": ASSETS, "image": IMAGE, "release": "v4.7.60", "images": IMAGES}
    assert commands_of(published_assets, facts, **arguments) == (work if publishes else [])
