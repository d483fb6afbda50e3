"""The scripts that look at files and write them."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pyinfra.api import StringCommand

from mstdn.files.commands import Step, put, put_file
from mstdn.files.facts import FileStates, InTheWay, Strangers
from mstdn.files.tree import ConfigDirectory
from tests.harness import OWNER, answer_of, calls_in, run_script, stand_in

SUM_OF_TEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def test_the_states_of_many_files_come_with_one_question(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir(mode=0o750)
    (tmp_path / "directory" / "a file").write_text("x")
    (tmp_path / "file").write_text("test")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "to directory").symlink_to("directory")
    (tmp_path / "broken").symlink_to("nowhere")
    names = ("directory", "file", "link", "to directory", "broken", "absent")
    paths = [tmp_path / name for name in names]
    tree = answer_of(FileStates.of(map(str, paths)))
    directory, file, link, to_directory, broken, _ = (str(path) for path in paths)
    assert {path: (state.kind, state.mode, state.owner, state.link) for path, state in tree.states.items()} == {
        directory: ("d", "0750", OWNER, False),
        file: ("f", "0640", OWNER, False),
        link: ("f", "0640", OWNER, True),
        to_directory: ("d", "0750", OWNER, True),
        broken: ("o", "0777", "", True),
    }
    assert tree.states[file].sha256 == SUM_OF_TEST
    assert tree.entries == [f"{directory}/a file", f"{to_directory}/a file"]


def written(
    target: Path, owner: str, mode: str, text: str, *, lines: str | None = None, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The script for one file. `lines`: what comes on standard input, if it is something else than the text."""
    stdin = stdin_of(put_file(str(target), owner, mode, text)) if lines is None else lines
    return run_script("files/put", "file", owner, mode, target, stdin=stdin, path=path)


def stdin_of(command: StringCommand) -> str:
    return str(command.connector_arguments["_stdin"])


def test_a_file_is_written_with_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "secret"
    assert written(target, OWNER, "0600", "text\n").returncode == 0
    assert target.read_text() == "text\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("lines", ["", "H4sIAAAAAAAC", "no base64!\n", "H4sIAAAAAAAC/ytJLS7hAgDGNbk7\n"])
def test_what_did_not_come_whole_replaces_nothing(tmp_path: Path, lines: str) -> None:
    target = tmp_path / "file"
    target.write_text("old\n")
    assert written(target, OWNER, "0644", "", lines=lines).returncode != 0
    assert target.read_text() == "old\n"


def test_directories_files_and_rights_are_put_right_in_one_go(tmp_path: Path) -> None:
    below, there = tmp_path / "a/b c", tmp_path / "there"
    there.write_text("old\n")
    steps = [
        Step("directory", str(below), OWNER, "0750"),
        Step("file", str(below / "it's"), OWNER, "0640", "one\n\n  two\\n"),
        Step("rights", str(there), OWNER, "0600"),
        Step("file", str(below / "empty"), OWNER, "0644", ""),
    ]
    words = [word for step in steps for word in (step.what, step.owner, step.mode, step.path)]
    run = run_script("files/put", *words, stdin=stdin_of(put(steps)))
    assert run.returncode == 0, run.stderr
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a", below, below / "it's", there)] == [
        *(0o755, 0o750, 0o640, 0o600)
    ]
    assert (below / "it's").read_text() == "one\n\n  two\\n" and (below / "empty").read_text() == ""
    assert there.read_text() == "old\n"


def test_a_file_that_cannot_be_given_away_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old\n")
    assert written(target, "no-such-user:0", "0644", "new\n").returncode != 0
    assert target.read_text() == "old\n"


def test_a_directory_that_docker_made_in_the_place_of_a_file_makes_room_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.mkdir()
    assert written(target, OWNER, "0644", "text\n").returncode == 0
    assert target.read_text() == "text\n"
    other = tmp_path / "other"
    (other / "of somebody").mkdir(parents=True)
    run = written(other, OWNER, "0644", "text\n")
    assert run.returncode != 0 and str(other) in run.stderr and (other / "of somebody").is_dir()


def test_what_is_secret_is_never_readable_by_others_on_its_way(tmp_path: Path) -> None:
    # Whoever could open it before its mode is right would have it.
    path = stand_in(tmp_path, "chown", f'stat -c %a "$2" >>"{tmp_path}/modes"')
    assert written(tmp_path / "secret", OWNER, "0644", "text\n", path=path).returncode == 0
    assert (tmp_path / "modes").read_text() == "600\n"


def test_names_that_the_checksum_program_would_quote_are_read(tmp_path: Path) -> None:
    file = tmp_path / "back\\slash"
    file.write_text("test")
    tree = answer_of(FileStates.of([str(file), str(tmp_path)]))
    assert tree.states[str(file)].sha256 == SUM_OF_TEST


