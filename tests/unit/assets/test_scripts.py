"""The script that publishes assets, with a stand-in for docker."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from mstdn.assets.facts import Assets, PublishedAssets
from tests.harness import answer_of, calls_in, run_script, stand_in

# What du says in the container.
SIZE = r"printf '187\t/opt/mastodon/public\n'"


def publish(
    root: Path, release: str, image: str = "0123456789abcdef", *, copies: str = "", measures: str = SIZE
) -> subprocess.CompletedProcess[str]:
    """
    The script, with an image of this ID whose public directory holds what `copies` makes in $to. measures: what its
    container does.
    """
    docker = f"""case "$1 $2" in
    "image inspect") echo sha256:{image} ;;
    "start "*) {measures} ;;
    "cp "*) to=$4; mkdir "$to" "$to/system"; : >"$to/system/x"; echo {release} >"$to/app.js"; chmod 700 "$to/app.js"
        {copies or ":"} ;;
    esac"""
    stand_in(root.parent, "chown")
    return run_script(
        "assets/publish",
        root,
        "mastodon:1",
        release,
        before="timers/growth",
        path=stand_in(root.parent, "docker", docker),
        instead={"sleep 15": "sleep 0.1"},
    )


def root_in(directory: Path) -> Path:
    root = directory / "assets"
    root.mkdir()
    return root


def published(root: Path) -> Assets:
    return answer_of(PublishedAssets.under(str(root)))


def names(root: Path) -> set[str]:
    return {each.name for each in root.iterdir()}


def test_a_first_release_is_current_and_previous(tmp_path: Path) -> None:
    root = root_in(tmp_path)
    answer = publish(root, "v4.7.5")
    assert (answer.returncode, answer.stderr) == (0, "")
    name = "v4.7.5-0123456789ab"
    assert published(root) == Assets(name, name, complete=True)
    assert (root / "current" / "app.js").read_text() == "v4.7.5\n"
    assert stat.S_IMODE((root / "current" / "app.js").stat().st_mode) == 0o755
    assert not (root / "current" / "system").exists()
    assert names(root) == {name, "current", "previous"}
    assert calls_in(tmp_path)[-1] == "docker rm --force mstdn-publishing"


def test_the_release_before_stays_and_older_ones_go(tmp_path: Path) -> None:
    root = root_in(tmp_path)
    for release in ("v4.7.4", "v4.7.5", "v4.7.60"):
        assert publish(root, release).returncode == 0
    assert published(root) == Assets("v4.7.60-0123456789ab", "v4.7.5-0123456789ab", complete=True)
    assert names(root) == {"v4.7.60-0123456789ab", "v4.7.5-0123456789ab", "current", "previous"}


def test_another_build_of_a_release_is_published_beside_it(tmp_path: Path) -> None:
    root = root_in(tmp_path)
    publish(root, "v4.7.60")
    publish(root, "v4.7.60", "fedcba9876543210")
    assert published(root) == Assets("v4.7.60-fedcba987654", "v4.7.60-0123456789ab", complete=True)


def test_what_is_published_already_is_not_copied_again(tmp_path: Path) -> None:
    root = root_in(tmp_path)
    publish(root, "v4.7.60")
    copied = len([call for call in calls_in(tmp_path) if call.startswith("docker cp")])
    publish(root, "v4.7.60")
    assert len([call for call in calls_in(tmp_path) if call.startswith("docker cp")]) == copied == 1
    assert published(root).previous == "v4.7.60-0123456789ab"


def test_a_copy_that_fails_leaves_what_was_published(tmp_path: Path) -> None:
    root = root_in(tmp_path)
    publish(root, "v4.7.5")
    assert publish(root, "v4.7.60", copies="exit 1").returncode != 0
    assert published(root).current == "v4.7.5-0123456789ab"
    assert names(root) == {"v4.7.5-0123456789ab", "current", "previous"}
    assert calls_in(tmp_path)[-1] == "docker rm --force mstdn-publishing"


def test_what_a_killed_run_left_half_copied_is_copied_anew(tmp_path: Path) -> None:
    root = root_in(tmp_path)
    for left in (".publishing", "v4.7.60-0123456789ab"):
        (root / left).mkdir()
        (root / left / "half").touch()
    assert publish(root, "v4.7.60").returncode == 0
    assert not (root / "current" / "half").exists()
    assert names(root) == {"v4.7.60-0123456789ab", "current", "previous"}


def test_how_much_is_copied_and_of_how_much_is_told(tmp_path: Path) -> None:
    answer = publish(root_in(tmp_path), "v4.7.5", copies="sleep 0.5")
    first, *growing, last = answer.stdout.splitlines()
    assert first == "Copying the assets of v4.7.5 out of its image: 187 MiB."
    assert growing and {each.split(": ")[0] for each in growing} == {"  copied"}
    assert all(each.endswith(" MiB of at most 187") for each in growing)
    assert last == "The assets of v4.7.5 are published."


def test_an_image_that_cannot_say_how_much_it_has_is_published_all_the_same(tmp_path: Path) -> None:
    root = root_in(tmp_path)
    assert publish(root, "v4.7.5", measures="exit 127").returncode == 0
    assert published(root).complete


# --- What a unit that was killed leaves ---------------------------------------------------------


@pytest.mark.parametrize("result", ["success", "signal", "exit-code"])
def test_what_was_copied_by_half_goes_when_the_unit_has_ended(
    tmp_path: Path, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = root_in(tmp_path)
    assert publish(root, "v4.7.5").returncode == 0
    (root / ".publishing").mkdir()
    (root / ".publishing" / "half").touch()
    (root / ".current.new").symlink_to("v4.7.60-0123456789ab")
    monkeypatch.setenv("SERVICE_RESULT", result)
    monkeypatch.setenv("EXIT_CODE", "killed" if result == "signal" else "exited")
    monkeypatch.setenv("EXIT_STATUS", "KILL" if result == "signal" else "1")
    calls = len(calls_in(tmp_path))
    words = ("assets/put_in_order", root, "mastodon:1", "v4.7.60")
    answer = run_script(
        *words, before="timers/ended", path=tmp_path / "bin", instead={"exit 0\nfi": "exit 0\nfi\nexit 3"}
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert ("To go on: pyinfra inventory.py deploy.py" in answer.stdout) is (result == "signal")
    kept = {"v4.7.5-0123456789ab", "current", "previous"}
    assert names(root) == kept | ({".publishing", ".current.new"} if result == "success" else set())
    assert calls_in(tmp_path)[calls:] == ([] if result == "success" else ["docker rm --force mstdn-publishing"])
    assert published(root).current == "v4.7.5-0123456789ab"


def test_before_the_publishing_itself_nothing_is_put_in_order(tmp_path: Path) -> None:
    root = root_in(tmp_path)
    (root / ".publishing").mkdir()
    path = stand_in(tmp_path, "docker")
    assert run_script("assets/put_in_order", root, before="timers/ended", path=path).returncode == 0
    assert names(root) == {".publishing"} and calls_in(tmp_path) == []
