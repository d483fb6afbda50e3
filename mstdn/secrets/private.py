"""Secrets of programs of the server itself: files for root, each with its own text, in a directory of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mstdn.asking import ask
from mstdn.fact import Question
from mstdn.files.commands import Step, file_step, put
from mstdn.files.facts import FileStates, Tree
from mstdn.files.tree import ConfigDirectory, ConfigFile
from mstdn.operation import announce
from mstdn.shell import Commands, script


def private_states(directory: str, names: Iterable[str]) -> Question[Tree]:
    """What private_files asks. names: of all files that may lie there."""
    path = ConfigDirectory(directory).path
    return FileStates.of([path, *(f"{path}/{name}" for name in names)])


def private_files(directory: str, files: Sequence[ConfigFile], names: Iterable[str]) -> Commands:
    """
    Ensure exactly these files in the directory, which is root's; without any, that it is gone. No text is shown.

    names: of all files that may lie there.
    """
    tree = ask(private_states(directory, names))
    if not files:
        if directory in tree.states:
            announce(f"{directory} is no longer needed")
            yield script("files/remove", directory)
        return
    wanted = {file.path: file for file in files}
    steps = []
    if (found := tree.states.get(directory)) is None or (found.mode, found.owner) != ("0700", "0:0"):
        steps.append(Step("directory", directory, "0:0", "0700"))
    for path, file in wanted.items():
        there = tree.states.get(path)
        if there is None or (there.sha256, there.mode, there.owner) != (file.sha256, file.mode, file.owner):
            if there:
                announce(f"{path} has another content, mode or owner")
            steps.append(file_step(path, file.owner, file.mode, file.text))
    if steps:
        yield put(steps)
    if gone := [path for path in tree.entries if path not in wanted]:
        announce(*(f"{path} is no longer needed" for path in gone))
        yield script("files/remove", *gone)
