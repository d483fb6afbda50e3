"""The containers of the lab: who they are, and how each is started, known to be ready, and removed."""

import hashlib
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.lab import addresses, builder, kernel
from tests.lab.addresses import Address
from tests.lab.commands import LabError, step, wait_until
from tests.lab.engine import Engine

RECIPE = "mstdn-lab.recipe"
READY_SECONDS = 60


@dataclass(frozen=True)
class Inhabitant:
    """A container of the lab, by its name, image, addresses, the command in it and what else `docker run` is told."""

    name: str
    image: str
    address: Address
    command: tuple[str, ...]
    options: tuple[str, ...] = ()

    @property
    def container(self) -> str:
        """The container's name in the engine."""
        return f"{addresses.NAME}-{self.name}"

    @property
    def successor(self) -> str:
        """The name of the container that is about to take its place."""
        return f"{self.container}-next"

    @property
    def recipe(self) -> str:
        """A fingerprint of everything that the container is made from."""
        return hashlib.sha256(f"{self} {builder.fingerprint(self.image)}".encode()).hexdigest()


# What systemd, SSH, swap and an engine need of root's powers. --privileged would be refused where the kernel withholds
# one of them (CAP_SYS_RESOURCE, usually), and would let a server set this machine's clock.
_POWERS = (
    *("AUDIT_CONTROL", "DAC_READ_SEARCH", "IPC_LOCK", "LEASE", "LINUX_IMMUTABLE", "NET_ADMIN", "SYS_ADMIN"),
    *("SYS_BOOT", "SYS_NICE", "SYS_PTRACE", "SYSLOG"),
)

