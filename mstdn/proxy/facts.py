"""Facts about the proxy."""

from dataclasses import dataclass, field

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


@dataclass
class Report:
    """`published`: (address, port, "project/service") for each port; `companion`: acme-companion's last log lines."""

    published: list[tuple[str, int, str]] = field(default_factory=list)
    companion: list[str] = field(default_factory=list)


class ProxyReport(FactBase[Report]):
    """
    What helps to explain why a visit fails.

    `ask_again` has acme-companion try at once what it would try again within the hour.
    """

    @override
    def command(self, ask_again: bool = False) -> StringCommand:
        return question("proxy/report", "ask" if ask_again else "look")

    @override
    def requires_command(self, ask_again: bool = False) -> str:
        return "docker"

    @staticmethod
    @override
    def default() -> Report:
        return Report()

    @override
    def process(self, output: list[str]) -> Report:
        report = Report()
        for line in output:
            key, _, rest = line.partition(" ")
            if key == "published":
                address, port, service = rest.split(" ")
                report.published.append((address, int(port), service))
            elif key == "companion":
                report.companion.append(rest)
        return report
