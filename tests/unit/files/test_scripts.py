"""The scripts that look at files and write them."""

from __future__ import annotations

import stat
from pathlib import Path

from mstdn.files.facts import FileStates
from tests.harness import OWNER, answer_of, run_script, stand_in

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


def test_a_file_is_written_with_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "secret"
    assert run_script("files/write", target, OWNER, "0600", stdin="text\n").returncode == 0
    assert target.read_text() == "text\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_given_away_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old\n")
    assert run_script("files/write", target, "no-such-user:0", "0644", stdin="new\n").returncode != 0
    assert target.read_text() == "old\n"


def test_what_is_secret_is_never_readable_by_others_on_its_way(tmp_path: Path) -> None:
    # Whoever could open it before its mode is right would have it.
    path = stand_in(tmp_path, "chown", f'stat -c %a "$2" >>"{tmp_path}/modes"')
    assert run_script("files/write", tmp_path / "secret", OWNER, "0644", stdin="text\n", path=path).returncode == 0
    assert (tmp_path / "modes").read_text() == "600\n"


def test_names_that_the_checksum_program_would_quote_are_read(tmp_path: Path) -> None:
    file = tmp_path / "back\\slash"
    file.write_text("test")
    tree = answer_of(FileStates.of([str(file), str(tmp_path)]))
    assert tree.states[str(file)].sha256 == SUM_OF_TEST
