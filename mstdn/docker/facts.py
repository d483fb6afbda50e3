"""Facts about Docker Engine: the installation, and all containers that it has."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from mstdn.apt.rules import fingerprints
from mstdn.docker.engine import ContainerFact
from mstdn.fact import UNITS, Fact, Lines, Question
from mstdn.storage.disks import Disk, disks_of


@dataclass
class Engine:
    """
    `distribution` ("debian"), `codename` ("trixie") and `architecture` ("amd64") name the apt suite.
    `packages`: version by name, only what is installed. `held`: names of those that apt may not touch ("apt-mark
    hold"), installed or not. `fingerprints`: of each key that apt trusts for the repository.
    `started` and `configured`: seconds since the epoch, None if the daemon does not run or has no daemon.json.
    `members`: of the group docker, None without the group. `masked`: units without which it cannot run and that may
    not be started. `containerd`: it runs, or is no unit of its own.
    """

    distribution: str = ""
    codename: str = ""
    architecture: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    fingerprints: list[str] = field(default_factory=list)
    active: bool = False
    enabled: bool = False
    started: int | None = None
    configured: int | None = None
    members: frozenset[str] | None = None
    held: frozenset[str] = frozenset()
    masked: tuple[str, ...] = ()
    containerd: bool = True


class DockerHost(Fact[Engine]):
    """Packages, key, service and group of Docker Engine."""

    script = "docker/state"
    before = (UNITS,)
    shared = (UNITS,)

    @classmethod
    def of(cls, key_path: str, packages: Iterable[str]) -> Question[Engine]:
        """key_path: the file of the key that apt trusts for the repository. packages: those to look for."""
        return cls.question(key_path, *packages)

    @override
    def read(self, lines: Lines) -> Engine:
        distribution, codename = lines.one("codename").split()
        return Engine(
            distribution=distribution,
            codename=codename,
            architecture=lines.one("architecture"),
            packages=dict(lines.words("package")),
            held=frozenset(lines.all("held")),
            fingerprints=fingerprints(base64.b64decode(lines.get("key"))),
            active=lines.get("active") == "active",
            enabled=lines.get("enabled") == "enabled",
            started=int(lines.one("started")) if "started" in lines else None,
            configured=int(lines.one("configured")) if "configured" in lines else None,
            members=frozenset(filter(None, lines.one("members").split(","))) if "members" in lines else None,
            masked=tuple(lines.all("masked")),
            containerd="lacks" not in lines,
        )


@dataclass(frozen=True)
class Setup:
    """
    How the engine that is here was set up, by the suite or by somebody else.

    `configuration` and `noted`: texts of daemon.json and of the suite's note of what it wrote there, None without one.
    `link`: where daemon.json leads to, "" if it is no symbolic link. `invalid`: the daemon's own words on why it would
    not start with its present options, "" where it does. `flags`: the options that its unit gives it, each one word.
    `unreadable`: the variable of the unit that holds more of them, in a form that nobody can read for certain; or "".
    `absent`: there is no engine. `leftovers`: files that tell systemd how to start one all the same. `program`: of the
    daemon, "" without one. `elsewhere`: where root's docker commands go if not to this engine, with the reason before
    it ("context other"). `forwarding`: the kernel passes packets on. `disks`: those on which images and containers lie.
    `composes`: version by path of each Compose that goes before that of the packages. `strangers`: users of the
    question that the server does not have.
    """

    configuration: str | None = None
    noted: str | None = None
    link: str = ""
    invalid: str = ""
    flags: tuple[str, ...] = ()
    unreadable: str = ""
    forwarding: bool = True
    absent: bool = False
    program: str = ""
    elsewhere: str = ""
    leftovers: tuple[str, ...] = ()
    disks: tuple[Disk, ...] = ()
    swarm: bool = False
    composes: Mapping[str, str] = field(default_factory=dict)
    strangers: frozenset[str] = frozenset()


class EngineSetup(Fact[Setup]):
    """Configuration of Docker Engine: daemon.json, the options of its unit, Swarm mode, Compose."""

    script = "docker/setup"
    before = (UNITS, "storage/disks")
    shared = (UNITS,)

    @classmethod
    def of(cls, note: str, users: Iterable[str]) -> Question[Setup]:
        """note: path of the suite's note of what it wrote to daemon.json. users: whose accounts to look for."""
        return cls.question(note, *users)

    @override
    def read(self, lines: Lines) -> Setup:
        return Setup(
            configuration=_text(lines, "configuration"),
            noted=_text(lines, "noted"),
            link=lines.get("link"),
            invalid=lines.get("invalid").strip(),
            flags=tuple(lines.all("flag")),
            unreadable=lines.get("unreadable"),
            absent="absent" in lines,
            program=lines.get("program"),
            elsewhere=lines.get("elsewhere"),
            leftovers=tuple(lines.all("leftover")),
            forwarding=lines.get("forwarding", "1") == "1",
            disks=disks_of(lines),
            swarm="swarm" in lines,
            composes={path: version for path, _, version in (text.partition(" ") for text in lines.all("compose"))},
            strangers=frozenset(lines.all("stranger")),
        )


def _text(lines: Lines, key: str) -> str | None:
    return base64.b64decode(lines.one(key)).decode(errors="replace") if key in lines else None


@dataclass(frozen=True)
class Published:
    """
    A port of the server that leads into a container. `protocol`: "tcp", "udp" or "sctp"; `address`: "" without
    one.
    """

    address: str
    port: int
    protocol: str


@dataclass(frozen=True)
class Container:
    """
    A container, running or not. `project`, `service` and `directory` are those of Compose, "" without it.

    `status` and `health` as Docker names them ("none" without a health check). `image` is the ID of what it runs,
    `reference` the name under which that was asked for. `once`: made by "docker compose run". `networks`: the ID of
    each by name. `anywhere`: ports that everybody reaches because no address was asked for, or would if it ran.
    `gone`: paths in it whose file on the server was removed or replaced since it started. `asks`: what it asks
    nginx-proxy for, "VIRTUAL_HOST=…". `called`: the names by which others find it, by network. `writes`: paths of the
    server that it may write to. `making`: one text for all that it was made with and that "docker update" or
    "docker network" could have changed since.
    """

    id: str
    name: str
    image: str
    reference: str
    status: str
    health: str = "none"
    project: str = ""
    service: str = ""
    directory: str = ""
    once: bool = False
    networks: Mapping[str, str] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    anywhere: tuple[Published, ...] = ()
    gone: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    called: Mapping[str, frozenset[str]] = field(default_factory=dict)
    writes: tuple[str, ...] = ()
    making: str = ""


# What Docker says of a port that is published on all addresses of the server.
EVERYBODY = ("0.0.0.0", "::")  # noqa: S104


class Containers(ContainerFact[tuple[Container, ...]]):
    """All containers of the engine; none on a server without Docker."""

    script = "docker/containers"

    @classmethod
    def all(cls) -> Question[tuple[Container, ...]]:
        """Every container, running or not."""
        return cls.question()

    @override
    def read(self, lines: Lines) -> tuple[Container, ...]:
        gone: dict[str, list[str]] = {}
        for identity, path in lines.words("gone"):
            gone.setdefault(identity, []).append(path)
        found = (json.loads(text) for text in lines.all("container"))
        return tuple(_container(each, tuple(gone.get(each["id"], ()))) for each in found)


# What a container is made with and keeps.
_MAKING = ("hash", "user", "command", "entrypoint", "bindings", "tmpfs", "restart", "limits", "rights")


def _container(found: dict[str, Any], gone: tuple[str, ...]) -> Container:
    making = {key: found[key] for key in _MAKING}
    # The order of these is Docker's and means nothing.
    making |= {key: sorted(found[key] or (), key=json.dumps) for key in ("binds", "mounts")}
    # The names by which others find it there, but for its own, which has another number after each roll. Engines before
    # 25 add a part of its ID.
    own = found["name"].removeprefix("/")
    making["networks"] = {
        network: sorted(
            name for name in found["aliases"].get(network) or () if name != own and not found["id"].startswith(name)
        )
        for network in sorted(found["networks"])
    }
    return Container(
        id=found["id"],
        name=own,
        image=found["image"],
        reference=found["reference"],
        status=found["status"],
        health=found["health"],
        # Compose takes none without a checksum of its configuration for its own, whatever other labels it has.
        project=(found["hash"] and found["project"]) or "",
        service=(found["hash"] and found["service"]) or "",
        directory=found["directory"] or "",
        once=found["once"] == "True",
        networks=found["networks"],
        published=tuple(_published(found["published"] or {})),
        anywhere=tuple(_anywhere(found)),
        gone=gone,
        asks=tuple(filter(None, found["asks"])),
        called={network: frozenset({own, *(names or ())}) for network, names in found["aliases"].items()},
        writes=tuple(_writes(found)),
        making=json.dumps(making, sort_keys=True, separators=(",", ":")),
    )


def _writes(found: dict[str, Any]) -> Iterator[str]:
    for bind in found["binds"] or ():
        source, _, rest = bind.partition(":")
        # A volume of Docker's own has a name in place of a path.
        if source.startswith("/") and "ro" not in rest.partition(":")[2].split(","):
            yield source
    for mount in found["mounts"] or ():
        if mount.get("Type") == "bind" and not mount.get("ReadOnly"):
            yield mount["Source"]


def _anywhere(found: dict[str, Any]) -> Iterator[Published]:
    published, asked = found["published"] or {}, found["bindings"] or {}
    free = {
        inner: [each for each in bindings or () if not each["HostIp"]]
        for inner, bindings in asked.items()
        if any(not each["HostIp"] for each in bindings or ())
    }
    if any(published.values()):
        held = {inner: bindings for inner, bindings in published.items() if inner in free}
        yield from (each for each in _published(held) if each.address in EVERYBODY)
        return
    # One that does not run holds none. A port that Docker would choose is known to nobody before.
    for inner, bindings in free.items():
        for port in (each["HostPort"].partition("-")[0] for each in bindings):
            if port.isdigit() and int(port):
                yield Published("", int(port), inner.partition("/")[2] or "tcp")


def _published(ports: dict[str, list[dict[str, str]] | None]) -> Iterable[Published]:
    for inner, bindings in ports.items():
        protocol = inner.partition("/")[2] or "tcp"
        for binding in (each for each in bindings or () if each["HostPort"]):
            yield Published(binding["HostIp"], int(binding["HostPort"]), protocol)
