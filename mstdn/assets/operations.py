"""Compiled assets for the inner nginx."""

from pyinfra import host
from pyinfra.api import operation

from mstdn.assets.facts import PublishedAssets
from mstdn.shell import Commands, script


@operation()
def published_assets(root: str, image: str, release: str) -> Commands:
    """
    Ensure that `root`/current leads to the public files of `image`, and `root`/previous to those of the release before.

    + root: directory that the inner nginx serves
    + image: reference of Mastodon's image
    + release: begins the name of the directory; the image's ID ends it, so that a patched build has one of its own
    """
    assets = host.get_fact(PublishedAssets, root=root, image=image)
    name = f"{release}-{assets.image.removeprefix('sha256:')[:12]}"
    if not (assets.image and assets.complete and assets.current == name and assets.previous):
        yield script("assets/publish", root, image, release)
