"""Files and directories of a server, converged as one tree with one fact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from pyinfra import host, logger, state
from pyinfra.api import QuoteString, StringCommand
from pyinfra.facts.files import FileContents
from pyinfra.operations.util.files import generate_color_diff

from mstdn.asking import ask
from mstdn.brought import brings, is_brought
from mstdn.fact import Question
from mstdn.files.commands import Step, put
from mstdn.files.facts import FileStates, Strangers, Tree, WrittenFiles
from mstdn.files.rules import in_the_way
from mstdn.files.tree import ConfigDirectory, ConfigFile
from mstdn.operation import announce, is_the_moment_to_show, operation
from mstdn.refusal import refuse
from mstdn.shell import Commands, script

# In the first line of each file that the suite writes beside those of others.
MARK = "Written by the suite"
EMPTY = sha256().hexdigest()


@operation
def config_tree(
    files: Sequence[ConfigFile],
    directories: Sequence[ConfigDirectory] = (),
    absent: Sequence[str] = (),
    shared: Sequence[str] = (),
) -> Commands:
    """
    Ensure directories, then files, then that what is no longer wanted is gone.

    + files: each written atomically with its owner and mode
    + directories: made or repaired; an exclusive one loses every entry that is not in `files`
    + absent: paths of files that shall not exist
    + shared: directories in which others have files as well; of those that the suite wrote, which their first line
    says, the ones that are not in `files` go

    Refuses where something that is not the suite's is in the place of a file.
    """
    yield from converge_tree(files, directories, absent, shared)


def not_written(files: Sequence[ConfigFile]) -> list[str]:
    """Paths of those that are not on the server as they should be, and are not written earlier in this run either."""
    open_ones = [file for file in files if not is_brought(file.path)]
    tree = ask(states_of(open_ones)) if open_ones else Tree()
    return [file.path for file in open_ones if not _has_text(file, tree)]


def written_in(directory: str) -> Question[list[str]]:
    """What config_tree asks of a directory that it shares with others."""
    return WrittenFiles.of(directory, MARK)


def converge_tree(
    files: Sequence[ConfigFile],
    directories: Sequence[ConfigDirectory] = (),
    absent: Sequence[str] = (),
    shared: Sequence[str] = (),
) -> Commands:
    """
    The commands of `config_tree`, for operations that write files on the way to something else.

    Refuses where something that is no regular file (or directory) is in the way: it may be an operator's. An empty
    directory is nobody's, and a file takes its place.
    """
    paths = {file.path for file in files}
    brings(*paths)
    absent = [*absent, *(path for each in shared for path in ask(written_in(each)) if path not in paths)]
    wanted: list[ConfigDirectory | ConfigFile] = [*directories, *files]
    tree = ask(states_of(files, directories, absent))
    for each in wanted:
        kind = "d" if isinstance(each, ConfigDirectory) else "f"
        found = tree.states.get(each.path)
        if kind == "f" and _is_empty_directory(each.path, tree):
            continue
        # A link to a directory is an operator's way to a bigger disk; a link to a file would be replaced by the file.
        if found and (found.kind != kind or (found.link and kind == "f")):
            yield from refuse(
                in_the_way(
                    each.path,
                    "a link" if found.link else "something else",
                    "directory" if kind == "d" else "regular file",
                )
            )
            return
    if theirs := sorted(_of_others(files, shared, tree)):
        yield from refuse(
            f"{', '.join(theirs)} {'was' if len(theirs) == 1 else 'were'} not written by the suite, which needs the "
            "place for what its settings say. Look at it, move it out of the directory, run again."
        )
        return
    gone = [*(path for path in absent if path in tree.states), *_strays(files, directories, tree)]
    strangers = {path: found for question in contents_of(directories) for path, found in ask(question).items()}
    # Before the first command, because that is how far pyinfra goes when it plans.
    if gone or any(each.path in tree.states for each in wanted):
        announce(*_reasons(wanted, gone, tree))
        announce(*(_who_it_belongs_to(each, strangers[each.path]) for each in directories if each.path in strangers))
    _show_diffs([file for file in files if not _has_text(file, tree)], gone, tree)
    if steps := list(_steps(wanted, tree)):
        yield put(steps)
    for directory in directories:
        if directory.path in strangers:
            yield script("files/take_back", directory.path, directory.owner, directory.rights)
    for path in gone:
        yield StringCommand("rm -rf --", QuoteString(path))


def _of_others(files: Iterable[ConfigFile], shared: Sequence[str], tree: Tree) -> Iterator[str]:
    """Paths of files in a shared directory that somebody else has filled. An empty one holds nothing of anybody's."""
    for directory in shared:
        ours = {*ask(written_in(directory))}
        for file in files:
            found = tree.states.get(file.path)
            if found and file.path.startswith(f"{directory}/") and file.path not in ours and found.sha256 != EMPTY:
                yield file.path


