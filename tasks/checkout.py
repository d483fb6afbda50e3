"""
Checkout: the source of exactly the release that runs, to read, to patch and to build from.

Run by itself:  pyinfra inventory.py tasks/checkout.py
"""

from pyinfra import host

from mstdn.checkout.operations import git_checkout
from mstdn.layout import MastodonLayout
from mstdn.settings import settings_for

settings = settings_for(host)

git_checkout(
    name="Check out the source of Mastodon's release",
    repository=settings.checkout_repository,
    directory=MastodonLayout(settings.mastodon_root).source,
    tag=settings.mastodon_version,
)
