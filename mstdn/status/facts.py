"""Facts about the state of a server and of what runs on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Fact, Lines, Question


@dataclass(frozen=True)
class FileSystem:
    """`mount`: where it is. `size`, `available`: KiB. `inodes`: how many of a hundred are in use, None if unlimited."""

    mount: str
    size: int
    available: int
    inodes: int | None = None


@dataclass(frozen=True)
class Unit:
    """A unit of systemd, in its words: `loaded` ("loaded"), `active` ("failed"), `result` ("exit-code"), `next`."""

    name: str
    loaded: str
    active: str
    result: str
    next: str = ""


@dataclass(frozen=True)
class Machine:
    """
    `now`: seconds since the epoch by the server's clock. `suite`: the text of the suite that converged it last, "" if
    none did. `memory`, `available`, `swap`, `free`: KiB. `killed`: programs that the kernel ended for want of memory
    since it started. `reboot`: an update waits for one. `noted`: what the suite's programs noted, by file and key.
    """

    now: int
    suite: str = ""
    disks: tuple[FileSystem, ...] = ()
    memory: int = 0
    available: int = 0
    swap: int = 0
    free: int = 0
    killed: int = 0
    reboot: bool = False
    units: tuple[Unit, ...] = ()
    noted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class MachineState(Fact[Machine]):
    """Disk, memory, timers and notes of a server."""

    script = "status/machine"

    @classmethod
    def of(cls, notes: str, suite: str, directories: Iterable[str]) -> Question[Machine]:
        """notes: directory of the suite's notes. suite: file that names it. directories: whose disks to look at."""
        return cls.question(notes, suite, *directories)

    @override
    def read(self, lines: Lines) -> Machine:
        memory, available, swap, free = map(int, lines.one("memory").split())
        noted: dict[str, dict[str, str]] = {}
        for line in lines.all("noted"):
            file, key, value = (*line.split(" ", 2), "", "")[:3]
            noted.setdefault(file, {})[key] = value
        return Machine(
            now=int(lines.one("now")),
            suite=lines.get("suite"),
            disks=tuple(
                FileSystem(
                    mount, int(size), int(free), int(inodes.rstrip("%")) if inodes.rstrip("%").isdecimal() else None
                )
                for mount, size, free, inodes in (line.rsplit(None, 3) for line in lines.all("disk"))
            ),
            memory=memory,
            available=available,
            swap=swap,
            free=free,
            killed=int(lines.get("killed", "0")),
            reboot="reboot" in lines,
            units=tuple(
                Unit(name, loaded, active, *(*rest, "", "")[:2])
                for name, loaded, active, *rest in (line.split(" ", 4) for line in lines.all("unit"))
            ),
            noted=noted,
        )


@dataclass(frozen=True)
class Queue:
    """`jobs` that wait. `since`: when the oldest came, in seconds since the epoch; None without one."""

    name: str
    jobs: int
    since: float | None = None


@dataclass(frozen=True)
class Parts:
    """
    What database and Redis say; None where it was not asked for or not answered. `database`: bytes. `pending`:
    migrations that have not run. `updates`: newer releases that Mastodon has heard of, and whether each mends security.
    `processes`: Sidekiq's. `writes`: of Redis to its disk, "ok" each. `silent`: "db" or
    "redis" that run and do not answer. `empty`: PostgreSQL has no table of Mastodon's.
    """

    database: int | None = None
    connections: int = 0
    most_connections: int = 0
    pending: tuple[str, ...] = ()
    updates: tuple[tuple[str, bool], ...] = ()
    queues: tuple[Queue, ...] = ()
    retries: int | None = None
    dead: int = 0
    processes: int = 0
    writes: tuple[str, ...] = ()
    silent: frozenset[str] = frozenset()
    empty: bool = False


# Since Sidekiq 8 times are in milliseconds.
MILLISECONDS_FROM = 10**11


class PartStates(EngineFact[Parts]):
    """What the database, the release and the queues say of themselves."""

    script = "status/instance"
    inside = True

    @classmethod
    def of(cls, project: str) -> Question[Parts]:
        """project: name of Mastodon's Compose project."""
        return cls.question(project)

    @override
    def read(self, lines: Lines) -> Parts:
        size, connections, most = map(int, lines.one("database").split()) if "database" in lines else (None, 0, 0)
        retries, dead, processes = map(int, lines.one("jobs").split()) if "jobs" in lines else (None, 0, 0)
        return Parts(
            database=size,
            connections=connections,
            most_connections=most,
            pending=tuple(lines.all("pending")),
            updates=tuple((version, urgent == "t") for version, urgent in lines.words("update")),
            queues=tuple(
                Queue(name, int(jobs), None if since == "-" else _seconds(float(since)))
                for name, jobs, since in sorted(lines.words("queue"))
            ),
            retries=retries,
            dead=dead,
            processes=processes,
            writes=tuple(lines.all("writes")),
            silent=frozenset(lines.all("silent")),
            empty="missing" in lines,
        )


def _seconds(time: float) -> float:
    return time / 1000 if time >= MILLISECONDS_FROM else time
