"""The settings of the images that run beside Mastodon's own, and of the build of one's own."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mstdn import versions
from mstdn.images.rules import patches_need_a_build, postgres_is_debians, stores_are_new_enough
from mstdn.kinds.images import ImageReference
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.paths import PatchesOrEmpty


class ImagesSettings(Part):
    """Which images run, apart from Mastodon's own (mastodon_image)."""

    title: ClassVar[str] = "Images"
    relations: ClassVar[tuple[Relation, ...]] = (
        patches_need_a_build,
        postgres_is_debians,
        stores_are_new_enough,
    )

    images_patches_directory: PatchesOrEmpty = Field(
        "",
        examples=["patches"],
        description='Patches (*.patch, applied in order of their names) for mastodon_image_source = "source";'
        " a directory beside the inventory.",
    )
    postgres_image: ImageReference = Field(
        versions.POSTGRES_IMAGE,
        description="PostgreSQL, 14 or newer, in a variant with Debian. A new major version needs a dump.",
    )
    redis_image: ImageReference = Field(versions.REDIS_IMAGE, description="Redis, 7.0 or newer.")
    nginx_image: ImageReference = Field(versions.NGINX_IMAGE, description="Both nginx: the proxy and the inner one.")
    docker_gen_image: ImageReference = Field(versions.DOCKER_GEN_IMAGE, description="Writes the proxy's configuration.")
    acme_companion_image: ImageReference = Field(versions.ACME_COMPANION_IMAGE, description="Gets the certificates.")
    socket_proxy_image: ImageReference = Field(
        versions.SOCKET_PROXY_IMAGE,
        description="Lets those two ask Docker a few questions and nothing else.",
    )
    node_exporter_image: ImageReference = Field(
        versions.NODE_EXPORTER_IMAGE, description="Tells of the server, with monitoring_enabled = True."
    )
    postgres_exporter_image: ImageReference = Field(
        versions.POSTGRES_EXPORTER_IMAGE, description="Tells of the database, with monitoring_enabled = True."
    )
    images_refresh: bool = Field(
        False,
        description="Take what the registry offers now for every tag, even where it moved. Meant for one run:"
        " `--data images_refresh=true`.",
    )
