"""Files and directories of a server, converged as one tree with one fact."""

from collections.abc import Iterable, Iterator, Sequence

from pyinfra import host, logger, state
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.facts.files import FileContents
from pyinfra.operations.util.files import generate_color_diff

from mstdn.files.facts import FileStates, Tree
from mstdn.files.tree import ConfigDirectory, ConfigFile
from mstdn.refusal import refuse
from mstdn.shell import Commands, script


@operation()
def config_tree(
    files: Sequence[ConfigFile],
    directories: Sequence[ConfigDirectory] = (),
    absent: Sequence[str] = (),
) -> Commands:
    """
    Ensure directories, then files, then that what is no longer wanted is gone.

    + files: each written atomically with its owner and mode
    + directories: made or repaired; an exclusive one loses every entry that is not in `files`
    + absent: paths of files that shall not exist
    """
    yield from converge_tree(files, directories, absent)


def converge_tree(
    files: Sequence[ConfigFile],
    directories: Sequence[ConfigDirectory] = (),
    absent: Sequence[str] = (),
) -> Commands:
    """
    The commands of `config_tree`, for operations that write files on the way to something else.

    Refuses where something that is no regular file (or directory) is in the way: it may be an operator's.
    """
    wanted: list[ConfigDirectory | ConfigFile] = [*directories, *files]
    tree = host.get_fact(FileStates, paths=[*(each.path for each in wanted), *absent])
    for each in wanted:
        kind = "d" if isinstance(each, ConfigDirectory) else "f"
        found = tree.states.get(each.path)
        if found and found.kind != kind:
            yield from refuse(
                f"{each.path} exists and is not a {'directory' if kind == 'd' else 'regular file'}: "
                "look at it, move it away, run again"
            )
            return
    gone = [*(path for path in absent if path in tree.states), *_strays(files, directories, tree)]
    # Before the first command, because that is how far pyinfra goes when it plans.
    _show_diffs([file for file in files if not _has_text(file, tree)], gone, tree)
    for directory in directories:
        yield from _converge_directory(directory, tree)
    for file in files:
        yield from _converge_file(file, tree)
    for path in gone:
        yield StringCommand("rm -rf --", QuoteString(path))


def _converge_directory(directory: ConfigDirectory, tree: Tree) -> Commands:
    found = tree.states.get(directory.path)
    if found and (found.mode, found.owner) == (directory.mode, directory.owner):
        return
    path = QuoteString(directory.path)
    yield StringCommand("mkdir -p", path)
    yield _own(directory)


def _converge_file(file: ConfigFile, tree: Tree) -> Commands:
    found = tree.states.get(file.path)
    if not _has_text(file, tree):
        yield script("files/write", file.path, file.owner, file.mode, stdin=file.text)
    elif found and (found.mode, found.owner) != (file.mode, file.owner):
        yield _own(file)


def _has_text(file: ConfigFile, tree: Tree) -> bool:
    found = tree.states.get(file.path)
    return found is not None and found.sha256 == file.sha256


def _own(each: ConfigFile | ConfigDirectory) -> StringCommand:
    owner, mode, path = (QuoteString(word) for word in (each.owner, each.mode, each.path))
    return StringCommand("chown", owner, path, "&& chmod", mode, path)


def _strays(files: Iterable[ConfigFile], directories: Iterable[ConfigDirectory], tree: Tree) -> Iterator[str]:
    expected = {file.path for file in files} | {directory.path for directory in directories}
    for directory in directories:
        if directory.exclusive:
            prefix = directory.path.rstrip("/") + "/"
            yield from (entry for entry in tree.entries if entry.startswith(prefix) and entry not in expected)


def _show_diffs(changed: Iterable[ConfigFile], gone: Iterable[str], tree: Tree) -> None:
    """Show once what --diff asks for: while planning, or while running when -y skipped the planning."""
    already_shown = state.is_executing and state.check_for_changes
    if not state.config.DIFF or already_shown:
        return
    for file in changed:
        exists = file.path in tree.states
        current = (host.get_fact(FileContents, path=file.path) or []) if exists else []
        logger.info(f"{host.print_prefix}{'Change' if exists else 'Create'} {file.path}")
        for line in generate_color_diff(current, file.text.splitlines()):
            logger.info(f"  {line}")
    for path in gone:
        logger.info(f"{host.print_prefix}Remove {path}")
