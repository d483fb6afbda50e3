"""The scripts that pull, build and look at images, with a stand-in for docker."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from mstdn.images.facts import Images, ImageStates, RecordedImages, SourceTree
from mstdn.shell import text_of
from mstdn.timers.following import on_standard_input
from tests.harness import answer_of, calls_in, run_script, stand_in


def test_images_are_pulled_and_nothing_else(tmp_path: Path) -> None:
    answer = run_script("images/pull", "redis:7.4", "nginx:1.30", path=stand_in(tmp_path, "docker", "echo pulled"))
    assert (answer.returncode, answer.stderr) == (0, "")
    # How much of how much.
    first, *others = answer.stdout.splitlines()
    assert first == "Pulling 2 images." and {each.split(": ")[0] for each in others} == {"  1 of 2", "  2 of 2"}
    assert {each.split(": ")[1] for each in others} == {"redis:7.4", "nginx:1.30"}
    assert sorted(calls_in(tmp_path)) == ["docker pull --quiet nginx:1.30", "docker pull --quiet redis:7.4"]


def test_every_image_that_cannot_be_pulled_is_named(tmp_path: Path) -> None:
    docker = stand_in(tmp_path, "docker", "echo 'manifest unknown' >&2; exit 1")
    answer = run_script("images/pull", "redis:7.4", "nginx:1.30", path=docker)
    assert answer.returncode != 0
    for needed in ("redis:7.4", "nginx:1.30", "manifest unknown"):
        assert needed in answer.stderr


@pytest.mark.parametrize(("ended", "said"), [("killed", True), ("exited", False)])
def test_a_pull_that_was_ended_says_what_to_type_and_pulls_nothing(
    tmp_path: Path, ended: str, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("SERVICE_RESULT", "signal"), ("EXIT_CODE", ended), ("EXIT_STATUS", "TERM")):
        monkeypatch.setenv(name, value)
    path = stand_in(tmp_path, "docker")
    instead = {"exit 0; fi": "exit 0; fi\nexit 3"}
    answer = run_script("images/put_in_order", "redis:7.4", before="timers/ended", path=path, instead=instead)
    assert answer.returncode == 0 and ("To go on: pyinfra inventory.py deploy.py" in answer.stdout) is said


def test_a_name_is_taken_away_from_its_image(tmp_path: Path) -> None:
    assert run_script("images/forget", "a:1", "b:2", path=stand_in(tmp_path, "docker")).returncode == 0
    assert calls_in(tmp_path) == ["docker image rm --force a:1 b:2"]


# --- Images built on the server -----------------------------------------------------------------

PATCH = """\
diff --git a/file b/file
--- a/file
+++ b/file
@@ -1 +1 @@
-upstream
+patched
"""


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    """A checkout of one file."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("upstream\n")
    git = ["git", "-C", str(source), "-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for command in (["init", "--quiet"], ["add", "file"], ["commit", "--quiet", "--message", "x"]):
        subprocess.run([*git, *command], check=True)
    return source


def build(source: Path, patches: str = "", docker: str = "") -> subprocess.CompletedProcess[str]:
    """The script, with a docker that shows what it is told to build from."""
    directory = source.parent
    look = f'for tree; do :; done; cat "$tree/file" >>"{directory}/built"; ls -A "$tree" >>"{directory}/seen"'
    path = stand_in(directory, "docker", f"{look}\n{docker}")
    return run_script("images/build", source, "web:1", "streaming:1", "0123", stdin=patches, path=path)


def leftovers(directory: Path) -> list[str]:
    return [each.name for each in directory.iterdir() if each.name.startswith(".build")]


def test_both_images_are_built_from_a_patched_copy_of_the_checkout(source: Path) -> None:
    answer = build(source, PATCH)
    assert answer.returncode == 0, answer.stderr
    web, streaming = calls_in(source.parent)
    assert " --tag web:1 " in web and " --tag streaming:1 --file " in streaming
    assert (source.parent / "seen").read_text().split() == ["file", "file"]
    assert (source.parent / "built").read_text().split() == ["patched", "patched"]
    assert (source / "file").read_text() == "upstream\n"
    assert leftovers(source.parent) == []


def test_an_image_says_from_which_source_and_patches_it_was_built(source: Path) -> None:
    build(source, PATCH)
    tree = answer_of(SourceTree.of(str(source)))
    assert tree
    assert all(f" --label org.mstdn.source={tree}-0123 " in call for call in calls_in(source.parent))


def test_what_the_operator_changed_in_the_checkout_is_built_and_makes_another_source(source: Path) -> None:
    before = answer_of(SourceTree.of(str(source)))
    (source / "file").write_text("the operator's\n")
    assert answer_of(SourceTree.of(str(source))) != before
    assert build(source).returncode == 0
    assert (source.parent / "built").read_text().splitlines()[0] == "the operator's"


@pytest.mark.parametrize("text", ["upstream\n", "the operator's\n"])
def test_a_file_that_is_only_younger_makes_no_other_source(source: Path, text: str) -> None:
    (source / "file").write_text(text)
    before = answer_of(SourceTree.of(str(source)))
    os.utime(source / "file", (time.time() + 5,) * 2)
    assert answer_of(SourceTree.of(str(source))) == before
    assert build(source).returncode == 0
    assert all(f" --label org.mstdn.source={before}-0123 " in call for call in calls_in(source.parent))


def test_a_patch_that_does_not_apply_builds_nothing(source: Path) -> None:
    answer = build(source, PATCH.replace("-upstream", "-something else"))
    assert answer.returncode != 0
    assert "images_patches_directory does not apply" in answer.stderr
    assert calls_in(source.parent) == []
    assert leftovers(source.parent) == []


def test_a_build_that_fails_is_a_failure_and_leaves_nothing(source: Path) -> None:
    assert build(source, docker="exit 1").returncode != 0
    assert len(calls_in(source.parent)) == 1
    assert leftovers(source.parent) == []


STEPS = """\
echo '#1 [internal] load build definition'; echo '#5 [build 2/9] RUN bundle install'; echo '#5 1.2 Fetching gems' >&2
echo '#5 [build 2/9] RUN bundle install'; echo '#6 [stage-1 3/4] COPY . /opt'; echo '#6 DONE 0.1s'
"""


def test_each_step_of_a_build_is_told_when_it_begins(source: Path) -> None:
    answer = build(source, docker=STEPS)
    steps = ["  [build 2/9] RUN bundle install", "  [stage-1 3/4] COPY . /opt"]
    assert answer.stdout.splitlines() == ["Building web:1.", *steps, "Building streaming:1.", *steps]
    assert answer.stderr == ""


def test_what_the_step_that_failed_said_is_shown(source: Path) -> None:
    answer = build(source, docker=f"{STEPS}echo 'ERROR: no such gem' >&2; exit 1")
    assert answer.returncode == 1
    assert "#5 1.2 Fetching gems\n" in answer.stderr and "ERROR: no such gem\n" in answer.stderr
    assert answer.stderr.splitlines()[-1].startswith("web:1 could not be built: the lines above say why.")


def test_the_program_of_the_server_reads_the_patches(source: Path) -> None:
    """As the unit has it: all in one file, and nothing on standard input."""
    patch = PATCH.replace("+patched", "+'$HOME' `id` \\")
    program = source.parent / "program"
    before = "".join(map(text_of, ("timers/ended", "images/put_in_order")))
    program.write_text(before + on_standard_input(patch) + text_of("images/build"))
    path = stand_in(source.parent, "docker", f'for tree; do :; done; cat "$tree/file" >>"{source.parent}/built"')
    words = [str(each) for each in ("sh", program, source, "web:1", "streaming:1", "0123")]
    subprocess.run(
        words,
        check=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"},
        capture_output=True,
    )
    assert (source.parent / "built").read_text().splitlines() == ["'$HOME' `id` \\"] * 2


def test_what_a_killed_build_left_goes(source: Path) -> None:
    (source.parent / ".build.killed").mkdir()
    build(source)
    assert leftovers(source.parent) == []


# --- Questions ----------------------------------------------------------------------------------

PRESENT = {
    "web:1": "sha256:aa tree-patches",
    "nginx:1": "sha256:bb - nginx@sha256:d1 mirror/nginx@sha256:d2",
    "postgres:1": "sha256:cc - postgres@sha256:d3 PG_MAJOR=17",
}


def images_of(directory: Path, *references: str) -> Images:
    """What the script says of these images, where docker knows PRESENT; it leaves out what it does not have."""
    inspect = "".join(f'{name}) echo "{line}" ;; ' for name, line in PRESENT.items())
    docker = f"""[ "$1 $2" = "image inspect" ] || exit 0
    shift 4
    for each; do case $each in {inspect} *) failed=1 ;; esac; done
    [ -z "$failed" ]"""
    stand_in(directory, "systemctl", "printf 'loaded\\nactive\\n'")
    return answer_of(ImageStates.of(references), path=stand_in(directory, "docker", docker))


@pytest.mark.parametrize(
    "references",
    [["web:1", "nginx:1", "postgres:1"], ["nginx:1", "absent:1", "postgres:1", "web:1"]],
    ids=["all", "not all"],
)
def test_images_are_told_apart_whether_or_not_all_are_there(tmp_path: Path, references: list[str]) -> None:
    assert images_of(tmp_path, *references) == Images(
        ids={"web:1": "sha256:aa", "nginx:1": "sha256:bb", "postgres:1": "sha256:cc"},
        digests={"nginx:1": {"sha256:d1", "sha256:d2"}, "postgres:1": {"sha256:d3"}},
        built={"web:1": "tree-patches"},
        versions={"postgres:1": {"PG_MAJOR": "17"}},
    )


def test_the_record_is_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("nginx:1 sha256:aa\nredis:7 sha256:bb\n")
    assert answer_of(RecordedImages.of(str(tmp_path / "images"))) == {"nginx:1": "sha256:aa", "redis:7": "sha256:bb"}
