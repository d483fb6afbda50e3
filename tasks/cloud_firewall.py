"""
The provider's firewall: SSH and the web come through, for servers with our tag.

Run by itself:  pyinfra @local tasks/cloud_firewall.py
"""

from pyinfra import host

from mstdn.cloud.loading import provision_settings_for
from mstdn.cloud_firewall.operations import open_ports

settings = provision_settings_for(host)

open_ports(name="Open the web's ports in the cloud's firewall", settings=settings)
