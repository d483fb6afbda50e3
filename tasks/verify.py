"""
Verify: the site as a visitor sees it, over the network, from this machine.

Run by itself:  pyinfra inventory.py tasks/verify.py -y
"""

from pyinfra import host

from mstdn.settings import settings_for
from mstdn.verify.operations import MailServer, site_of, verified_site

settings = settings_for(host)

verified_site(
    name="Visit the site",
    site=site_of(settings),
    open_ports=settings.verify_open_ports,
    mail_server=MailServer(settings.smtp_server, settings.smtp_port),
    # Everybody who has certificates may visit it, and it is always there.
    elsewhere=settings.acme_directory_url,
    timeout_seconds=settings.verify_timeout_seconds,
)
