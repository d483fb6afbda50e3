"""Which images are pulled and which are built."""

from __future__ import annotations

from pathlib import Path

from mstdn import versions
from mstdn.images.references import all_images, patches, patches_id, pulled_images, streaming_image, web_image
from tests.harness import settings_with

PATCH = "diff --git a/README.md b/README.md\n"


def test_official_images_are_pulled_at_the_pinned_release() -> None:
    references = pulled_images(settings_with(mastodon_version="v4.7.5"))
    assert references == (
        "ghcr.io/mastodon/mastodon:v4.7.5",
        "ghcr.io/mastodon/mastodon-streaming:v4.7.5",
        versions.POSTGRES_IMAGE,
        versions.REDIS_IMAGE,
        versions.NGINX_IMAGE,
        versions.DOCKER_GEN_IMAGE,
        versions.ACME_COMPANION_IMAGE,
        versions.SOCKET_PROXY_IMAGE,
    )


def test_images_of_ones_own_are_built_and_not_pulled(tmp_path: Path) -> None:
    (tmp_path / "1.patch").write_text(PATCH)
    plain = settings_with(mastodon_image_source="source")
    patched = settings_with(mastodon_image_source="source", images_patches_directory=str(tmp_path))
    assert not any("mastodon:" in reference for reference in pulled_images(plain))
    names = {image(settings) for image in (web_image, streaming_image) for settings in (plain, patched)}
    assert len(names) == 4
    assert not any(name.startswith("ghcr.io/") for name in names)


def test_patches_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("20-second.patch", "10-first.patch", "README"):
        (tmp_path / name).write_text(name)
    settings = settings_with(mastodon_image_source="source", images_patches_directory=str(tmp_path))
    assert patches(settings) == ("10-first.patch", "20-second.patch")
    assert patches_id(["a", "b"]) != patches_id(["b", "a"])


def test_every_image_is_known_once_pulled_or_built() -> None:
    official, built = settings_with(), settings_with(mastodon_image_source="source")
    assert all_images(official) == pulled_images(official)
    assert all_images(built) == (web_image(built), streaming_image(built), *pulled_images(built))
    own = settings_with(nginx_image="own:1", redis_image="own:1")
    assert all_images(own).count("own:1") == 1
