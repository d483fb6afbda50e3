"""
The domain that Mastodon's mail is sent from: registered at the mail provider, its records published.

Run by itself:  pyinfra @local tasks/mail_domain.py
"""

from pyinfra import host

from mstdn.cloud.loading import provision_settings_for
from mstdn.mail_domain.operations import published_domain, registered_domain

settings = provision_settings_for(host)

registered_domain(name="Register the sending domain", settings=settings)

published_domain(name="Publish the records of the sending domain", settings=settings)
