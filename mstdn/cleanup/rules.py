"""
Which images are no longer needed. Pure.

A release is about 2 GB. What runs stays, and the release before it, to which the operator may want to go back. Only
what the suite itself has pulled or built is looked at: images of others are theirs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from mstdn.assets.facts import Assets
from mstdn.cleanup.facts import Image
from mstdn.kinds.images import release_numbers

# Temporary files: a film takes minutes, an archive of an account hours.
SCRATCH_MINUTES = 24 * 60


def unneeded(
    images: Iterable[Image],
    used: Collection[str],
    wanted: Sequence[str],
    recorded: Iterable[str],
    assets: Assets,
    release: str,
) -> list[Image]:
    """
    The images to remove.

    used: IDs of those that containers were made from, and of those that are named. wanted: references of all images
    that the settings name. recorded: references that the suite has pulled. assets: what is published, which tells the
    release before. release: the one that is wanted.
    """
    found, ours = list(images), {*wanted, *recorded}
    repositories = {_repository(reference) for reference in ours}
    before = _before(assets, release)
    kept_tags = _tags(found, before)
    gone = []
    for image in found:
        reference = f"{image.repository}:{image.tag}"
        if image.id in used or reference in wanted or _is(image, before):
            continue
        if image.tag:
            if (reference in ours or image.built) and image.tag not in kept_tags:
                gone.append(image)
        elif image.built or image.repository in repositories:
            gone.append(image)
    return gone


def unneeded_dumps(dumps: Iterable[str], left: Iterable[str], release: str) -> list[str]:
    """
    The dumps of the database that nobody needs any more, by their names: all but those of this release and the last one
    before, and what was left since for one of them.

    Not the one whose assets were published before: that may be one that never came up.
    """
    found = list(dumps)
    before = [each for each in found if release_numbers(each) < release_numbers(release)]
    kept = {release, max(before, key=release_numbers, default="")}
    oldest = min(map(release_numbers, filter(None, kept)))
    return [
        *(each for each in found if each not in kept),
        *(f"left-{each}" for each in left if release_numbers(each) < oldest),
    ]


def _before(assets: Assets, release: str) -> str:
    """The published release to keep besides the wanted one, "v4.7.5-0123456789ab"; "" if there is none."""
    # Before an upgrade the present one, afterwards the one before it: a plan says what the run will do.
    return assets.previous if assets.current.rpartition("-")[0] == release else assets.current


def _is(image: Image, published: str) -> bool:
    digits = published.rpartition("-")[2]
    return bool(digits) and image.id.removeprefix("sha256:").startswith(digits)


def _tags(images: Iterable[Image], published: str) -> set[str]:
    """The tags of a published release. Both of its images have the same, and only Mastodon's is known by its ID."""
    if not published:
        return set()
    known = {image.tag for image in images if image.tag and _is(image, published)}
    return known or {published.rpartition("-")[0]}


def _repository(reference: str) -> str:
    """The name without tag and digest, as Docker lists it."""
    found = re.fullmatch(r"(.+?)(?::[^:/]+)?", reference.partition("@")[0])
    return (found[1] if found else reference).removeprefix("docker.io/").removeprefix("library/")