# Volumes, because neither an engine's storage nor a swap file can lie on an overlay file system.
_MACHINE = (
    *(part for power in _POWERS for part in ("--cap-add", power)),
    *("--cgroupns", "private"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--security-opt", "systempaths=unconfined", "--sysctl", "net.ipv6.conf.all.disable_ipv6=0"),
    *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec,mode=1777"),
    *("--volume", "/var/lib/docker", "--volume", "/var/lib/containerd", "--volume", kernel.SWAP_DIRECTORY),
)
_GUEST = ("--init", "--cap-add", "NET_ADMIN", "--sysctl", "net.ipv6.conf.all.disable_ipv6=0")


# One core, and memory that ends. The kernel tells a container of all that this machine has: init puts that right.
_SMALL = (
    *(
        "--cpus",
        "1",
        "--memory",
        f"{addresses.SMALL_MIB}m",
        "--memory-swap",
        f"{addresses.SMALL_MIB + addresses.SMALL_SWAP_MIB}m",
    ),
    *("--env", f"LAB_MEMORY_MIB={addresses.SMALL_MIB}"),
)


# Addresses are handed in, so that all labs share the images.
def _server(name: str, debian: str, *options: str) -> Inhabitant:
    address = addresses.SERVERS[name]
    command = ("/init", addresses.INTERNET.ipv4, address.ipv6)
    return Inhabitant(name, f"server:{debian}", address, command, (*_MACHINE, *options))


INTERNET = Inhabitant(
    "internet",
    "internet",
    addresses.INTERNET,
    (
        *("python3", "/lab/services.py", addresses.INTERNET.ipv4, addresses.INTERNET.ipv6, addresses.CLOUDS.ipv4),
        *addresses.host_records(),
    ),
    _GUEST,
)
VISITOR = Inhabitant(
    "visitor",
    "visitor",
    addresses.VISITOR,
    ("sh", "/lab/start", addresses.INTERNET.ipv4, addresses.VISITOR.ipv6),
    _GUEST,
)
CLOUDS = Inhabitant(
    "clouds",
    "clouds",
    addresses.CLOUDS,
    (
        *("sh", "/lab/start", addresses.INTERNET.ipv4),
        *(address.ipv4 for address in addresses.NAME_SERVERS),
        *(public.ipv4 for public, _ in addresses.MADE.values()),
    ),
    (*_GUEST, "--sysctl", "net.ipv4.ip_forward=1"),
)
SERVERS = {
    "server": _server("server", "13"),
    "server2": _server("server2", "13"),
    "server3": _server("server3", "13"),
    "server12": _server("server12", "12"),
    "small": _server("small", "13", *_SMALL),
}


def made(name: str, debian: str, ipv6: str, keys: Mapping[str, Sequence[str]]) -> Inhabitant:
    """
    A machine that a provider makes: bare, with a private address behind CLOUDS.

    name: one of addresses.MADE. ipv6: its address, or "". keys: the public SSH keys of each user.
    """
    _, private = addresses.MADE[name]
    users = [part for user, found in keys.items() for key in found for part in (user, key)]
    command = ("/init", addresses.INTERNET.ipv4, ipv6, addresses.CLOUDS.ipv4, *users)
    return Inhabitant(name, f"server:{debian}", Address(private.ipv4, ipv6), command, _MACHINE)


# As they are found and removed: how one was ordered, only its container knows.
MADE = {name: made(name, "13", "", {}) for name in addresses.MADE}
MACHINES = {**SERVERS, **MADE}
EVERYONE = {each.name: each for each in (INTERNET, CLOUDS, VISITOR, *MACHINES.values())}
_NAMES = {inhabitant.container: inhabitant.name for inhabitant in EVERYONE.values()}


def states(engine: Engine) -> dict[str, str]:
    """State ("running", "exited", "created", ...) of each inhabitant of this lab that exists, by name."""
    listed = engine.run("ps", "--all", "--filter", f"label={RECIPE}", "--format", "{{.Names}} {{.State}}")
    found = (line.split() for line in listed.stdout.splitlines())
    return {_NAMES[container]: state for container, state in found if container in _NAMES}


def provide(engine: Engine, inhabitant: Inhabitant) -> None:
    """Have the container run, made anew when it is missing or was made from another recipe."""
    label = f'{{{{.State.Status}}}} {{{{index .Config.Labels "{RECIPE}"}}}}'
    found = engine.run("container", "inspect", "--format", label, inhabitant.container, check=False).stdout.split()
    if found == ["running", inhabitant.recipe]:
        return
    with step(f"Start {inhabitant.name}"):
        if found[1:] == [inhabitant.recipe]:
            start(engine, inhabitant)
        else:
            replace(engine, inhabitant)


def replace(engine: Engine, inhabitant: Inhabitant, image: str = "") -> None:
    """
    Put a fresh container in the place of the one that may be there.

    image: of the engine, to make it from instead of its own. It is made before the other goes: an image without a
    container may be deleted by another lab.
    """
    engine.run("rm", "--force", "--volumes", inhabitant.successor, check=False)  # left by a run that was killed
    engine.run(
        *("create", "--name", inhabitant.successor, "--hostname", inhabitant.name),
        *("--label", f"{RECIPE}={inhabitant.recipe}", "--label", builder.needs(inhabitant.image)),
        *("--network", addresses.NAME, "--ip", inhabitant.address.ipv4, *inhabitant.options),
        *(image or builder.tag(inhabitant.image), *inhabitant.command),
    )
    remove(engine, inhabitant)
    engine.run("rename", inhabitant.successor, inhabitant.container)
    engine.run("start", inhabitant.container)


def start(engine: Engine, inhabitant: Inhabitant) -> None:
    """Start the container that had stopped; the kernel forgets the swap that one of the server's own would forget."""
    if inhabitant.name in MACHINES:
        kernel.release_swap(engine, inhabitant.container)
    engine.run("start", inhabitant.container)


def remove(engine: Engine, inhabitant: Inhabitant) -> None:
    """Remove the container, if it exists, with its volumes and the swap in them."""
    if inhabitant.name not in states(engine):
        return
    if inhabitant.name in MACHINES:
        kernel.release_swap(engine, inhabitant.container)
    engine.run("rm", "--force", "--volumes", inhabitant.container)


def wait_until_ready(engine: Engine, inhabitant: Inhabitant) -> None:
    """
    Wait until the inhabitant does its work.

    Raises LabError when it does not within READY_SECONDS, or a server's services failed to start.
    """

    def ask(*command: str) -> str:
        return engine.run("exec", inhabitant.container, *command, check=False).stdout.strip()

    def internet_answers() -> bool:
        return engine.run("exec", inhabitant.container, "sh", "/lab/ready", check=False).returncode == 0

    def systemd_has_started() -> bool:
        return ask("systemctl", "is-system-running") in ("running", "degraded")

    if inhabitant == INTERNET:
        wait_until("the lab's Internet answers", internet_answers, READY_SECONDS)
    if inhabitant.name in SERVERS:
        wait_until(f"{inhabitant.name} has started", systemd_has_started, READY_SECONDS)
        wait_until(
            f"this machine reaches {inhabitant.address.ipv4}:22"
            f" (is {addresses.NETWORK_IPV4} in use, or the engine elsewhere?)",
            lambda: _accepts_connections(inhabitant.address.ipv4, 22),
            READY_SECONDS,
        )
        if failed := ask("systemctl", "list-units", "--failed", "--plain", "--no-legend"):
            raise LabError(f"{inhabitant.name} started badly:\n{failed}")


def _accepts_connections(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True