def _who_it_belongs_to(directory: ConfigDirectory, stranger: str) -> str:
    return (
        f"{stranger} does not belong to {directory.owner}, or its rights are less than {directory.rights}, as all in "
        f"{directory.path} must be"
    )


def contents_of(directories: Iterable[ConfigDirectory]) -> Iterator[Question[dict[str, str]]]:
    """The question that converge_tree asks about what lies in these, if it asks one."""
    if looked_into := [each for each in directories if each.rights]:
        yield Strangers.of(looked_into)


def states_of(
    files: Iterable[ConfigFile], directories: Iterable[ConfigDirectory] = (), absent: Iterable[str] = ()
) -> Question[Tree]:
    """The question that converge_tree asks for these."""
    return FileStates.of([*(each.path for each in directories), *(each.path for each in files), *absent])


def _steps(wanted: Iterable[ConfigDirectory | ConfigFile], tree: Tree) -> Iterator[Step]:
    """What is to be done for each, in their order; nothing for what is as it should be."""
    for each in wanted:
        found = tree.states.get(each.path)
        if isinstance(each, ConfigFile) and not _has_text(each, tree):
            yield Step("file", each.path, each.owner, each.mode, each.text)
        elif not found:
            yield Step("directory", each.path, each.owner, each.mode)
        elif (found.mode, found.owner) != (each.mode, each.owner):
            yield Step("rights", each.path, each.owner, each.mode)


def _has_text(file: ConfigFile, tree: Tree) -> bool:
    found = tree.states.get(file.path)
    return found is not None and found.sha256 == file.sha256


def _is_empty_directory(path: str, tree: Tree) -> bool:
    """Docker makes one where a file that a container mounts is missing. There is nothing of anybody's in it."""
    found = tree.states.get(path)
    return (
        found is not None
        and found.kind == "d"
        and not found.link
        and not any(entry.startswith(f"{path}/") for entry in tree.entries)
    )


def _strays(files: Iterable[ConfigFile], directories: Iterable[ConfigDirectory], tree: Tree) -> Iterator[str]:
    expected = {file.path for file in files} | {directory.path for directory in directories}
    for directory in directories:
        if directory.exclusive:
            prefix = directory.path.rstrip("/") + "/"
            yield from (entry for entry in tree.entries if entry.startswith(prefix) and entry not in expected)


def _reasons(wanted: Iterable[ConfigDirectory | ConfigFile], gone: Iterable[str], tree: Tree) -> Iterator[str]:
    """What is not as it should be, path by path."""
    for each in wanted:
        found = tree.states.get(each.path)
        if not found:
            yield f"{each.path} does not exist"
        elif isinstance(each, ConfigFile) and found.kind == "d":
            yield f"{each.path} is an empty directory, as Docker makes one where a file is missing"
        elif isinstance(each, ConfigFile) and found.sha256 != each.sha256:
            yield f"{each.path} has another content"
        elif (found.mode, found.owner) != (each.mode, each.owner):
            yield f"{each.path} has mode {found.mode} and owner {found.owner}, not {each.mode} and {each.owner}"
    for path in gone:
        yield f"{path} does not belong there"


def _show_diffs(changed: Iterable[ConfigFile], gone: Iterable[str], tree: Tree) -> None:
    """Show once what --diff asks for."""
    if not state.config.DIFF or not is_the_moment_to_show():
        return
    for file in changed:
        found = tree.states.get(file.path)
        exists = found is not None and found.kind == "f"
        current = (host.get_fact(FileContents, path=file.path) or []) if exists else []
        logger.info(f"{host.print_prefix}{'Change' if exists else 'Create'} {file.path}")
        for line in generate_color_diff(current, file.text.splitlines()):
            logger.info(f"  {line}")
    for path in gone:
        logger.info(f"{host.print_prefix}Remove {path}")
