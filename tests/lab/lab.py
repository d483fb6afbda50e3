"""Bringing the lab up, giving it a fresh server, and taking it down without a trace."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import addresses, builder, engine, inhabitants
from tests.lab.addresses import STATE
from tests.lab.commands import LabError, step, wait_until
from tests.lab.engine import Engine
from tests.lab.inhabitants import CLOUDS, EVERYONE, INTERNET, SERVERS, VISITOR, Inhabitant

# systemd gives whatever does not end when it is told to 90 seconds (DefaultTimeoutStopSec), and ends it then.
DOWN_SECONDS = 150
LOCK = STATE / "lock"
# The engine, its images and its networks are common to all labs of this machine, whichever checkout they are from.
LOCK_OF_ALL_LABS = Path(tempfile.gettempdir()) / "mstdn-lab-engine.lock"


def up(*further_servers: str) -> None:
    """
    Bring up the Internet, the visitor, `server` and, by name, further servers; what is up already is left alone.

    Raises LabError when something cannot be started or does not become ready.
    """
    with _lock(LOCK, shared=True), _lock(STATE / "up.lock"):
        with _lock(LOCK_OF_ALL_LABS):
            current = engine.provide()
            wanted = {"server", *further_servers, *inhabitants.states(current)}
            servers = [name for name in SERVERS if name in wanted]
            everyone = [INTERNET, CLOUDS, *(SERVERS[name] for name in servers), VISITOR]
            builder.provide(current, *(inhabitant.image for inhabitant in everyone))
            _provide_network(current)
            for inhabitant in everyone:
                with _lock(STATE / f"{inhabitant.name}.lock"):
                    inhabitants.provide(current, inhabitant)
        for inhabitant in everyone:
            with _lock(STATE / f"{inhabitant.name}.lock"):
                inhabitants.wait_until_ready(current, inhabitant)
        _hand_out_identity(current, servers)


def reset(name: str = "server", image: str = "") -> None:
    """
    Replace a server by a fresh bare one, or by one from an image that keep() made.

    Raises LabError when the lab is not up.
    """
    with _only_this(name), step(f"Replace {name} by a fresh one"):
        current = running()
        inhabitants.replace(current, SERVERS[name], image)
        inhabitants.wait_until_ready(current, SERVERS[name])


def make(machine: Inhabitant) -> None:
    """
    Make a machine that a provider was asked for, and its image first where that is missing.

    Raises LabError when the lab is not up.
    """
    with _lock(LOCK, shared=True), _lock(LOCK_OF_ALL_LABS):
        current = running()
        builder.provide(current, machine.image)
        inhabitants.replace(current, machine)


def keep(name: str = "server") -> str:
    """Make an image of a server as it is now, but for what lies in its volumes. Returns the image's name."""
    image = f"{SERVERS[name].container}-kept"
    with _only_this(name), step(f"Keep {name} as it is"):
        running().run("commit", SERVERS[name].container, image)
    return image


def forget(image: str) -> None:
    """Remove an image that keep() made."""
    with _lock(LOCK, shared=True):
        running().run("image", "rm", "--force", image)


def reboot(name: str = "server") -> None:
    """Reboot a server and wait until it is up."""
    server = SERVERS[name]
    with _only_this(name), step(f"Reboot {name}"):
        current = running()
        current.run("exec", server.container, "systemctl", "reboot", check=False)
        _start_again(current, server)


def power_cut(name: str = "server") -> None:
    """Take a server's power away, in the middle of whatever it does, and wait until it is up again."""
    server = SERVERS[name]
    with _only_this(name), step(f"Cut the power of {name}"):
        current = running()
        current.run("kill", "--signal", "KILL", server.container)
        _start_again(current, server)


def down() -> None:
    """
    Remove containers, volumes, network and keys. Images stay.

    The labs' own engine is stopped, if they have one, unless another lab is up in it.
    """
    with _lock(LOCK), _lock(LOCK_OF_ALL_LABS):
        if current := engine.running() or engine.recover():
            with step("Remove the lab"):
                _remove_everything(current)
        if not current or not _labs_that_are_up(current):
            engine.stop()
        shutil.rmtree(STATE)


def clean() -> None:
    """
    Delete the images of all labs, and their own engine's directory.

    Raises LabError when a lab is up.
    """
    with _lock(LOCK_OF_ALL_LABS):
        current = engine.running()
        if current and (labs := _labs_that_are_up(current)):
            remedies = "\n".join(addresses.command_of(number, "lab-down") for number in labs)
            raise LabError(f"All labs share their images, and these are still up. To take them down, type:\n{remedies}")
        with step("Delete the lab's images"):
            if current:
                builder.remove_all(current)
            engine.remove_home()


