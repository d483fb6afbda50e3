"""What must hold between the settings of the images."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mstdn import versions
from mstdn.problems import Problem


def patches_need_a_build(mastodon_image_source: str, images_patches_directory: str) -> Iterator[Problem]:
    if images_patches_directory and mastodon_image_source == "official":
        yield Problem(
            "images_patches_directory",
            "the official images are pulled as they are, so the patches would have no effect",
            'mastodon_image_source = "source", or images_patches_directory = ""',
            f'"{images_patches_directory}"',
        )


def postgres_is_debians(postgres_image: str) -> Iterator[Problem]:
    """In the Debian variants of the image the user postgres is 999; in the Alpine ones 70, and text sorts otherwise."""
    if "alpine" in postgres_image:
        yield Problem(
            "postgres_image",
            "the database belongs to user 999, whom the Alpine variants do not have",
            f'a Debian variant, such as "{versions.POSTGRES_IMAGE}"',
            f'"{postgres_image}"',
        )


def stores_are_new_enough(postgres_image: str, redis_image: str) -> Iterator[Problem]:
    """Judges images that are called postgres and redis, by the version in their tags; others may count otherwise."""
    for setting, reference, name, oldest, shipped in (
        ("postgres_image", postgres_image, "postgres", (versions.OLDEST_POSTGRES,), versions.POSTGRES_IMAGE),
        ("redis_image", redis_image, "redis", versions.OLDEST_REDIS, versions.REDIS_IMAGE),
    ):
        tag = re.search(rf"(?:^|/){name}:(\d+)(?:\.(\d+))?", reference)
        if tag is None:
            continue
        # A tag without the second number is the newest of its kind.
        version = tuple(int(number) for number in tag.groups() if number is not None)
        if version < oldest[: len(version)]:
            needed = ".".join(map(str, oldest))
            yield Problem(setting, f"Mastodon needs {needed} or newer", f'{setting} = "{shipped}"', f'"{reference}"')
