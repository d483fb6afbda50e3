"""The scripts that pull, build and look at images, with a stand-in for docker."""

from __future__ import annotations

from pathlib import Path

from tests.harness import calls_in, run_script, stand_in


def registry(directory: Path, digest: str, *, offers: bool = True, also: str = "") -> Path:
    """A docker whose registry offers this digest for every tag; the image may be known by another one `also`."""
    pull = f"echo 'Digest: {digest}'; exit 0" if offers else "echo 'manifest unknown' >&2; exit 1"
    digests = "".join(f"example@{each} " for each in (also, digest) if each)
    return stand_in(
        directory,
        "docker",
        f'case $1 in pull) {pull} ;; esac\n[ "$1 $2" != "image inspect" ] || echo "{digests}"\n',
    )


def test_a_first_pull_records_what_each_tag_stood_for(tmp_path: Path) -> None:
    record = tmp_path / "images"
    answer = run_script(
        "images/pull", record, "refuse", "redis:7.4", "nginx:1.30", path=registry(tmp_path, "sha256:aa")
    )
    assert answer.returncode == 0, answer.stderr
    assert record.read_text() == "nginx:1.30 sha256:aa\nredis:7.4 sha256:aa\n"


def test_a_tag_that_moved_is_refused_with_both_digests_and_nothing_is_recorded(tmp_path: Path) -> None:
    record = tmp_path / "images"
    record.write_text("nginx:1.30 sha256:aa\n")
    answer = run_script(
        "images/pull", record, "refuse", "redis:7.4", "nginx:1.30", path=registry(tmp_path, "sha256:bb")
    )
    assert answer.returncode != 0
    for needed in ("nginx:1.30", "sha256:aa", "sha256:bb", "images_refresh=true"):
        assert needed in answer.stderr
    assert record.read_text() == "nginx:1.30 sha256:aa\n"
    assert "docker image rm --force nginx:1.30" in (tmp_path / "calls").read_text()


def test_an_index_that_moved_while_our_image_stayed_is_no_move(tmp_path: Path) -> None:
    record = tmp_path / "images"
    record.write_text("nginx:1.30 sha256:aa\n")
    known_by_both = registry(tmp_path, "sha256:bb", also="sha256:aa")
    assert run_script("images/pull", record, "refuse", "nginx:1.30", path=known_by_both).returncode == 0
    assert record.read_text() == "nginx:1.30 sha256:bb\n"


def test_a_tag_that_moved_is_accepted_on_request(tmp_path: Path) -> None:
    record = tmp_path / "images"
    record.write_text("nginx:1.30 sha256:aa\nredis:7.4 sha256:aa\n")
    answer = run_script("images/pull", record, "accept", "nginx:1.30", path=registry(tmp_path, "sha256:bb"))
    assert answer.returncode == 0, answer.stderr
    assert record.read_text() == "nginx:1.30 sha256:bb\nredis:7.4 sha256:aa\n"


def test_every_image_that_cannot_be_pulled_is_named(tmp_path: Path) -> None:
    record = tmp_path / "images"
    docker = registry(tmp_path, "sha256:aa", offers=False)
    answer = run_script("images/pull", record, "refuse", "redis:7.4", "nginx:1.30", path=docker)
    assert answer.returncode != 0
    for needed in ("redis:7.4", "nginx:1.30", "manifest unknown"):
        assert needed in answer.stderr
    assert not record.exists()


