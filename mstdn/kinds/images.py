"""The kinds of value that name a release of Mastodon or an image."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from mstdn.kinds.text import refuse

# Mastodon before 4.4 does not boot without OTP_SECRET, which the suite does not make.
OLDEST_MASTODON = (4, 4, 0)

IMAGE_NAME = r"([a-z0-9][a-z0-9.-]*(:\d+)?/)?[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*"
IMAGE = re.compile(
    rf"(?P<name>{IMAGE_NAME})(:(?P<tag>\w[\w.-]{{0,127}}))?(?P<digest>@sha256:[0-9a-f]{{64}})?", re.ASCII
)


def release(value: str) -> str:
    """Exactly one stable release, written as its tag: v4.7.0."""
    if not value:
        raise refuse("it is not set")
    if re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", value):
        raise refuse("a release is written with its v", f"v{value}")
    if value in ("latest", "edge", "nightly") or re.fullmatch(r"v?[0-9]+(\.[0-9]+)?", value):
        raise refuse("this name moves from release to release; one exact release is needed")
    if re.fullmatch(r"v\d+\.\d+\.\d+[-+.].+", value):
        raise refuse("this is not a stable release")
    if not re.fullmatch(r"v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)", value):
        raise refuse("this is not a release but perhaps a branch, and a branch moves")
    if release_numbers(value) < OLDEST_MASTODON:
        raise refuse("releases before v4.4.0 are not maintained and need secrets that the suite does not make")
    return value


def release_numbers(value: str) -> tuple[int, int, int]:
    """(major, minor, patch) of a stable release such as v4.7.0."""
    major, minor, patch = value.removeprefix("v").split(".")
    return int(major), int(minor), int(patch)


def image_repository(value: str) -> str:
    """An image's name without tag and digest: the tag is mastodon_version."""
    image = IMAGE.fullmatch(value)
    if image is None:
        raise refuse("it is not the name of an image")
    if image["tag"] or image["digest"]:
        raise refuse("its tag is mastodon_version; only the name belongs here", image["name"])
    return value


def image_reference(value: str) -> str:
    """An image with an explicit tag that names a version, or with a digest."""
    image = IMAGE.fullmatch(value)
    if image is None:
        raise refuse("it is not the name of an image with a tag")
    if image["digest"]:
        return value
    if image["tag"] is None:
        raise refuse("it has no tag, which means latest, and latest moves")
    if not re.search(r"\d", image["tag"]):
        raise refuse("its tag names no version, so it moves; name a version or a digest")
    return value


Release = Annotated[str, AfterValidator(release), Field(title="release, with its v")]
ImageRepository = Annotated[str, AfterValidator(image_repository), Field(title="image without tag")]
ImageReference = Annotated[str, AfterValidator(image_reference), Field(title="image with tag or digest")]
