"""The scripts that look at files and write them."""

from __future__ import annotations

import stat
from pathlib import Path

from mstdn.files.facts import FileStates
from tests.harness import OWNER, answer_of, run_script


def test_the_states_of_many_files_come_with_one_question(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir(mode=0o750)
    (tmp_path / "directory" / "a file").write_text("x")
    (tmp_path / "file").write_text("test")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    paths = [tmp_path / name for name in ("directory", "file", "link", "absent")]
    tree = FileStates().process(run_script("files/state", *paths).stdout.splitlines())
    directory, file, link, _ = (str(path) for path in paths)
    assert {path: (state.kind, state.mode, state.owner) for path, state in tree.states.items()} == {
        directory: ("d", "0750", OWNER),
        file: ("f", "0640", OWNER),
        link: ("o", "0777", OWNER),
    }
    assert tree.states[file].sha256 == "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    assert tree.entries == [f"{directory}/a file"]


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
