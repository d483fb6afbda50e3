"""
Cleanup: images of releases before the last one, and what killed processes left, go once the new release is verified.

Run alone:  pyinfra inventory.py tasks/cleanup.py
"""

from pyinfra import host

from mstdn.cleanup.operations import no_old_dumps, no_old_images, no_old_scratch
from mstdn.images.references import all_images
from mstdn.layout import MastodonLayout
from mstdn.settings import settings_for

settings = settings_for(host)
layout = MastodonLayout(settings.mastodon_root)

no_old_images(
    name="Remove images that nothing needs any more",
    images=all_images(settings),
    record=layout.images,
    assets=layout.assets,
    release=settings.mastodon_version,
)

no_old_dumps(
    name="Remove dumps of the database that nothing needs any more",
    root=layout.root,
    release=settings.mastodon_version,
)

no_old_scratch(
    name="Remove old temporary files",
    directory=layout.scratch,
)
