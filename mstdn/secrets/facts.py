"""Facts about the secrets on a server: which there are and whether they are sound, never what they are."""

from dataclasses import dataclass, field

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


@dataclass
class Secrets:
    """
    `database`: PostgreSQL's data directory is in use. `complete`: instance.env ends as it was written.
    `good` and `damaged` are names. `access` and `operator_access`: "mode owner" such as "0600 0:0".
    `handed_out`: every container has exactly its part of the present secrets.
    """

    database: bool = False
    exists: bool = False
    complete: bool = False
    access: str = ""
    good: set[str] = field(default_factory=set)
    damaged: list[str] = field(default_factory=list)
    operator_sha256: str = ""
    operator_access: str = ""
    handed_out: bool = True


class SecretStates(FactBase[Secrets]):
    """The state of the secrets in `directory`; `database` is PostgreSQL's data directory."""

    @override
    def command(self, directory: str, database: str) -> StringCommand:
        return StringCommand(
            question("secrets/state", directory, database), ";", question("secrets/distribute", directory, "check")
        )

    @staticmethod
    @override
    def default() -> Secrets:
        return Secrets(handed_out=False)

    @override
    def process(self, output: list[str]) -> Secrets:
        secrets = Secrets()
        for line in output:
            key, _, rest = line.partition(" ")
            if key in ("database", "exists", "complete"):
                setattr(secrets, key, True)
            elif key == "access":
                secrets.access = rest
            elif key == "good":
                secrets.good.add(rest)
            elif key == "damaged":
                secrets.damaged.append(rest or "a line without a name")
            elif key == "operator":
                secrets.operator_sha256, _, secrets.operator_access = rest.partition(" ")
            elif key == "differs":
                secrets.handed_out = False
        return secrets
