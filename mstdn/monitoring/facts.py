"""What PostgreSQL lets the exporter do."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Lines, Question


@dataclass(frozen=True)
class Role:
    """
    `there`: it could log in. `refused`: PostgreSQL's words where it could not, "" otherwise. `member_of`: names of the
    roles whose rights it has; `rights`: what it has besides, in PostgreSQL's words ("superuser", "tables").
    """

    there: bool = False
    refused: str = ""
    member_of: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()


class MonitoringRole(EngineFact[Role]):
    """The exporter's role in PostgreSQL, asked as the exporter logs in. Nobody is there before there is a password."""

    script = "monitoring/role"

    @classmethod
    def of(cls, project: str, secrets: str) -> Question[Role]:
        """project: name of Mastodon's Compose project. secrets: directory of all secrets."""
        return cls.question(project, secrets)

    @override
    def read(self, lines: Lines) -> Role:
        return Role("role" in lines, lines.get("refused"), tuple(lines.all("member")), tuple(lines.all("right")))
