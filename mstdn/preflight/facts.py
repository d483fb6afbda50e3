"""What preflight wants to know of a server."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question
from mstdn.layout import SYSTEM_PLACES, UNINSTALL_NOTE
from mstdn.storage.disks import Disk, disks_of


@dataclass(frozen=True)
class Listener:
    """
    A process that listens on a TCP port. `process` is its name, "" if nobody could be found.

    `owner`: the unit of systemd that it belongs to ("apache2.service"), or the ID of its container.
    """

    port: int
    pid: int
    process: str
    owner: str = ""


@dataclass(frozen=True)
class ServerReport:
    """
    A server as it is. `system` is ("debian", "13"), ("", "") if the server answered nothing at all.

    `limits_memory`: the kernel can limit a container's memory. `swaps`: MiB by path. `directories`: mastodon_root and
    proxy_root without symbolic links. `packages`: those of Docker that are installed, "snap:docker" among them.
    `answers`: what the DNS says, by name. `installed`: what the suite noted at its last run. `suite`: version of the
    suite that converged it last. `clock`: seconds since the epoch. `postgres`: the major release that made the
    database, "" without one; `redis`: the newest version of Redis' file format among its files, 0 without any.
    `dumps`: the releases to which a dump of the database leads back. `postgres_move`: how far a move of the database
    into a new data directory is, "" without one; `adoption`: the same of a take-over of an instance of before.
    `removing`: of an uninstall that was begun and is not finished, the instance's name, and "data" once its data go; ()
    without one.
    """

    system: tuple[str, str] = ("", "")
    architecture: str = ""
    init: str = ""
    memory_mib: int = 0
    limits_memory: bool = True
    swaps: dict[str, int] = field(default_factory=dict)
    disks: tuple[Disk, ...] = ()
    listeners: tuple[Listener, ...] = ()
    directories: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    answers: dict[str, frozenset[str]] = field(default_factory=dict)
    installed: dict[str, str] = field(default_factory=dict)
    clock: int = 0
    suite: str = ""
    postgres: str = ""
    redis: int = 0
    dumps: tuple[str, ...] = ()
    postgres_move: str = ""
    removing: tuple[str, ...] = ()
    adoption: str = ""


class Server(Fact[ServerReport]):
    """All of it but Docker's containers, in one question."""

    script = "preflight/report"
    before = ("sizing/interfaces", "storage/disks")

    @classmethod
    def of(cls, root: str, proxy: str, swap: str, well_known: str, names: Iterable[str]) -> Question[ServerReport]:
        """
        root, proxy: the directories of both projects. swap: the swap file. names: to look up in the DNS. well_known:
        a name that is there, to look up where it knows none of these.
        """
        return cls.question(root, proxy, swap, UNINSTALL_NOTE, " ".join(SYSTEM_PLACES), well_known, *names)

    @override
    def read(self, lines: Lines) -> ServerReport:
        answers: dict[str, set[str]] = {}
        for name, address in lines.words("answer"):
            answers.setdefault(name, set()).add(address)
        owners = dict(lines.words("owner"))
        distribution, version = lines.one("system").split()
        return ServerReport(
            system=(distribution, version),
            architecture=lines.one("architecture"),
            init=lines.one("init"),
            memory_mib=int(lines.one("memory")) // 1024,
            limits_memory="unlimited" not in lines,
            swaps={path: round(int(kib) / 1024) for kib, path in lines.words("swap")},
            disks=disks_of(lines),
            listeners=tuple(_listener(value, owners) for value in lines.all("listener")),
            directories=tuple(lines.one("directories").split()),
            packages=frozenset(lines.all("package")),
            addresses=frozenset(lines.one("addresses").split()),
            answers={name: frozenset(addresses) for name, addresses in answers.items()},
            installed=dict(value.split("=", 1) for value in lines.all("installed")),
            clock=int(lines.one("clock")),
            dumps=tuple(lines.all("dump")),
            postgres_move=lines.get("postgres_move"),
            removing=tuple(lines.get("removing").split()),
            adoption=lines.get("adoption"),
            suite=lines.get("suite"),
            postgres=lines.get("database"),
            redis=max(map(int, lines.all("redis")), default=0),
        )


def _listener(value: str, owners: dict[str, str]) -> Listener:
    port, pid, process = value.split(" ", 2)
    return Listener(int(port), int(pid), process, owners.get(pid, ""))
