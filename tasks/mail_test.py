"""
Mail test: a real mail by the way that Mastodon's take. What fails is explained, and so is what the DNS lacks.

Run:  pyinfra inventory.py tasks/mail_test.py --data mail_test_to=you@example.org
"""

from pyinfra import host

from mstdn.mail.operations import tried_mail
from mstdn.settings import settings_for

settings = settings_for(host)

tried_mail(
    name="Send a mail to try it",
    to=settings.mail_test_to,
    server=settings.smtp_server,
    port=settings.smtp_port,
    sender=settings.smtp_from_address,
    login=settings.smtp_login,
    domain=settings.site_domain,
)
