"""
Images: everything that will run is on the server before anything is stopped.

Run alone:  pyinfra inventory.py tasks/images.py
Take what the registries offer now, for security fixes of the base images:
            pyinfra inventory.py deploy.py --data images_refresh=true
"""

from pyinfra import host

from mstdn.images.operations import built_images, pulled_images
from mstdn.settings import settings_for
from mstdn.stack import patches, pulled_image_references, streaming_image, web_image

settings = settings_for(host)

pulled_images(
    name="Pull the images of both projects",
    references=pulled_image_references(settings),
    record=f"{settings.mastodon_root}/state/images",
    refresh=settings.images_refresh,
)

if settings.mastodon_image_source == "source":
    # This is where assets are precompiled.
    built_images(
        name="Build Mastodon's images from the checkout",
        source=f"{settings.mastodon_root}/source",
        web=web_image(settings),
        streaming=streaming_image(settings),
        patches=patches(settings),
    )
