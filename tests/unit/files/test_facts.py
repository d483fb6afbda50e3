"""Files and directories, as the script prints them."""

from __future__ import annotations

import pytest
from pyinfra.api.exceptions import FactProcessError

from mstdn.files.facts import NOWHERE, FileState, FileStates, Tree
from tests.harness import read

SUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def test_directories_files_links_and_all_else_are_read() -> None:
    output = f"""\
state 41ed 0:0 /srv/mastodon
state 8180 991:991 /srv/mastodon/a  file
state 43ff 0:0 /tmp
state c1b6 0:108 /run/docker.sock
state 41c0 0:0 /srv/media
entry /srv/mastodon/a  file
link /srv/media
link /srv/broken
sum {SUM}  /srv/mastodon/a  file
"""
    assert read(FileStates, output) == Tree(
        {
            "/srv/mastodon": FileState("d", "0755", "0:0"),
            "/srv/mastodon/a  file": FileState("f", "0600", "991:991", SUM),
            "/tmp": FileState("d", "1777", "0:0"),
            "/run/docker.sock": FileState("o", "0666", "0:108"),
            "/srv/media": FileState("d", "0700", "0:0", link=True),
            "/srv/broken": NOWHERE,
        },
        ["/srv/mastodon/a  file"],
    )


def test_a_bare_server_has_none_of_them() -> None:
    assert read(FileStates, "") == Tree({}, [])


@pytest.mark.parametrize("output", ["state 0755x 0:0 /srv\n", "state 41ed /srv\n", f"sum {SUM} /srv\n"])
def test_a_line_of_another_form_is_contained(output: str) -> None:
    with pytest.raises(FactProcessError, match="files/state answered something unexpected"):
        read(FileStates, output)


def test_each_question_gets_what_is_about_its_own_paths() -> None:
    lines = [
        "state 81a4 0:0 /a",
        "state 41ed 0:0 /d with space",
        "state 81a4 0:0 /d with space/e",
        "link /a",
        "link /ab",
        f"sum {'0' * 64}  /a",
        f"sum {'0' * 64}  /d with space/e",
        "entry /d with space/e",
        "entry /d with space/e/f",
        "something else",
    ]
    assert FileStates.about(("/a",), lines) == [lines[0], lines[3], lines[5], lines[9]]
    assert FileStates.about(("/d with space",), lines) == [lines[1], lines[7], lines[9]]
    assert FileStates.about(("/d with space/e", "/b"), lines) == [lines[2], lines[6], lines[8], lines[9]]
    assert FileStates.about((), lines) == [lines[9]]
