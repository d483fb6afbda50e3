"""The scripts that clean up, with a stand-in for docker."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mstdn.cleanup.facts import Image, Images, OldFiles, OldScratch
from tests.harness import answer_of, calls_in, read, run_script, stand_in


def test_images_are_told_apart_by_who_made_them() -> None:
    output = """image nginx:1.29-alpine sha256:aa
image registry.example.org:5000/nginx:<none> sha256:bb
image <none>:<none> sha256:cc
built sha256:cc
"""
    assert read(Images, output) == (
        Image("nginx", "1.29-alpine", "sha256:aa"),
        Image("registry.example.org:5000/nginx", "", "sha256:bb"),
        Image("<none>", "", "sha256:cc", built=True),
    )
    assert read(Images, "") == ()


@pytest.mark.parametrize(
    ("name", "asked"),
    [("mstdn-source/mastodon:1", True), ("<none>:<none>", True), ("nginx:1", False)],
)
def test_what_was_built_here_is_asked_for_only_where_something_may_have_been(
    tmp_path: Path, name: str, asked: bool
) -> None:
    answers = f'case "$*" in *label=*) echo "built sha256:aa" ;; *) echo "image {name} sha256:aa" ;; esac'
    (image,) = answer_of(Images.all(), path=docker_at_work(tmp_path, answers))
    assert (image.id, image.built) == ("sha256:aa", asked)


def docker_at_work(tmp_path: Path, answers: str) -> Path:
    stand_in(tmp_path, "systemctl", "printf 'loaded\\nactive\\n'")
    return stand_in(tmp_path, "docker", answers)


def old_file(path: Path, size: int = 4096) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    long_ago = time.time() - 2 * 86_400
    os.utime(path, (long_ago, long_ago))


def test_temporary_files_of_killed_processes_are_found_and_removed_and_new_ones_stay(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    old_file(scratch / "ffmpeg.mp4")
    old_file(scratch / "of a directory" / "part")
    os.utime(scratch / "of a directory", (1, 1))
    (scratch / "in use").write_text("now")
    assert answer_of(OldScratch.under(str(scratch), 1440)) == OldFiles(2, 8)
    assert run_script("cleanup/empty_scratch", scratch, "1440").returncode == 0
    assert (scratch / "in use").exists() and not (scratch / "ffmpeg.mp4").exists()
    assert answer_of(OldScratch.under(str(scratch), 1440)) == OldFiles()
    assert answer_of(OldScratch.under(str(tmp_path / "nowhere"), 1440)) == OldFiles()


def test_an_image_that_cannot_be_removed_is_named_and_the_others_go(tmp_path: Path) -> None:
    docker = 'case "$*" in *rm\\ used) echo "conflict: container 0a uses it" >&2; exit 1 ;; esac'
    answer = run_script("cleanup/remove_images", "used", "old", path=stand_in(tmp_path, "docker", docker))
    assert answer.returncode == 0
    assert "used stays" in answer.stderr and "container 0a" in answer.stderr
    assert "docker image rm old" in calls_in(tmp_path)


def test_of_the_cache_of_builds_only_what_is_old_goes(tmp_path: Path) -> None:
    assert run_script("cleanup/prune_builds", path=stand_in(tmp_path, "docker")).returncode == 0
    assert calls_in(tmp_path) == ["docker builder prune --force --filter until=24h"]


def test_exactly_the_dumps_of_these_releases_are_removed(tmp_path: Path) -> None:
    (tmp_path / "rollback").mkdir()
    for name in ("v4.5.0.dump", "v4.6.9.dump", "left-v4.5.0.dump", "left-v4.4.0.dump", ".v4.6.9.dump.new"):
        (tmp_path / "rollback" / name).touch()
    assert run_script("cleanup/remove_dumps", tmp_path, "v4.5.0", "v4.4.0", "left-v4.4.0").returncode == 0
    # What was being made when the power was cut has nobody who makes it any more.
    assert sorted(each.name for each in (tmp_path / "rollback").iterdir()) == ["left-v4.5.0.dump", "v4.6.9.dump"]
