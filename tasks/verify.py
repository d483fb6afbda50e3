"""
Verify: the site as a visitor sees it, over the network, from this machine.

Run by itself:  pyinfra inventory.py tasks/verify.py -y
"""

from pyinfra import host

from mstdn.app.names import served_names
from mstdn.settings import settings_for
from mstdn.verify.operations import MailServer, verified_site

settings = settings_for(host)

verified_site(
    name="Visit the site",
    domain=settings.site_domain,
    names=settings.public_domains,
    local_domain=settings.local_domain,
    local_domain_is_here=settings.local_domain in served_names(settings),
    public_addresses=tuple(address for address in (settings.public_ipv4, settings.public_ipv6) if address),
    ca_bundle=settings.acme_ca_bundle,
    version=settings.mastodon_version.removeprefix("v"),
    open_ports=settings.verify_open_ports,
    mail_server=MailServer(settings.smtp_server, settings.smtp_port),
    # Everybody who has certificates may visit it, and it is always there.
    elsewhere=settings.acme_directory_url,
    timeout_seconds=settings.verify_timeout_seconds,
)
