"""
Assets: the release's compiled styles and scripts go to the inner nginx; those of the release before stay.

Run by itself:  pyinfra inventory.py tasks/assets.py
"""

from pyinfra import host

from mstdn.assets.operations import published_assets
from mstdn.images.references import all_images, web_image
from mstdn.layout import MastodonLayout
from mstdn.settings import settings_for

settings = settings_for(host)

published_assets(
    name="Publish the release's compiled assets",
    root=MastodonLayout(settings.mastodon_root).assets,
    image=web_image(settings),
    release=settings.mastodon_version,
    images=all_images(settings),
)
