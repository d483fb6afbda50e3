"""What is judged, and what a judgement is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mstdn.certificates.facts import CertificateFiles
from mstdn.docker.facts import Container
from mstdn.finding import Level
from mstdn.postgres.facts import Directories
from mstdn.status.facts import Machine, Parts

DEPLOY = "pyinfra inventory.py deploy.py"


@dataclass(frozen=True)
class Wanted:
    """
    What there should be. `release`: of Mastodon. `services`: by project, in their order. `images`: of web, by which the
    release is known. `names`: host names with a certificate. `swap`: the suite provides it. `root`, `proxy`: the
    directories of the projects, to be named in remedies. `suite`: the text of this suite. `backups`: the suite makes
    them. `alerts`: the server looks at itself. `told`: somebody is told then. `postgres`: the image of
    PostgreSQL. `disk_percent`: how full a disk may be.
    """

    release: str
    services: Mapping[str, tuple[str, ...]]
    web_image: str
    names: tuple[str, ...]
    root: str
    proxy: str
    suite: str
    swap: bool = True
    backups: bool = True
    alerts: bool = True
    told: bool = True
    postgres: str = ""
    disk_percent: int = 90


@dataclass(frozen=True)
class Seen:
    """
    What there is. `machine`: None if it could not be looked at. `containers`: None if the engine could not be asked,
    and `silent` why, "" otherwise. `installed`: the lines of state/installed.env. `directories`: of the database;
    `collation`: the versions by whose rules its indexes were sorted and by which it sorts now, where they differ.
    """

    machine: Machine | None = None
    installed: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[Container, ...] | None = None
    silent: str = ""
    certificates: CertificateFiles = field(default_factory=CertificateFiles)
    parts: Parts = field(default_factory=Parts)
    directories: Directories = field(default_factory=Directories)
    collation: tuple[str, str] | None = None


@dataclass(frozen=True)
class Complaint:
    """Something wrong ("error") or worth knowing ("warning"): `about` a part, what it is, and the remedy."""

    level: Level
    about: str
    text: str
    remedy: str
