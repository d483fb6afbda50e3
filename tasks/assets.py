"""
Assets: the release's compiled styles and scripts go to the inner nginx; those of the release before stay.

Run alone:  pyinfra inventory.py tasks/assets.py
"""

from pyinfra import host

from mstdn.assets.operations import published_assets
from mstdn.settings import settings_for
from mstdn.stack import web_image

settings = settings_for(host)

published_assets(
    name="Publish the release's compiled assets",
    root=f"{settings.mastodon_root}/assets",
    image=web_image(settings),
    release=settings.mastodon_version,
)
