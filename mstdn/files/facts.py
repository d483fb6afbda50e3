"""Facts about files and directories."""

from dataclasses import dataclass, field

from pyinfra.api import FactBase, StringCommand
from typing_extensions import override

from mstdn.shell import question


@dataclass(frozen=True)
class FileState:
    """`kind`: "f" regular file, "d" directory, "o" other. `sha256` is "-" for all but regular files."""

    kind: str
    mode: str
    owner: str
    sha256: str


@dataclass
class Tree:
    """States by path (absent paths are missing from it) and the paths found in the directories asked for."""

    states: dict[str, FileState] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)


class FileStates(FactBase[Tree]):
    """Type, mode (as "0644"), numeric owner and SHA-256 of many paths at once."""

    @override
    def command(self, paths: list[str]) -> StringCommand:
        return question("files/state", *paths)

    @staticmethod
    @override
    def default() -> Tree:
        return Tree()

    @override
    def process(self, output: list[str]) -> Tree:
        tree = Tree()
        for line in output:
            kind, mode, owner, sha256, path = line.split(" ", 4)
            if kind == "entry":
                tree.entries.append(path)
            else:
                tree.states[path] = FileState(kind, mode.zfill(4)[-4:], owner, sha256)
        return tree
