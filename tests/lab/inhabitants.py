"""The containers of the lab: who they are, and how each is started, known to be ready, and removed."""

import hashlib
import socket
from dataclasses import dataclass

from tests.lab import builder, kernel
from tests.lab.commands import LabError, step, wait_until
from tests.lab.engine import Engine

NETWORK = "mstdn-lab"
RECIPE = "mstdn-lab.recipe"
READY_SECONDS = 60


@dataclass(frozen=True)
class Inhabitant:
    """A container of the lab, by its name, image, address and what else `docker run` is told."""

    name: str
    image: str
    address: str
    options: tuple[str, ...] = ()

    @property
    def container(self) -> str:
        """The container's name in the engine."""
        return f"mstdn-lab-{self.name}"

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

INTERNET = Inhabitant("internet", "internet", "198.18.0.2", _GUEST)
VISITOR = Inhabitant("visitor", "visitor", "198.18.0.20", _GUEST)
SERVERS = {
    "server": Inhabitant("server", "server:13", "198.18.0.10", _MACHINE),
    "server12": Inhabitant("server12", "server:12", "198.18.0.12", _MACHINE),
}
EVERYONE = {inhabitant.name: inhabitant for inhabitant in (INTERNET, VISITOR, *SERVERS.values())}


def states(engine: Engine) -> dict[str, str]:
    """State ("running", "exited", "created", ...) of each inhabitant that exists, by name."""
    listed = engine.run("ps", "--all", "--filter", f"label={RECIPE}", "--format", "{{.Names}} {{.State}}")
    found = (line.split() for line in listed.stdout.splitlines())
    return {container.removeprefix("mstdn-lab-"): state for container, state in found}


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
            remove(engine, inhabitant)
            create(engine, inhabitant)


def create(engine: Engine, inhabitant: Inhabitant) -> None:
    """Make and start the container."""
    engine.run(
        *("run", "--detach", "--name", inhabitant.container, "--hostname", inhabitant.name),
        *("--label", f"{RECIPE}={inhabitant.recipe}"),
        *("--network", NETWORK, "--ip", inhabitant.address, *inhabitant.options),
        builder.PREFIX + inhabitant.image,
    )


def start(engine: Engine, inhabitant: Inhabitant) -> None:
    """Start the container that had stopped; the kernel forgets what one of the server's own would have forgotten."""
    if inhabitant.name in SERVERS:
        kernel.restore(engine, NETWORK, inhabitant.container)
    engine.run("start", inhabitant.container)


def remove(engine: Engine, inhabitant: Inhabitant) -> None:
    """Remove the container, if it exists, with its volumes and what a server did to the host's kernel."""
    if inhabitant.name not in states(engine):
        return
    if inhabitant.name in SERVERS:
        kernel.restore(engine, NETWORK, inhabitant.container)
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
            f"this machine reaches {inhabitant.address}:22 (is 198.18.0.0/24 in use, or the engine elsewhere?)",
            lambda: _accepts_connections(inhabitant.address, 22),
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
