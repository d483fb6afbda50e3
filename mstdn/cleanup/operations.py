"""What is left behind is removed when the new release has been verified."""

from __future__ import annotations

from collections.abc import Sequence

from mstdn.asking import ask
from mstdn.assets.facts import PublishedAssets
from mstdn.cleanup.facts import Images, OldScratch
from mstdn.cleanup.rules import SCRATCH_MINUTES, unneeded, unneeded_dumps
from mstdn.database.facts import DatabaseDumps
from mstdn.docker.facts import Containers
from mstdn.images.facts import ImageStates, RecordedImages
from mstdn.operation import announce, operation
from mstdn.shell import Commands, script


@operation
def no_old_images(images: Sequence[str], record: str, assets: str, release: str) -> Commands:
    """
    Ensure that no image of ours is left but those that run and those of the release before.

    + images: references of all images that the settings name
    + record: file on the server that names what was pulled
    + assets: directory of the published assets, which tells the release before
    """
    recorded, published = ask(RecordedImages.of(record)), ask(PublishedAssets.under(assets))
    present, used = ask(Images.all()), {container.image for container in ask(Containers.all())}
    # One that is named by its digest has no tag.
    used |= {*ask(ImageStates.of(images)).ids.values()}
    gone = unneeded(present, used, images, recorded, published, release)
    if not gone:
        return
    announce(*(f"{image.repository}:{image.tag or 'without a tag'} is no longer needed" for image in gone))
    # First, because the images are what tells the next run of both where this one is killed.
    if any(image.built for image in gone):
        announce(
            "what builds on this engine left in their cache, others' too, goes where no build has used it for a day"
        )
        yield script("cleanup/prune_builds")
    yield script("cleanup/remove_images", *dict.fromkeys(image.name for image in gone))


@operation
def no_old_dumps(root: str, release: str) -> Commands:
    """
    Ensure that no dump of the database is left but those that lead back to the release before.

    + root: of the instance
    """
    dumps = ask(DatabaseDumps.under(root))
    gone = unneeded_dumps(dumps.releases, dumps.left, release)
    if gone or dumps.half:
        announce(*(f"the dump of the database {each} is no longer needed" for each in gone))
        announce(*(["half a dump of the database is left of one that was cut off"] if dumps.half else []))
        yield script("cleanup/remove_dumps", root, *gone)


@operation
def no_old_scratch(directory: str) -> Commands:
    """Ensure that nothing is left of the temporary files of programs that were killed, such as FFmpeg."""
    old = ask(OldScratch.under(directory, SCRATCH_MINUTES))
    if old.number:
        announce(f"{directory}: {old.number} files of {max(1, old.kib // 1024)} MiB, older than a day")
        yield script("cleanup/empty_scratch", directory, str(SCRATCH_MINUTES))
