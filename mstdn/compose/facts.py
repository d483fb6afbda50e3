"""Facts about Compose projects."""

from dataclasses import dataclass, field

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


@dataclass(frozen=True)
class Container:
    """`status` and `health` as Docker names them ("none" without a health check)."""

    service: str
    status: str
    health: str
    same_image: bool

    @property
    def well(self) -> bool:
        return self.status == "running" and self.health in ("healthy", "none") and self.same_image


@dataclass
class Project:
    """`applied` and `loaded` are revisions, "" if never."""

    applied: str = ""
    loaded: str = ""
    containers: list[Container] = field(default_factory=list)


class ComposeProject(FactBase[Project]):
    """
    The project's containers, and the revisions that were applied and loaded last.

    `applied` and `loaded` are files that hold a revision; it counts only while each of `applied_files` (or
    `loaded_files`) is there and no newer, so that what somebody changed by hand in between is noticed.
    """

    @override
    def command(
        self, project: str, applied: str, loaded: str, applied_files: list[str], loaded_files: list[str]
    ) -> StringCommand:
        return question("compose/state", project, applied, loaded, *applied_files, "--", *loaded_files)

    @staticmethod
    @override
    def default() -> Project:
        return Project()

    @override
    def process(self, output: list[str]) -> Project:
        applied, loaded = (line.partition(" ")[2] for line in output if line.startswith("stamp "))
        project = Project(applied, loaded)
        for line in output:
            if line.startswith("service "):
                _, service, status, health, same = line.split()
                project.containers.append(Container(service, status, health, same == "yes"))
        return project
