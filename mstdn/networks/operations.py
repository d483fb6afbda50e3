"""Networks of Docker Engine."""

from collections.abc import Sequence
from dataclasses import dataclass

from mstdn.asking import ask
from mstdn.docker.facts import Containers
from mstdn.docker.operations import engine_question
from mstdn.docker.presence import needs_engine
from mstdn.docker.versions import numbers_of
from mstdn.layout import BACK, FRONT, NETWORKS
from mstdn.networks.facts import DockerNetworks, FirewallWays, Network
from mstdn.networks.rules import closed_ways, engine_has_ipv6, freed
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.settings import Settings
from mstdn.shell import Commands, script
from mstdn.sizing.facts import ServerSize


@dataclass(frozen=True)
class WantedNetwork:
    """`ipv6`: True and False are enforced; None takes IPv6 at creation if engine and server have it."""

    name: str
    internal: bool = False
    ipv6: bool | None = False


def wanted_networks(settings: Settings) -> list[WantedNetwork]:
    """The networks of both projects."""
    return [
        WantedNetwork(FRONT, ipv6=None if settings.networks_ipv6 == "auto" else settings.networks_ipv6),
        WantedNetwork(BACK, internal=True),
    ]


@operation
@needs_engine
def docker_networks(networks: Sequence[WantedNetwork], leaving: Sequence[str] = ()) -> Commands:
    """
    Ensure bridge networks with these options.

    + leaving: IDs of containers that an operation before has taken off these networks

    An existing network whose options differ is replaced if nothing is attached to it. Otherwise this is refused and the
    containers are named: replacing it under them would take the site down at a moment that nobody chose.
    """
    if not networks:
        return
    # The question that others ask as well, so that it is asked once.
    existing = ask(DockerNetworks.named(NETWORKS))
    containers = ask(Containers.all())
    for wanted in networks:
        found = existing.get(wanted.name)
        differences = _differences(wanted, found) if found else []
        attached = [each for each in containers if wanted.name in each.networks and each.id not in leaving]
        if found and differences and attached:
            commands, afterwards = freed(wanted.name, attached)
            yield from refuse(
                f"The network {wanted.name} has other options than it should ({', '.join(differences)}), and "
                f"containers use it: {', '.join(each.name for each in attached)}. Choose a quiet moment, take them off "
                f"it ({commands.rstrip('; ')}; the data of those that are removed stay), and run again: the suite's "
                f"are made anew.{afterwards}"
            )
            return
        if not found or differences:
            announce(f"the network {wanted.name} {'has other options' if found else 'does not exist'}")
            ipv6 = _takes_ipv6() if wanted.ipv6 is None else wanted.ipv6
            yield script("networks/make", wanted.name, _yes_or_no(wanted.internal), _yes_or_no(ipv6))


def _takes_ipv6() -> bool:
    """Whether a network that is made now takes IPv6 where the operator leaves that to the suite."""
    return ask(ServerSize.of_the_server()).ipv6 and engine_has_ipv6(_version())


def _version() -> tuple[int, int]:
    """Of the engine, (0, 0) where it is still to be installed."""
    return numbers_of(ask(engine_question()).packages.get("docker-ce", ""))


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def _differences(wanted: WantedNetwork, found: Network) -> list[str]:
    differences = []
    if found.driver != "bridge":
        differences.append(f"driver {found.driver}, not bridge")
    if found.internal != wanted.internal:
        differences.append("internal" if found.internal else "not internal")
    if wanted.ipv6 is not None and found.ipv6 != wanted.ipv6:
        differences.append("IPv6 is on" if found.ipv6 else "IPv6 is off")
    return differences


@operation
def open_ways(networks: Sequence[str]) -> Commands:
    """
    Ensure that the kernel's firewall has what Docker wrote into it for these networks and for ports of containers on
    them, and passes packets on.

    Docker writes its rules anew when it starts, and containers run on meanwhile.
    """
    ways, containers = ask(FirewallWays.of(networks)), ask(Containers.all())
    if missing := list(closed_ways(ways, containers, _version())):
        announce(*missing)
        yield script("docker/restart_daemon")
