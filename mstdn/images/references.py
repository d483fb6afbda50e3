"""Which images the settings name, and which are built. Pure but for the operator's patches, which are read."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from mstdn.settings import Settings


def web_image(settings: Settings) -> str:
    """The image of web, Sidekiq and migrations: official, or built on the server."""
    if settings.mastodon_image_source == "official":
        return settings.mastodon_image_reference
    return f"mstdn-source/mastodon:{settings.mastodon_version}-{patches_id(patches(settings))}"


def streaming_image(settings: Settings) -> str:
    """The image of the streaming server: official, or built on the server."""
    if settings.mastodon_image_source == "official":
        return settings.mastodon_streaming_image_reference
    return f"mstdn-source/mastodon-streaming:{settings.mastodon_version}-{patches_id(patches(settings))}"


def pulled_images(settings: Settings) -> tuple[str, ...]:
    """Every image that comes from a registry, for all projects."""
    monitoring = (settings.node_exporter_image, settings.postgres_exporter_image)
    mastodon = (web_image(settings), streaming_image(settings))
    return (
        *(mastodon if settings.mastodon_image_source == "official" else ()),
        settings.postgres_image,
        settings.redis_image,
        settings.nginx_image,
        settings.docker_gen_image,
        settings.acme_companion_image,
        settings.socket_proxy_image,
        *(monitoring if settings.monitoring_enabled else ()),
    )


def all_images(settings: Settings) -> tuple[str, ...]:
    """Every image of all projects, pulled or built."""
    return tuple(dict.fromkeys((web_image(settings), streaming_image(settings), *pulled_images(settings))))


def patches(settings: Settings) -> tuple[str, ...]:
    """The operator's patches in the order of their names."""
    if not settings.images_patches_directory:
        return ()
    return tuple(file.read_text() for file in sorted(Path(settings.images_patches_directory).glob("*.patch")))


def patches_id(texts: Sequence[str]) -> str:
    """Twelve digits that differ when the patches do."""
    return sha256("\n".join(texts).encode()).hexdigest()[:12]
