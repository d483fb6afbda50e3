"""Facts about the instance's database."""

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


class Installed(FactBase[dict[str, str]]):
    """
    What was installed: LOCAL_DOMAIN, MASTODON_VERSION, and DATABASE if PostgreSQL's directory is in use.

    While an upgrade is under way also NEXT_VERSION, and MIGRATIONS: "before" if some have to wait until that release
    serves, "none" if it brought none. Empty on a bare server.
    """

    @override
    def command(self, marker: str, database: str) -> StringCommand:
        return question("database/state", marker, database)

    @staticmethod
    @override
    def default() -> dict[str, str]:
        return {}

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        return dict(line.split("=", 1) for line in output if "=" in line)
