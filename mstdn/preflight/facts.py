"""What preflight wants to know of a server."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyinfra.api import FactBase, StringCommand
from pyinfra.api.exceptions import FactProcessError
from typing_extensions import override

from mstdn.shell import question


@dataclass(frozen=True)
class Disk:
    """The file system on which `path` lies or will lie: its free space in MiB and where it is mounted."""

    path: str
    free_mib: int
    mount: str


@dataclass(frozen=True)
class Listener:
    """A process that listens on a TCP port. `process` is its name, "" if nobody could be found."""

    port: int
    pid: int
    process: str


@dataclass(frozen=True)
class RunningContainer:
    """`project` and `directory` are those of Compose, "" without it; `ports` are published on the server."""

    name: str
    image: str
    project: str
    directory: str
    ports: frozenset[int]


@dataclass(frozen=True)
class ServerReport:
    """
    A server as it is. `system` is ("debian", "13"), ("", "") if the server said nothing at all.

    `limits_memory`: the kernel can limit a container's memory. `swaps`: MiB by path. `directories`: mastodon_root and
    proxy_root without symbolic links. `packages`: those of Docker that are installed, "snap:docker" among them.
    `answers`: what the DNS says, by name. `installed`: what the suite noted at its last run. `clock`: seconds since
    the epoch.
    """

    system: tuple[str, str] = ("", "")
    architecture: str = ""
    init: str = ""
    memory_mib: int = 0
    limits_memory: bool = True
    swaps: dict[str, int] = field(default_factory=dict)
    disks: tuple[Disk, ...] = ()
    listeners: tuple[Listener, ...] = ()
    containers: tuple[RunningContainer, ...] = ()
    directories: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    answers: dict[str, frozenset[str]] = field(default_factory=dict)
    installed: dict[str, str] = field(default_factory=dict)
    clock: int = 0


class Server(FactBase[ServerReport]):
    """All of it in one remote command. `names` are looked up in the DNS."""

    @override
    def command(self, root: str, proxy: str, swap: str, names: Sequence[str]) -> StringCommand:
        return question("preflight/report", root, proxy, swap, *names)

    @staticmethod
    @override
    def default() -> ServerReport:
        return ServerReport()

    @override
    def process(self, output: list[str]) -> ServerReport:
        try:
            return read_report(output)
        except (KeyError, ValueError) as error:
            # pyinfra contains no other exception than this one.
            raise FactProcessError(f"The server answered something unexpected: {error!r}") from error


def read_report(lines: Sequence[str]) -> ServerReport:
    """What mstdn/preflight/report.sh printed. Raises KeyError or ValueError if it is something else."""
    values: dict[str, list[str]] = {}
    for line in lines:
        key, _, value = line.partition(" ")
        values.setdefault(key, []).append(value)
    answers: dict[str, set[str]] = {}
    for name, address in map(str.split, values.get("answer", [])):
        answers.setdefault(name, set()).add(address)
    distribution, version = values["system"][0].split()
    return ServerReport(
        system=(distribution, version),
        architecture=values["architecture"][0],
        init=values["init"][0],
        memory_mib=int(values["memory"][0]) // 1024,
        limits_memory="unlimited" not in values,
        swaps={path: round(int(kib) / 1024) for kib, path in map(str.split, values.get("swap", []))},
        disks=tuple(Disk(path, int(kib) // 1024, mount) for path, kib, mount in map(str.split, values["disk"])),
        listeners=tuple(_listener(value) for value in values.get("listener", [])),
        containers=tuple(_container(value) for value in values.get("container", [])),
        directories=tuple(values["directories"][0].split()),
        packages=frozenset(values.get("package", [])),
        addresses=frozenset(values["addresses"][0].split()),
        answers={name: frozenset(addresses) for name, addresses in answers.items()},
        installed=dict(value.split("=", 1) for value in values.get("installed", [])),
        clock=int(values["clock"][0]),
    )


def _listener(value: str) -> Listener:
    port, pid, process = value.split(" ", 2)
    return Listener(int(port), int(pid), process)


def _container(value: str) -> RunningContainer:
    name, image, project, directory, published = value.split("|")
    ranges = re.findall(r":(\d+)(?:-(\d+))?->", published)
    ports = {port for first, last in ranges for port in range(int(first), int(last or first) + 1)}
    return RunningContainer(name, image, project, directory, frozenset(ports))
