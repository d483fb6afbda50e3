"""
The names of the site lead to the server.

Run by itself:  pyinfra @local tasks/dns.py
"""

from pyinfra import host

from mstdn.cloud.loading import provision_settings_for
from mstdn.dns.operations import site_records

settings = provision_settings_for(host)

site_records(name="Point the site's names to the server", settings=settings)
