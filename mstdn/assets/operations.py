"""Compiled assets for the inner nginx."""

from collections.abc import Sequence

from mstdn.asking import ask
from mstdn.assets.facts import PublishedAssets
from mstdn.docker.presence import needs_engine
from mstdn.images.facts import ImageStates
from mstdn.operation import announce, operation
from mstdn.shell import Commands
from mstdn.timers.following import deployment_work

PUBLISH = ("assets/put_in_order", "connection", "lock", "timers/growth", "assets/publish")


@operation
@needs_engine
def published_assets(root: str, image: str, release: str, images: Sequence[str]) -> Commands:
    """
    Ensure that `root`/current leads to the public files of `image`, and `root`/previous to those of the release before.

    + root: directory that the inner nginx serves
    + image: reference of Mastodon's image
    + images: references of all images that the suite knows
    + release: begins the name of the directory; the image's ID ends it, so that a patched build has one of its own

    The publishing is work of the server, which goes on without this connection.
    """
    assets, present = ask(PublishedAssets.under(root)), ask(ImageStates.of(images)).ids.get(image, "")
    name = f"{release}-{present.removeprefix('sha256:')[:12]}"
    if not (present and assets.complete and assets.current == name and assets.previous):
        announce(f"{root} does not lead to the files of {image}")
        yield from deployment_work(f"The publishing of the assets of {image}", root, image, release, program=PUBLISH)