# --- What lies in a directory -------------------------------------------------------------------


def uploads(home: Path) -> Path:
    """A directory of uploads as Mastodon leaves it, on a file system of its own, with a link in it."""
    directory = home / "media"
    (directory / "accounts/avatars/001").mkdir(parents=True)
    (directory / "accounts/avatars/001/a b.png").touch(0o644)
    (directory / "robots.txt").touch(0o644)
    (directory / ".snapshots/1").mkdir(0o700, parents=True)
    (directory / "lost+found").mkdir(0o700)
    (directory / "lost+found/#1").touch(0o600)
    (directory / "old").symlink_to("nowhere")
    return directory


def strangers(directory: Path, owner: str = OWNER) -> dict[str, str]:
    return answer_of(Strangers.of([ConfigDirectory(str(directory), owner=owner, rights="0604")]))


def test_what_is_as_it_should_be_is_no_stranger(tmp_path: Path) -> None:
    assert strangers(uploads(tmp_path)) == {}
    (tmp_path / "link").symlink_to("media")
    assert strangers(tmp_path / "link") == {}
    assert strangers(tmp_path / "absent") == {}
    # What lies deeper is not looked at: there may be millions.
    (tmp_path / "media/accounts/avatars/001").chmod(0o700)
    assert strangers(tmp_path / "media") == {}


@pytest.mark.parametrize("name", ["robots.txt", "accounts", "accounts/avatars"])
def test_what_nobody_else_can_read_is_seen(tmp_path: Path, name: str) -> None:
    directory = uploads(tmp_path)
    (directory / name).chmod(0o700)
    assert strangers(directory) == {str(directory): str(directory / name)}


def test_what_belongs_to_somebody_else_is_seen_and_given_back_with_all_that_is_deeper(tmp_path: Path) -> None:
    directory = uploads(tmp_path)
    assert strangers(directory, "4711:4711")[str(directory)].startswith(f"{directory}/")
    path = stand_in(tmp_path, "chown")
    assert run_script("files/take_back", directory, "4711:4711", "0604", path=path).returncode == 0
    given = " ".join(calls_in(tmp_path))
    assert given.startswith("chown -h 4711:4711 ")
    for name in ("accounts", "accounts/avatars/001/a b.png", "robots.txt", "old"):
        assert f"{directory}/{name}" in given
    assert "lost+found" not in given and ".snapshots" not in given and f"{directory} " not in given


def test_rights_are_given_back_down_to_the_last_upload_and_none_that_is_too_many(tmp_path: Path) -> None:
    directory = uploads(tmp_path)
    for each in sorted(directory.rglob("*"), reverse=True):
        if not each.is_symlink():
            each.chmod(0o700 if each.is_dir() else 0o400)
    assert run_script("files/take_back", directory, OWNER, "0604").returncode == 0
    assert strangers(directory) == {}
    modes = {each.name: f"{stat.S_IMODE(each.lstat().st_mode):o}" for each in directory.rglob("*")}
    assert (modes["accounts"], modes["001"], modes["a b.png"]) == ("755", "755", "644")
    assert (modes["lost+found"], modes["#1"], modes[".snapshots"]) == ("700", "400", "700")
    # What is for its owner only, as in a database, is for nobody else afterwards.
    (directory / "robots.txt").chmod(0o000)
    assert run_script("files/take_back", directory, OWNER, "0600").returncode == 0
    assert stat.S_IMODE((directory / "robots.txt").stat().st_mode) == 0o600


# --- What is in the place of a file ---------------------------------------------------------------


def empty(path: Path) -> None:
    path.mkdir()


def filled(path: Path) -> None:
    path.mkdir()
    (path / ".somebody's").touch()


def linked(path: Path) -> None:
    path.symlink_to(path.parent)


@pytest.mark.parametrize("make", [empty, filled, linked, os.mkfifo], ids=["empty", "filled", "link", "named pipe"])
def test_what_is_in_the_place_of_a_file_and_is_none_is_named(tmp_path: Path, make: Callable[[Path], None]) -> None:
    state = tmp_path / "state"
    state.mkdir()
    for path in (tmp_path / "mounted file", tmp_path / "note", state / "applied"):
        make(path)
    answer = answer_of(InTheWay.of([f"{tmp_path}/mounted file"], [f"{tmp_path}/note", f"{state}/"]))
    # Docker makes the empty one itself.
    mounted = [] if make is empty else [f"{tmp_path}/mounted file"]
    assert answer == [*mounted, f"{tmp_path}/note", f"{state}/applied"]


def test_files_links_to_files_and_what_is_not_there_are_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "broken").symlink_to("nowhere")
    paths = [f"{tmp_path}/{name}" for name in ("file", "link", "broken", "absent")]
    assert answer_of(InTheWay.of(paths, [*paths, f"{tmp_path}/", f"{tmp_path}/absent/"])) == []
