"""Facts about the instance's database."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.docker.engine import ContainerFact, EngineFact
from mstdn.fact import Fact, Lines, Question
from mstdn.layout import DEPLOYMENT


class Installed(Fact[dict[str, str]]):
    """
    What was installed: LOCAL_DOMAIN, MASTODON_VERSION, and DATABASE if PostgreSQL's directory is in use.

    While an upgrade is under way also NEXT_VERSION, and MIGRATIONS as rules.py explains. WORK is the state of the unit
    of deployments, in systemd's words, while it works ("activating") and when it has failed. Empty on a bare server.
    """

    script = "database/state"

    @classmethod
    def of(cls, marker: str, database: str) -> Question[dict[str, str]]:
        """marker: the file that remembers what was installed. database: PostgreSQL's data directory."""
        return cls.question(marker, database, f"{DEPLOYMENT}.service")

    @override
    def read(self, lines: Lines) -> dict[str, str]:
        return dict(line.split("=", 1) for line in lines.all("installed"))


@dataclass(frozen=True)
class Dumps:
    """
    `releases`: of which there is a dump of the database. `database_mib`: its size, 0 if nobody asked for it. `left`:
    the releases from which it went back, and of which there is a dump of that moment. `half`: one is being made, or
    was cut off.
    """

    releases: tuple[str, ...] = ()
    database_mib: int = 0
    left: tuple[str, ...] = ()
    half: bool = False


class DatabaseDumps(Fact[Dumps]):
    """The ways back to releases before."""

    script = "database/dumps"

    @classmethod
    def under(cls, root: str, *, size: bool = False) -> Question[Dumps]:
        """root: of the instance. size: whether to look at the size of the database as well."""
        return cls.question(root, *(["size"] if size else []))

    @override
    def read(self, lines: Lines) -> Dumps:
        releases, left = (
            tuple(each for each in lines.all(key) if re.fullmatch(r"v\d+\.\d+\.\d+", each)) for key in ("dump", "left")
        )
        return Dumps(releases, int(lines.get("database", "0")) // 1024, left, "half" in lines)


@dataclass(frozen=True)
class Stores:
    """
    `refused`: which of the stores ("postgres", "redis") does not let Mastodon in with the password it was given, and
    its words. `collation`: the versions of the rules by which the database's indexes were sorted and by which it sorts
    now, where they differ. `missing`: "database" or "tables" where PostgreSQL runs without those of Mastodon.
    """

    refused: dict[str, str] = field(default_factory=dict)
    collation: tuple[str, str] | None = None
    missing: str = ""


class StoresAtWork(ContainerFact[Stores]):
    """What PostgreSQL and Redis say to somebody who logs in as Mastodon does."""

    script = "database/logins"
    inside = True

    @classmethod
    def of(cls, project: str) -> Question[Stores]:
        """project: name of Mastodon's Compose project."""
        return cls.question(project)

    @override
    def read(self, lines: Lines) -> Stores:
        refused = {store: words for store, _, words in (line.partition(" ") for line in lines.all("refused"))}
        versions = next(iter(lines.words("collation")), [])
        collation = (versions[0], versions[1]) if len(versions) == 2 else None
        return Stores(refused, collation, lines.get("missing"))


class DuplicateAccounts(EngineFact[int]):
    """How many accounts of other servers the database has more than once; 0 too where it cannot say."""

    script = "database/duplicates"

    @classmethod
    def of(cls, project: str) -> Question[int]:
        """project: name of Mastodon's Compose project."""
        return cls.question(project)

    @override
    def read(self, lines: Lines) -> int:
        return int(lines.get("duplicates", "0"))
