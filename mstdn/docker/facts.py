"""Facts about Docker Engine."""

from dataclasses import dataclass, field

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


@dataclass
class Engine:
    """
    `distribution` ("debian"), `codename` ("trixie") and `architecture` ("amd64") name the apt suite.
    `packages`: version by name, only what is installed. `fingerprints`: of each key that apt trusts for the repository.
    `started` and `configured`: seconds since the epoch, None if the daemon does not run or has no daemon.json.
    `members`: of the group docker, None without the group.
    """

    distribution: str = ""
    codename: str = ""
    architecture: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    fingerprints: list[str] = field(default_factory=list)
    active: bool = False
    enabled: bool = False
    started: int | None = None
    configured: int | None = None
    members: frozenset[str] | None = None


class DockerHost(FactBase[Engine]):
    """Packages, key, service and group of Docker Engine."""

    @override
    def command(self, key_path: str, packages: list[str]) -> StringCommand:
        return question("docker/state", key_path, *packages)

    @staticmethod
    @override
    def default() -> Engine:
        return Engine()

    @override
    def process(self, output: list[str]) -> Engine:
        engine = Engine()
        for line in output:
            key, *words = line.split()
            if key == "codename":
                engine.distribution, engine.codename = words
            elif key == "architecture":
                engine.architecture = words[0]
            elif key == "package":
                engine.packages[words[0]] = words[1]
            elif key == "fingerprint":
                engine.fingerprints.append(words[0])
            elif key == "active":
                engine.active = words == ["active"]
            elif key == "enabled":
                engine.enabled = words == ["enabled"]
            elif key == "started":
                engine.started = int(words[0])
            elif key == "configured":
                engine.configured = int(words[0])
            elif key == "members":
                engine.members = frozenset(words[0].split(",")) if words else frozenset()
        return engine
