"""
A bare Debian or Ubuntu server becomes a Mastodon, and stays one.

    pyinfra inventory.py deploy.py --dry --diff    what would change
    pyinfra inventory.py deploy.py                 change it

Each task also runs by itself. Run it as often as you like: what is right already is not touched.
"""

from pyinfra import local

from mstdn.asking import foresee
from mstdn.questions import of_a_deployment, while_the_server_looks

# Everything that the tasks will ask of the server travels now, in one command.
foresee(of_a_deployment, meanwhile=while_the_server_looks)

# Looks, refuses, and changes nothing: everything that can be known to fail fails here.
local.include("tasks/preflight.py")

# The machine.
local.include("tasks/swap.py")
local.include("tasks/kernel.py")
# Before there is an engine that publishes ports.
local.include("tasks/firewall.py")
local.include("tasks/docker.py")
local.include("tasks/networks.py")
# After Docker, whose repository may be among what it brings up to date.
local.include("tasks/updates.py")

# Everything Mastodon will need is in place before anything of it starts or stops.
local.include("tasks/checkout.py")
local.include("tasks/configuration.py")
local.include("tasks/images.py")
local.include("tasks/secrets.py")

# The database is ready before the release that needs it; its assets are there before the pages that name them.
local.include("tasks/database.py")
local.include("tasks/assets.py")

# The proxy first: the certificate is on its way while Mastodon boots.
local.include("tasks/proxy.py")
local.include("tasks/app.py")
# After both, because a name whose container is away for a moment loses its certificate's links for as long.
local.include("tasks/certificates.py")

# As a visitor would.
local.include("tasks/verify.py")

# Once: as shipped, Mastodon keeps copies of others' media for ever.
local.include("tasks/retention.py")

# After Mastodon, so that an exporter that does not come up keeps no visitor waiting.
local.include("tasks/monitoring.py")

# What the release before the last one left is not needed now.
local.include("tasks/cleanup.py")

# By night it is backed up; the first backup is of what was verified.
local.include("tasks/timers.py")
local.include("tasks/first_backup.py")
