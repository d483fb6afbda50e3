"""Facts about an instance that somebody has set up by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Lines, Question
from mstdn.layout import ADOPTION_NOTE
from mstdn.secrets.table import MADE_ON_THE_SERVER

MADE_BY_MASTODON = tuple(secret for secret in MADE_ON_THE_SERVER.values() if secret.maker == "mastodon")


@dataclass(frozen=True)
class Candidate:
    """A Mastodon that is not the suite's: its Compose project, "" for a directory that is not known, LOCAL_DOMAIN."""

    project: str
    directory: str
    domain: str


@dataclass(frozen=True)
class OldContainer:
    """
    A container of the old project. `restart`: its restart policy. `role`: "web", "streaming", "sidekiq", "nginx", "db",
    "redis" or "other".
    """

    id: str
    name: str
    service: str
    status: str
    restart: str
    role: str


@dataclass(frozen=True)
class Media:
    """Where the old uploads lie. `owner`: "991:991". `links`: on the file system of mastodon_root."""

    path: str
    kib: int
    owner: str
    links: bool


@dataclass(frozen=True)
class Old:
    """
    What a take-over would meet. `note`: that of a take-over, by key; `listed`: its containers. `ours`: an instance of
    the suite is here; `keys`: its keys are the "same" as the old ones or "other", "" without any. `occupied`: its
    database directory has a database; `mounted`: something is mounted there.

    `project`: the one that is meant, "" if nobody can say. `variables`: what its web is told, without what may be a
    secret: of that there are the names (`brought`). `good`, `odd`: names of the keys that Mastodon's commands make,
    which have their form or not. `version`: "v4.5.20", "" if it cannot be read. `database`: version of PostgreSQL and
    bytes. `redis`: version and bytes. `refused`: whose words by "postgres" or "redis". `proxies`: directories of
    certificates by the container of an old proxy. `certificates`: directory and verdict ("good") by name.
    """

    note: Mapping[str, str] = field(default_factory=dict)
    listed: tuple[str, ...] = ()
    ours: bool = False
    keys: str = ""
    occupied: bool = False
    mounted: bool = False
    free_kib: int = 0
    candidates: tuple[Candidate, ...] = ()
    project: str = ""
    containers: tuple[OldContainer, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    brought: frozenset[str] = frozenset()
    good: frozenset[str] = frozenset()
    odd: frozenset[str] = frozenset()
    image: str = ""
    version: str = ""
    database: tuple[str, int] | None = None
    extensions: tuple[str, ...] = ()
    redis: tuple[str, int] | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    media: Media | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    certificates: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def phase(self) -> str:
        """How far a take-over is: "", "begun", "stopped", "switching", "carried" or "finished"."""
        return self.note.get("phase", "")

    @property
    def directory(self) -> str:
        """From which the old project was started, "" if it is not known."""
        return next((each.directory for each in self.candidates if each.project == self.project), "")

    def running(self, role: str) -> OldContainer | None:
        """The container of this role that runs."""
        return next((each for each in self.containers if each.role == role and each.status == "running"), None)


class OldInstance(EngineFact[Old]):
    """A Mastodon that somebody has set up by hand with Compose."""

    script = "adopt/look"

    @classmethod
    def of(cls, directory: str, root: str, names: Iterable[str]) -> Question[Old]:
        """directory: the operator's word, or "". root: mastodon_root. names: of the site, with certificates."""
        forms = (f"{secret.name}={secret.form}" for secret in MADE_BY_MASTODON)
        return cls.question(directory, root, ADOPTION_NOTE, " ".join(names), *forms)

    @override
    def read(self, lines: Lines) -> Old:
        noted = [line.partition(" ")[::2] for line in lines.all("noted")]
        media = lines.get("media").split("\t") if "media" in lines else None
        certificates = (line.split("\t") for line in lines.all("certificate"))
        refused = (line.partition(" ")[::2] for line in lines.all("refused"))
        return Old(
            note={key: value for key, value in noted if key != "container"},
            listed=tuple(value.split("\t")[0] for key, value in noted if key == "container"),
            ours="ours" in lines,
            keys=lines.get("keys"),
            occupied="occupied" in lines,
            mounted="mounted" in lines,
            free_kib=int(lines.get("free", "0")),
            candidates=tuple(_candidate(line) for line in lines.all("candidate")),
            project=lines.get("project"),
            containers=tuple(OldContainer(*line.split("\t")) for line in lines.all("container")),
            variables=dict(json.loads(text).split("=", 1) for text in lines.all("variable")),
            brought=frozenset(lines.all("brought")),
            good=frozenset(lines.all("good")),
            odd=frozenset(lines.all("odd")),
            image=lines.get("image"),
            version=lines.get("version"),
            database=_sized(lines, "database"),
            extensions=tuple(lines.all("extension")),
            redis=_sized(lines, "redis"),
            refused=dict(refused),
            media=Media(media[3], int(media[0] or 0), media[1], media[2] == "same") if media else None,
            proxies=dict(line.split("\t") for line in lines.all("certificates")),
            certificates={name: (directory, verdict) for name, directory, verdict in certificates},
        )


def _candidate(line: str) -> Candidate:
    project, directory, domain = line.split("\t")
    return Candidate(project, "" if directory == "-" else directory, domain)


def _sized(lines: Lines, key: str) -> tuple[str, int] | None:
    if key not in lines:
        return None
    version, size = lines.one(key).split()
    return version, int(size)
