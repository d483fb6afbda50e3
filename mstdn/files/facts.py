"""Facts about files and directories."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from mstdn.fact import Fact, Lines, Question
from mstdn.files.tree import ConfigDirectory


@dataclass(frozen=True)
class FileState:
    """
    `kind`: "f" regular file, "d" directory, "o" other. `link`: the path is a symbolic link to that.
    `mode` is octal ("0644"), `owner` numeric. `sha256` is "" for all but regular files.
    """

    kind: str
    mode: str
    owner: str
    sha256: str = ""
    link: bool = False


@dataclass
class Tree:
    """States by path (absent paths are missing from it) and the paths found in the directories asked for."""

    states: dict[str, FileState] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)


# What a line of the script is about; an entry is about the directory that it lies in.
_ABOUT = re.compile(r"(?:state \S+ \S+|sum \S+ |link) (?P<path>.+)|entry (?P<directory>.+)/[^/]*")
# A link that leads nowhere: neither file nor directory, and it can only be moved away.
NOWHERE = FileState("o", "0777", "", link=True)


class WrittenFiles(Fact[list[str]]):
    """Which files of a directory somebody wrote who says so in their first line."""

    script = "files/written"

    @classmethod
    def of(cls, directory: str, mark: str) -> Question[list[str]]:
        """directory: its path. mark: part of the first line."""
        return cls.question(directory, mark)

    @override
    def read(self, lines: Lines) -> list[str]:
        return lines.all("written")


class Strangers(Fact[dict[str, str]]):
    """What lies in directories and belongs to somebody else, or cannot be read: one path by directory."""

    script = "files/strangers"

    @classmethod
    def of(cls, directories: Iterable[ConfigDirectory]) -> Question[dict[str, str]]:
        """directories: those that say which rights all in them gives."""
        return cls.question(*(f"{each.rights} {each.owner} {each.path}" for each in directories if each.rights))

    @override
    def read(self, lines: Lines) -> dict[str, str]:
        return dict(line.split(" ", 1) for line in lines.all("stranger"))


class InTheWay(Fact[list[str]]):
    """Paths in whose place the suite has a file of its own, and where there is something else."""

    script = "files/in_the_way"

    @classmethod
    def of(cls, mounted: Iterable[str], others: Iterable[str]) -> Question[list[str]]:
        """
        mounted: paths of files that containers mount, and others to which an empty directory gives way. others: all
        other paths; one that ends in "/" stands for all that lies in that directory.
        """
        return cls.question(*mounted, "--", *others)

    @override
    def read(self, lines: Lines) -> list[str]:
        return lines.all("blocked")


class FileStates(Fact[Tree]):
    """Type, mode, numeric owner and SHA-256 of many paths at once."""

    script = "files/state"
    joint = True

    @classmethod
    @override
    def about(cls, arguments: tuple[str, ...], lines: Iterable[str]) -> list[str]:
        # A line that is none of the script's is left to read(), which tells of it.
        abouts = ((line, _ABOUT.fullmatch(line)) for line in lines)
        return [line for line, about in abouts if not about or (about["path"] or about["directory"]) in arguments]

    @classmethod
    def of(cls, paths: Iterable[str]) -> Question[Tree]:
        """paths: of files and directories, absolute."""
        return cls.question(*paths)

    @override
    def read(self, lines: Lines) -> Tree:
        links = set(lines.all("link"))
        sums = {path: sha256 for sha256, path in (line.split("  ", 1) for line in lines.all("sum"))}
        tree = Tree(states=dict.fromkeys(links, NOWHERE), entries=lines.all("entry"))
        for mode_text, owner, path in (line.split(" ", 2) for line in lines.all("state")):
            mode = int(mode_text, 16)
            kind = "d" if stat.S_ISDIR(mode) else "f" if stat.S_ISREG(mode) else "o"
            octal = f"{stat.S_IMODE(mode):04o}"
            tree.states[path] = FileState(kind, octal, owner, sums.get(path, ""), link=path in links)
        return tree
