"""
Verify: the site as a visitor sees it, over the network, from this machine.

Run alone:  pyinfra inventory.py tasks/verify.py -y
"""

from pyinfra import host

from mstdn.operations.verify import verified_site
from mstdn.settings import settings_for

settings = settings_for(host)

verified_site(
    name="Visit the site",
    domain=settings.site_domain,
    address=settings.public_ipv4,
    ca_bundle=settings.acme_ca_bundle,
    version=settings.mastodon_version.removeprefix("v"),
    timeout_seconds=settings.verify_timeout_seconds,
)
