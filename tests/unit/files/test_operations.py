"""The operation config_tree, run on this machine, and the revisions of what it writes."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyinfra.api import OperationError

from mstdn.files import operations
from mstdn.files.operations import config_tree
from mstdn.files.tree import ConfigDirectory, ConfigFile, revision_of
from tests.harness import OWNER, Command, apply, commands_of

AWKWARD_NAME = 'it\'s a "file" with $(touch x); `touch y` & * # and \\'
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def file_in(directory: Path, name: str = "file", content: str = "content\n", mode: str = "0644") -> ConfigFile:
    return ConfigFile(str(directory / name), content, mode, OWNER)


def directory_at(path: Path, mode: str = "0755", *, exclusive: bool = False) -> ConfigDirectory:
    return ConfigDirectory(str(path), mode, OWNER, exclusive)


def mode_of(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def converges(
    files: Sequence[ConfigFile], directories: Sequence[ConfigDirectory] = (), absent: Sequence[str] = ()
) -> None:
    """Asserts that the tree is made, and then left alone."""
    assert apply(config_tree, files=files, directories=directories, absent=absent)
    assert not apply(config_tree, files=files, directories=directories, absent=absent)


@given(TEXTS)
def test_a_text_ends_in_exactly_one_newline(content: str) -> None:
    text = ConfigFile("/file", content).text
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert text.rstrip("\n") == content.rstrip("\n")


@given(st.lists(st.builds(ConfigFile, st.sampled_from("abc"), TEXTS), unique_by=lambda file: file.path))
def test_the_order_of_files_does_not_change_their_revision(files: list[ConfigFile]) -> None:
    assert revision_of(files) == revision_of(reversed(files))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(([ConfigFile("/a", "2")], ()), id="content"),
        pytest.param(([ConfigFile("/b", "1")], ()), id="path"),
        pytest.param(([], ()), id="no file"),
        pytest.param(([ConfigFile("/a", "1"), ConfigFile("/b", "1")], ()), id="one more file"),
        pytest.param(([ConfigFile("/a", "1")], ("word",)), id="a word"),
    ],
)
def test_a_revision_differs_when_what_it_is_made_from_differs(other: tuple[list[ConfigFile], tuple[str, ...]]) -> None:
    files, words = other
    assert revision_of(files, *words) != revision_of([ConfigFile("/a", "1")])


def test_on_a_bare_server_directories_come_before_the_files_in_them() -> None:
    commands = commands_of(
        config_tree,
        {},
        files=[ConfigFile("/srv/x/file", "text", "0640", "999:999")],
        directories=[ConfigDirectory("/srv/x", "0700")],
    )
    assert commands == [
        Command("files/put", ("directory", "0:0", "0700", "/srv/x")),
        Command("files/put", ("file", "999:999", "0640", "/srv/x/file"), "text\n"),
    ]


def test_a_tree_is_made_once(tmp_path: Path) -> None:
    converges(
        [file_in(tmp_path / "new", "file", "one\ntwo", "0600")],
        [directory_at(tmp_path / "new", "0750")],
    )
    assert (tmp_path / "new" / "file").read_text() == "one\ntwo\n"
    assert mode_of(tmp_path / "new" / "file") == "0600"
    assert mode_of(tmp_path / "new") == "0750"


def test_names_with_shell_characters_are_only_names(tmp_path: Path) -> None:
    converges([file_in(tmp_path, AWKWARD_NAME, AWKWARD_NAME)])
    assert [path.name for path in tmp_path.iterdir()] == [AWKWARD_NAME]
    assert (tmp_path / AWKWARD_NAME).read_text() == AWKWARD_NAME + "\n"


def test_changed_content_is_put_right(tmp_path: Path) -> None:
    apply(config_tree, files=[file_in(tmp_path)])
    (tmp_path / "file").write_text("changed by hand\n")
    converges([file_in(tmp_path)])
    assert (tmp_path / "file").read_text() == "content\n"


def test_a_changed_mode_is_put_right(tmp_path: Path) -> None:
    apply(config_tree, files=[file_in(tmp_path / "d")], directories=[directory_at(tmp_path / "d")])
    (tmp_path / "d" / "file").chmod(0o666)
    (tmp_path / "d").chmod(0o777)
    converges([file_in(tmp_path / "d")], [directory_at(tmp_path / "d")])
    assert mode_of(tmp_path / "d" / "file") == "0644"
    assert mode_of(tmp_path / "d") == "0755"


def test_a_write_replaces_the_file_in_one_step(tmp_path: Path) -> None:
    apply(config_tree, files=[file_in(tmp_path, content="old\n")])
    with (tmp_path / "file").open() as reader:
        apply(config_tree, files=[file_in(tmp_path, content="new\n")])
        assert reader.read() == "old\n"  # who had it open still reads the whole old file
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_run_left_beside_the_target_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".file.new").write_text("half of")
    converges([file_in(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_exclusive_directory_loses_what_is_no_longer_wanted(tmp_path: Path) -> None:
    stray_directory = tmp_path / "stray directory"
    stray_directory.mkdir()
    for stray in (tmp_path / "stray", tmp_path / ".hidden stray", stray_directory / "file"):
        stray.touch()
    converges([file_in(tmp_path)], [directory_at(tmp_path, exclusive=True)])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_broken_link_in_an_exclusive_directory_goes_too(tmp_path: Path) -> None:
    (tmp_path / "stray").symlink_to("nowhere")
    converges([file_in(tmp_path)], [directory_at(tmp_path, exclusive=True)])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_other_directories_keep_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    apply(config_tree, files=[file_in(tmp_path)], directories=[directory_at(tmp_path)])
    assert (tmp_path / "other").exists()


def test_a_file_that_shall_not_exist_is_removed(tmp_path: Path) -> None:
    unwanted = tmp_path / AWKWARD_NAME
    unwanted.touch()
    converges([], absent=[str(unwanted)])
    assert not unwanted.exists()


@pytest.mark.parametrize("obstacle", ["link", "broken link", "directory"])
def test_what_is_in_the_way_of_a_file_is_not_replaced(tmp_path: Path, obstacle: str) -> None:
    path = tmp_path / "file"
    if obstacle.endswith("link"):
        if obstacle == "link":
            (tmp_path / "elsewhere").write_text("the operator's\n")
        path.symlink_to("elsewhere")
    else:
        path.mkdir()
        (path / ".hidden").touch()
    with pytest.raises(OperationError, match="instead of a regular file"):
        apply(config_tree, files=[file_in(tmp_path, "before"), file_in(tmp_path)])
    assert not (tmp_path / "before").exists()
    assert path.is_symlink() is obstacle.endswith("link")
    assert path.is_dir() is (obstacle == "directory")


def test_the_empty_directory_that_docker_makes_where_a_file_is_missing_gives_way(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    converges([file_in(tmp_path)], [directory_at(tmp_path, exclusive=True)])
    assert (tmp_path / "file").read_text() == "content\n"
    (tmp_path / "file").unlink()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "file").symlink_to("elsewhere")
    with pytest.raises(OperationError, match="is a link instead of a regular file"):
        apply(config_tree, files=[file_in(tmp_path)])


def test_a_file_in_the_way_of_a_directory_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "name").write_text("the operator's\n")
    with pytest.raises(OperationError, match="is something else instead of a directory"):
        apply(config_tree, files=[], directories=[directory_at(tmp_path / "name")])
    assert (tmp_path / "name").read_text() == "the operator's\n"


def test_a_link_to_a_directory_is_the_operators_way_to_a_bigger_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "media").symlink_to("disk")
    converges([file_in(tmp_path / "media")], [directory_at(tmp_path / "media", exclusive=True)])
    assert (tmp_path / "media").is_symlink()
    assert mode_of(tmp_path / "disk") == "0755"
    assert (tmp_path / "disk" / "file").read_text() == "content\n"


def test_a_link_that_leads_nowhere_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "media").symlink_to("a disk that is not mounted")
    with pytest.raises(OperationError, match="media exists and is a link instead of a directory"):
        apply(config_tree, files=[], directories=[directory_at(tmp_path / "media")])


# --- A directory that others have files in as well -----------------------------------------------

OURS = "# For a.example.org. Written by the suite: change settings instead, and deploy.\n"


def test_of_a_shared_directory_only_what_the_suite_wrote_and_no_longer_wants_goes_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {
        "alice.example.org": "client_max_body_size 512m;\n",
        "social.example.org_location": "# mine\n# Written by the suite\n",
        "empty": "",
        "no newline": "x",
    }
    for name, text in {**others, "gone.example.org": OURS}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "link").symlink_to(tmp_path / "gone.example.org")
    wanted = file_in(tmp_path, "social.example.org", OURS)
    tree = {"files": [wanted], "directories": [directory_at(tmp_path)], "shared": [str(tmp_path)]}
    told: list[str] = []
    monkeypatch.setattr(operations, "announce", lambda *reasons: told.extend(reasons))
    commands = apply(config_tree, **tree)
    gone = f"{tmp_path}/gone.example.org"
    assert [text for text in told if "does not belong" in text] == [f"{gone} does not belong there"]
    assert [command.words for command in commands if command.words[0] == "rm"] == [("rm", "-rf", "--", gone)]
    assert {path.name for path in tmp_path.iterdir()} == {*others, "link", "social.example.org"}
    assert not apply(config_tree, **tree)


def test_what_somebody_else_wrote_in_the_place_of_a_file_is_not_replaced(tmp_path: Path) -> None:
    """His own additions for a name of the site, from the time before the suite."""
    path = tmp_path / "social.example.org"
    path.write_text("client_max_body_size 512m;\n")
    wanted = [file_in(tmp_path, "a.example.org", OURS), file_in(tmp_path, path.name, OURS)]
    tree = {"files": wanted, "directories": [directory_at(tmp_path)], "shared": [str(tmp_path)]}
    with pytest.raises(OperationError, match=r"social\.example\.org was not written by the suite.*move it out"):
        apply(config_tree, **tree)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "client_max_body_size 512m;\n"


@pytest.mark.parametrize("text", ["", OURS.replace("a.example", "b.example"), OURS + "client_max_body_size 1k;\n"])
def test_what_the_suite_wrote_there_and_what_is_empty_is_put_right(tmp_path: Path, text: str) -> None:
    (tmp_path / "social.example.org").write_text(text)
    tree = {"files": [file_in(tmp_path, "social.example.org", OURS)], "shared": [str(tmp_path)]}
    assert apply(config_tree, **tree)
    assert (tmp_path / "social.example.org").read_text() == OURS


def test_what_lies_in_a_directory_belongs_to_its_owner_too(tmp_path: Path) -> None:
    directory = ConfigDirectory(str(tmp_path / "media"), "0755", OWNER, rights="0604")
    (tmp_path / "media/accounts").mkdir(parents=True)
    (tmp_path / "media/accounts/a.png").touch(0o644)
    assert not apply(config_tree, files=[], directories=[directory])
    (tmp_path / "media/accounts/a.png").chmod(0o600)
    converges([], [directory])
    assert mode_of(tmp_path / "media/accounts/a.png") == "0644"
