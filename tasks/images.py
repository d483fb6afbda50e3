"""
Images: everything that will run is on the server before anything is stopped.

Run by itself:  pyinfra inventory.py tasks/images.py
Take what the registries offer now, for security fixes of the base images:
            pyinfra inventory.py deploy.py --data images_refresh=true
"""

from pyinfra import host

from mstdn.images import operations, references
from mstdn.layout import MastodonLayout
from mstdn.settings import settings_for

settings = settings_for(host)
layout = MastodonLayout(settings.mastodon_root)

operations.pulled_images(
    name="Pull the images of both projects",
    references=references.pulled_images(settings),
    images=references.all_images(settings),
    record=layout.images,
    refresh=settings.images_refresh,
)

if settings.mastodon_image_source == "source":
    # This is where assets are precompiled.
    operations.built_images(
        name="Build Mastodon's images from the checkout",
        source=layout.source,
        web=references.web_image(settings),
        streaming=references.streaming_image(settings),
        patches=references.patches(settings),
        images=references.all_images(settings),
    )
