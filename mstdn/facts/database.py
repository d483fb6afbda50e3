"""Facts about the instance's database."""

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


class Installed(FactBase[dict[str, str]]):
    """
    What was installed: LOCAL_DOMAIN, MASTODON_VERSION, MIGRATIONS, and DATABASE if PostgreSQL's directory is in use.

    MIGRATIONS is "before" while some wait for the release to serve, "none" if it brought none, "done" at the end.
    Empty on a bare server.
    """

    @override
    def command(self, marker: str, database: str) -> StringCommand:
        return question("installed_state", marker, database)

    @staticmethod
    @override
    def default() -> dict[str, str]:
        return {}

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        return dict(line.split("=", 1) for line in output if "=" in line)
