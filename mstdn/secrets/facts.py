"""Facts about the secrets on a server: which there are and whether they are sound, never what they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question
from mstdn.secrets.parts import FORMS, WORDS


@dataclass
class Secrets:
    """
    `database`: PostgreSQL's data directory is in use. `complete`: instance.env ends as it was written.
    `good` and `damaged` are names, and so is `operator`: what others gave and the server has. `access` and
    `operator_access`: "mode owner" such as "0600 0:0".
    `differing`: names of those parts of the containers (and ".env") that are not what the present secrets make.
    """

    database: bool = False
    exists: bool = False
    complete: bool = False
    access: str = ""
    good: set[str] = field(default_factory=set)
    damaged: list[str] = field(default_factory=list)
    operator: set[str] = field(default_factory=set)
    operator_sha256: str = ""
    operator_access: str = ""
    differing: tuple[str, ...] = ()

    @property
    def distributed(self) -> bool:
        """Every container has exactly its part of the present secrets."""
        return not self.differing


class SecretStates(Fact[Secrets]):
    """The state of the secrets in a directory."""

    script = "secrets/state"
    before = ("secrets/parts",)

    @classmethod
    def of(cls, directory: str, database: str, words: Iterable[str] = WORDS) -> Question[Secrets]:
        """directory: of the secrets. database: PostgreSQL's data directory. words: the parts, for the script."""
        return cls.question(directory, database, *FORMS, "--", *words)

    @override
    def read(self, lines: Lines) -> Secrets:
        sha256, _, access = lines.get("operator").partition(" ")
        return Secrets(
            database="database" in lines,
            exists="exists" in lines,
            complete="complete" in lines,
            access=lines.get("access"),
            good=set(lines.all("good")),
            damaged=[name or "a line that is none of the suite's" for name in lines.all("damaged")],
            operator=set(lines.all("brought")),
            operator_sha256=sha256,
            operator_access=access,
            differing=tuple(lines.all("differs")),
        )
