"""mstdn/suite.py: which version this is, and which one may follow which."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import mstdn
from mstdn import suite
from mstdn.settings.model import FIELDS
from mstdn.settings.renamed import RENAMED, renamed
from mstdn.suite import Suite, refusal, this_suite

NUMBER = r"\d+\.\d+\.\d+"


@pytest.mark.parametrize(
    ("last", "this"),
    [
        ("", "0.1.0"),
        ("0.1.0", "0.1.0"),
        ("0.1.0 v0.1.0-3-g1a2b3c4", "0.1.0"),
        ("0.1.9", "0.1.10"),
        ("0.9.9 v0.9.9\n", "1.0.0"),
        ("0.2.0 v0.2.0-35-g1a2b3c4", "0.2.0 v0.2.0-35-g1a2b3c4"),
        ("0.2.0 v0.2.0", "0.2.0 v0.2.0-1-g1a2b3c4"),
        ("0.2.0 v0.2.0-9-g1a2b3c4", "0.2.0 v0.2.0-10-gd5e6f70"),
        # The commit of a release before its tag came.
        ("0.3.0 v0.2.0-40-g1a2b3c4", "0.3.0 v0.3.0"),
        # Without tags, or not cloned at all, nothing more is known than the version.
        ("0.2.0 v0.2.0-35-g1a2b3c4", "0.2.0 d5e6f70"),
        ("0.2.0 1a2b3c4", "0.2.0 v0.2.0"),
        ("0.3.0.dev1", "0.3.0.dev2"),
        ("0.3.0.dev9", "0.3.0rc1"),
        ("0.3.0rc2", "0.3.0"),
        ("0.3.0", "0.3.0.post1"),
        ("0.3.0+mine", "0.3.0"),
    ],
)
def test_the_same_and_a_newer_suite_may_follow(last: str, this: str) -> None:
    version, _, commit = this.partition(" ")
    assert refusal(last, Suite(version, commit)) is None


@pytest.mark.parametrize(
    ("last", "this", "checkout"),
    [
        ("0.2.0 v0.2.0-35-g1a2b3c4", "0.2.0 v0.2.0", "v0.2.0-35-g1a2b3c4"),
        ("0.2.0 v0.2.0-35-g1a2b3c4", "0.2.0 v0.2.0-4-gd5e6f70", "v0.2.0-35-g1a2b3c4"),
        ("0.3.0 v0.3.0", "0.3.0 v0.2.0-40-g1a2b3c4", "v0.3.0"),
        ("0.3.0.dev1", "0.2.0", "v0.3.0.dev1"),
        ("0.3.0", "0.3.0rc1", "v0.3.0"),
        ("0.3.0-rc.2", "0.3.0-beta.3", "v0.3.0-rc.2"),
        ("0.3.0.post1", "0.3.0", "v0.3.0.post1"),
    ],
)
def test_an_older_commit_or_a_preview_of_one_version_is_refused_too(last: str, this: str, checkout: str) -> None:
    version, _, commit = this.partition(" ")
    text = refusal(last, Suite(version, commit))
    assert text is not None
    assert f"the older {this}" in text and text.endswith(f"git checkout {checkout}")


def test_two_branches_of_one_version_can_be_told_from_an_older_one_by_the_reader_only() -> None:
    text = refusal("0.2.0 v0.2.0-35-g1a2b3c4", Suite("0.2.0", "v0.2.0-4-gd5e6f70"))
    assert text is not None and "another branch" in text and "state/suite" in text


@pytest.mark.parametrize(("last", "this"), [("0.2.0", "0.1.9"), ("0.1.10 v0.1.10", "0.1.9"), ("1.0.0", "0.9.0")])
def test_an_older_suite_is_refused_with_what_to_check_out(last: str, this: str) -> None:
    text = refusal(last, Suite(this, "abc1234"))
    assert text is not None
    assert f"the older {this} abc1234" in text
    assert f"git checkout v{last.split()[0]}" in text


@pytest.mark.parametrize("last", ["main", "0.1", "v0.1.0", "0.1.0x", "\u0661.2.3"])
def test_a_note_that_is_no_version_is_refused_with_what_to_do(last: str) -> None:
    assert "Remove state/suite" in (refusal(last, Suite("0.1.0")) or "")


def test_what_a_suite_notes_of_itself_is_what_it_reads() -> None:
    assert re.fullmatch(NUMBER, mstdn.__version__)
    assert refusal(str(this_suite()), this_suite()) is None


@pytest.fixture(name="clone")
def _clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = tmp_path / "clone"
    directory.mkdir()
    monkeypatch.setattr(suite, "SUITE_DIRECTORY", directory)
    this_suite.cache_clear()
    yield directory
    this_suite.cache_clear()


def git(directory: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", str(directory), *identity, *arguments], check=True, capture_output=True)


def test_the_commit_is_what_git_calls_it(clone: Path) -> None:
    git(clone, "init")
    git(clone, "commit", "--allow-empty", "--message", "first")
    git(clone, "tag", "v0.1.0")
    assert this_suite() == Suite(mstdn.__version__, "v0.1.0")
    this_suite.cache_clear()
    git(clone, "commit", "--allow-empty", "--message", "second")
    assert re.fullmatch(r"v0\.1\.0-1-g[0-9a-f]+", this_suite().commit)


def test_a_suite_within_another_repository_has_no_commit(clone: Path) -> None:
    git(clone.parent, "init")
    git(clone.parent, "commit", "--allow-empty", "--message", "another project")
    assert this_suite() == Suite(mstdn.__version__, "")


def test_without_git_there_is_a_version_and_no_commit(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(clone))
    assert shutil.which("git") is None
    assert this_suite() == Suite(mstdn.__version__, "")


# --- Settings that were renamed ------------------------------------------------------------------


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_a_renamed_setting_says_its_new_name_for_one_release() -> None:
    version = numbers(mstdn.__version__)
    for old, today in RENAMED.items():
        assert old not in FIELDS
        assert today.new in FIELDS
        assert today.new in str(renamed(old))
        since = numbers(today.since)
        assert version[:2] <= (since[0], since[1] + 1), f"remove {old} from RENAMED: it is known for one release"
