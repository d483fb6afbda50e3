"""The scripts of the checkout, on a real repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from pyinfra.api import OperationError

from mstdn.checkout.facts import GitCheckout
from mstdn.checkout.operations import git_checkout
from mstdn.fact import CouldNotLook
from mstdn.images.facts import SourceTree
from tests.harness import answer_of, apply, run_script

GIT = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]


def git(directory: Path, *arguments: str) -> str:
    return subprocess.run(
        [*GIT, "-C", str(directory), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(directory: Path, text: str) -> None:
    (directory / "file").write_text(text)
    git(directory, "add", "file")
    git(directory, "commit", "--quiet", "--message", text)


class Repository:
    """A repository with two releases, and a checkout that the operation keeps."""

    def __init__(self, directory: Path) -> None:
        self.origin, self.checkout = directory / "origin", directory / "it's a checkout"
        self.origin.mkdir()
        git(self.origin, "init", "--quiet")
        for release in ("v4.7.5", "v4.7.60"):
            commit(self.origin, release)
            git(self.origin, "tag", "--annotate", "--message", release, release)

    def converge(self, tag: str) -> bool:
        """Whether something was to be done."""
        return bool(apply(git_checkout, repository=self.origin.as_uri(), directory=str(self.checkout), tag=tag))

    @property
    def text(self) -> str:
        return (self.checkout / "file").read_text()


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_checkout_is_exactly_the_release_and_shallow(repository: Repository) -> None:
    assert repository.converge("v4.7.60")
    assert repository.text == "v4.7.60"
    assert git(repository.checkout, "rev-list", "--count", "HEAD") == "1"
    assert git(repository.checkout, "describe", "--exact-match", "--tags") == "v4.7.60"
    assert not repository.converge("v4.7.60")


def test_nothing_is_fetched_when_the_release_is_there(repository: Repository) -> None:
    repository.converge("v4.7.5")
    repository.origin.rename(repository.origin.with_name("gone"))
    assert not repository.converge("v4.7.5")


def test_a_checkout_follows_the_release_up_and_down(repository: Repository) -> None:
    for tag in ("v4.7.5", "v4.7.60", "v4.7.5"):
        assert repository.converge(tag)
        assert repository.text == tag
        assert not repository.converge(tag)


@pytest.mark.parametrize("change", ["file", "new file"], ids=["a modified file", "a new file"])
def test_modifications_in_a_checkout_survive_every_run(repository: Repository, change: str) -> None:
    repository.converge("v4.7.5")
    (repository.checkout / change).write_text("the operator's")
    assert not repository.converge("v4.7.5")
    with pytest.raises(OperationError, match=change):
        repository.converge("v4.7.60")
    assert (repository.checkout / change).read_text() == "the operator's"


def test_commits_in_a_checkout_survive_every_run(repository: Repository) -> None:
    repository.converge("v4.7.5")
    commit(repository.checkout, "the operator's")
    head = git(repository.checkout, "rev-parse", "HEAD")
    for tag in ("v4.7.5", "v4.7.60"):
        with pytest.raises(OperationError, match=head[:12]):
            repository.converge(tag)
    assert git(repository.checkout, "rev-parse", "HEAD") == head


@pytest.mark.parametrize("leftover", ["shallow.lock", "index.lock", "switching"])
def test_a_checkout_that_was_killed_is_finished_by_the_next_run(repository: Repository, leftover: str) -> None:
    repository.converge("v4.7.5")
    (repository.checkout / ".git" / leftover).touch()
    if leftover == "switching":
        (repository.checkout / "file").write_text("half of")
    assert repository.converge("v4.7.60")
    assert repository.text == "v4.7.60"
    assert not repository.converge("v4.7.60")


def test_a_release_that_does_not_exist_is_named(repository: Repository) -> None:
    answer = run_script("checkout/fetch", repository.origin.as_uri(), repository.checkout, "v9.9.9")
    assert answer.returncode != 0
    assert "v9.9.9" in answer.stderr and repository.origin.as_uri() in answer.stderr


def test_a_question_writes_nothing_into_the_checkout(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path / "source"], check=True)
    (tmp_path / "source/file").write_text("text")
    subprocess.run(["git", "-C", tmp_path / "source", "add", "file"], check=True)
    # What makes git want to write the index anew: a file that only looks changed.
    os.utime(tmp_path / "source/file", (1, 1))
    before = (tmp_path / "source/.git").stat().st_mtime_ns, (tmp_path / "source/.git/index").read_bytes()
    answer_of(GitCheckout.of(str(tmp_path / "source"), "v4.7.60"))
    answer_of(SourceTree.of(str(tmp_path / "source")))
    assert ((tmp_path / "source/.git").stat().st_mtime_ns, (tmp_path / "source/.git/index").read_bytes()) == before


def test_a_checkout_is_not_said_to_be_gone_where_git_is(tmp_path: Path) -> None:
    without = {"command -v git": "command -v no-git-here"}
    assert answer_of(GitCheckout.of(str(tmp_path), "v4.7.60"), instead=without).head == ""
    (tmp_path / ".git").mkdir()
    with pytest.raises(CouldNotLook, match=r"^git is not installed$"):
        answer_of(GitCheckout.of(str(tmp_path), "v4.7.60"), instead=without)
