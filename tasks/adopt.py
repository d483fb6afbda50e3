"""
Adopt: a Mastodon that somebody has set up by hand with Compose becomes one of the suite's, with all that it has.

It looks, tells what becomes of each part, and changes nothing until the instance's name is said. The old containers and
files stay, stopped, and so does the way back. Cut off anywhere, it is run again.

Run:  pyinfra inventory.py tasks/adopt.py
      … --data yes=social.example.org               take it over
      … --data adopt_from=/opt/mastodon-by-hand     where there is more than one
"""

from pyinfra import host, local

from mstdn.adopt.operations import (
    adoption_questions,
    begun_adoption,
    carried_certificates,
    carried_data,
    finished_adoption,
    looked_at_the_old_instance,
    old_containers,
)
from mstdn.asking import foresee
from mstdn.layout import NETWORKS_THAT_LEAD_OUT
from mstdn.networks.operations import docker_networks, open_ways, wanted_networks
from mstdn.settings import settings_for
from mstdn.sizing.facts import server_size
from mstdn.sizing.rules import start_timeout_seconds

settings = settings_for(host)
foresee(adoption_questions)

looked_at_the_old_instance(
    name="Look at the instance that is here, and at what becomes of it",
    settings=settings,
)

if settings.yes == settings.local_domain:
    # A server as for a deployment, beside the old instance, which serves.
    local.include("tasks/swap.py")
    local.include("tasks/kernel.py")
    local.include("tasks/firewall.py")
    local.include("tasks/docker.py")
    local.include("tasks/updates.py")
    local.include("tasks/checkout.py")
    local.include("tasks/configuration.py")
    local.include("tasks/images.py")

    # The old keys come before others could be made.
    begun_adoption(
        name="Begin to take the instance over",
        settings=settings,
    )
    local.include("tasks/secrets.py")
    carried_certificates(
        name="Carry the old certificates over",
        settings=settings,
    )
    carried_data(
        name="Carry database, jobs and media over, and retire the old containers",
        settings=settings,
        timeout_seconds=start_timeout_seconds(server_size().memory_mib, settings),
    )

    # The networks only now: the old containers were on some of these names, with other options.
    docker_networks(
        name="Create the networks front and back-mstdn",
        networks=wanted_networks(settings),
        leaving=old_containers(settings),
    )
    open_ways(
        name="Keep the containers' ways in and out open",
        networks=NETWORKS_THAT_LEAD_OUT,
    )

    # As in a deployment: where the release is a newer one, it migrates.
    local.include("tasks/secrets.py")
    local.include("tasks/database.py")
    local.include("tasks/assets.py")
    local.include("tasks/proxy.py")
    local.include("tasks/app.py")
    local.include("tasks/certificates.py")
    local.include("tasks/verify.py")
    local.include("tasks/retention.py")
    local.include("tasks/cleanup.py")
    local.include("tasks/timers.py")
    local.include("tasks/first_backup.py")

    finished_adoption(
        name="Finish the take-over",
        settings=settings,
    )
