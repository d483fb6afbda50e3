"""What the networks of a server mean for the projects on it."""

from __future__ import annotations

from pyinfra import state

from mstdn.asking import ask
from mstdn.docker.operations import engine_question
from mstdn.docker.versions import numbers_of
from mstdn.fact import CouldNotLook
from mstdn.layout import FRONT, NETWORKS
from mstdn.networks.facts import DockerNetworks
from mstdn.networks.rules import ipv6_reaches_containers
from mstdn.settings import Settings
from mstdn.sizing.facts import ServerSize


def containers_have_ipv6(settings: Settings) -> bool:
    """
    Whether the containers of the host at work are reached by IPv6, for operations.

    Raises CouldNotLook while running, if the engine cannot be asked. A plan foresees what the run will find.
    """
    size = ask(ServerSize.of_the_server())
    try:
        front = ask(DockerNetworks.named(NETWORKS)).get(FRONT)
    except CouldNotLook:
        if state.is_executing:
            raise
        front = None
    # The one that the run installs, where the operator names one.
    engine = numbers_of(settings.docker_version or ask(engine_question()).packages.get("docker-ce", ""))
    return ipv6_reaches_containers(front, size.ipv6, settings.networks_ipv6, engine)
