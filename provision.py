"""
Before there is a server: the machine, its address, its firewall, its names, and the domain of its mail.

    pyinfra @local provision.py --dry    what would be made
    pyinfra @local provision.py          make it

Each task also runs by itself. Run it as often as you like: what is right already is not touched, and nothing is ever
deleted. docs/provisioning.md tells which settings and keys each provider needs.
"""

from pyinfra import local

# The firewall first, bound to a tag: the server is born behind it.
local.include("tasks/cloud_firewall.py")
local.include("tasks/server.py")

# Everything is published before anything is proven: whoever enters records by hand sees all of them at once.
local.include("tasks/dns.py")
local.include("tasks/mail_domain.py")

# As the world sees it, then what to do next.
local.include("tasks/proof.py")