def running() -> Engine:
    """The engine in which the lab is up. Raises LabError when it is not."""
    current = engine.running()
    states = inhabitants.states(current) if current else {}
    # A server may be away for a moment, while it reboots or is replaced for somebody else's test.
    if not current or any(states.get(name) != "running" for name in ("internet", "visitor")):
        raise LabError(f"The lab is not up. Type: {addresses.make('lab-up')}")
    return current


def _start_again(current: Engine, server: Inhabitant) -> None:
    def is_down() -> bool:
        return inhabitants.states(current)[server.name] != "running"

    wait_until(f"{server.name} is down", is_down, DOWN_SECONDS)
    inhabitants.start(current, server)
    inhabitants.wait_until_ready(current, server)


@contextmanager
def _only_this(name: str) -> Iterator[None]:
    """
    Nobody else does anything with this server meanwhile; others go on with theirs. A test cuts a server's power at a
    certain moment, for which another test may not keep it waiting.
    """
    with _lock(LOCK, shared=True), _lock(STATE / f"{name}.lock"):
        yield


@contextmanager
def _lock(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Nobody else has this lock meanwhile, or only others who share it too."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    path.parent.mkdir(exist_ok=True)
    # Read only, and created only where it is missing: the file of all labs may be another user's.
    flags = os.O_RDONLY if path.exists() else os.O_RDONLY | os.O_CREAT
    with os.fdopen(os.open(path, flags, 0o644)) as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("Wait for another command of the lab"):
                fcntl.flock(file, kind)
        yield


def _labs_that_are_up(current: Engine) -> list[int]:
    """Numbers of all labs that have a network; it is the first thing to come and the last to go."""
    networks = current.run("network", "ls", "--format", "{{.Name}}").stdout.split()
    return sorted(addresses.ALL_NAMES[network] for network in networks if network in addresses.ALL_NAMES)


def _provide_network(current: Engine) -> None:
    if addresses.NUMBER in _labs_that_are_up(current):
        return
    with step("Make the network"):
        current.run(
            *("network", "create", "--subnet", addresses.NETWORK_IPV4, "--gateway", addresses.GATEWAY.ipv4),
            *("--opt", f"com.docker.network.bridge.name={addresses.NAME}", addresses.NAME),
        )


def _remove_everything(current: Engine) -> None:
    for inhabitant in EVERYONE.values():
        inhabitants.remove(current, inhabitant)
    leftovers = [inhabitant.successor for inhabitant in EVERYONE.values()]
    current.run("rm", "--force", "--volumes", builder.FILLER, *leftovers, check=False)
    if addresses.NUMBER in _labs_that_are_up(current):
        current.run("network", "rm", addresses.NAME)


def _hand_out_identity(current: Engine, servers: list[str]) -> None:
    """Give the controller its keys, and the controller and the visitor the authorities to trust."""

    def read(name: str) -> str:
        return current.run("exec", INTERNET.container, "cat", f"/identity/{name}").stdout

    host_key = " ".join(read("ssh_host_ed25519_key.pub").split()[:2])
    world = {"servers": servers, "docker_key_fingerprint": read("docker.fingerprint").strip()}
    (STATE / "operator").touch(mode=0o600)
    (STATE / "operator").write_text(read("operator"))
    (STATE / "known_hosts").write_text("".join(f"{server.address.ipv4} {host_key}\n" for server in SERVERS.values()))
    _trust(current, STATE / "authorities.pem", read("ca.crt"), _acme_root(current))
    (STATE / "world.json").write_text(json.dumps(world))


def _acme_root(current: Engine) -> str:
    """The root certificate (PEM) that the ACME authority made when it started."""
    management = "acme-v02.api.letsencrypt.org:15000"
    return current.run(
        *("exec", INTERNET.container, "curl", "--silent", "--fail", "--cacert", "/identity/ca.crt"),
        *("--resolve", f"{management}:127.0.0.1", f"https://{management}/roots/0"),
    ).stdout


def _trust(current: Engine, bundle: Path, *authorities: str) -> None:
    """
    Add authorities (PEM) to the bundle, and have the visitor trust all in it.

    Earlier roots stay: a server may have been certified before the Internet was made anew.
    """
    known = bundle.read_text() if bundle.exists() else ""
    bundle.write_text(known + "".join(authority for authority in authorities if authority not in known))
    current.run(
        *("exec", "--interactive", VISITOR.container, "sh", "-euc"),
        """
        cd /usr/local/share/ca-certificates
        csplit --quiet --elide-empty-files --prefix=lab- --suffix-format=%03d.crt - '/BEGIN CERTIFICATE/' '{*}'
        update-ca-certificates
        """,
        stdin=bundle.read_text(),
    )
