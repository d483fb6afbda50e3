"""Whether apt can still read its sources, and whose fault it is if not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mstdn.apt.facts import AptSources, SourceFile
from tests.harness import answer_of, calls_in, run_script, stand_in
from tests.unit.apt.test_scripts import install

URL, OWN = "https://download.docker.com/linux/debian", "/etc/apt/sources.list.d/docker.sources"
LOCK = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 17089 (apt-get)"
OURS = f"E: The repository '{URL} sid Release' does not have a Release file."
CONFLICT = f"E: Conflicting values set for option Signed-By regarding source {URL}/ trixie: /a != /b"
THEIRS = "E: The repository 'https://ppa.example.org/x trixie Release' does not have a Release file."


def prove(directory: Path, *answers: str) -> subprocess.CompletedProcess[str]:
    """The script, with an apt-get that says these one after the other and then is content."""
    for number, answer in enumerate(answers):
        (directory / f"answer{number}").write_text(answer + "\n")
    stand_in(directory, "sleep")
    count = f'n=$(ls {directory}/asked* 2>/dev/null | wc -l); touch "{directory}/asked$n"'
    text = f'{count}; [ ! -f "{directory}/answer$n" ] || {{ cat "{directory}/answer$n" >&2; exit 100; }}'
    places = {"/run/mstdn-apt-lists": f"{directory}/lists"}
    return run_script("apt/prove", URL, OWN, path=stand_in(directory, "apt-get", text), instead=places)


def test_sources_that_can_be_read_are_proven_at_once(tmp_path: Path) -> None:
    answer = prove(tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert calls_in(tmp_path) == ["apt-get update -qq"]


def test_what_was_fetched_for_it_is_not_fetched_again_to_install(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/docker.sources").write_text("Types: deb\n")
    assert prove(tmp_path).returncode == 0
    assert install(tmp_path, failures=0, problem="").returncode == 0
    assert [line for line in calls_in(tmp_path) if " update " in line] == ["apt-get update -qq"]


def test_what_could_not_be_fetched_is_fetched_again_to_install(tmp_path: Path) -> None:
    assert prove(tmp_path, OURS).returncode == 1
    assert install(tmp_path, failures=0, problem="").returncode == 0
    assert [line for line in calls_in(tmp_path) if " update " in line] == ["apt-get update -qq"] * 2


def test_another_apt_is_waited_for(tmp_path: Path) -> None:
    assert prove(tmp_path, LOCK, LOCK).returncode == 0
    assert calls_in(tmp_path).count("sleep 5") == 2


@pytest.mark.parametrize("said", [OURS, CONFLICT])
def test_a_fault_of_dockers_source_is_told_as_one(tmp_path: Path, said: str) -> None:
    answer = prove(tmp_path, said)
    assert answer.returncode == 1
    assert said in answer.stderr and "because of Docker's packages" in answer.stderr
    assert "somebody else's" not in answer.stderr


def test_a_fault_of_another_source_is_told_as_somebody_elses(tmp_path: Path) -> None:
    answer = prove(tmp_path, THEIRS)
    assert answer.returncode == 1
    assert THEIRS in answer.stderr
    assert "somebody else's source, and was broken before" in " ".join(answer.stderr.split())


def test_files_that_name_the_repository_are_found_by_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://deb.debian.org/debian trixie main\n")
    named = {
        "anything.list": f"deb {URL} trixie stable\n",
        "x.sources": f"Types: deb\nURIs: {URL}\n",
        # apt reads neither of these.
        "old.list.save": f"deb {URL} trixie stable\n",
        "README": URL,
    }
    for name, text in named.items():
        (tmp_path / "sources.list.d" / name).write_text(text)
    sources = answer_of(
        AptSources.naming("Download.docker.com", str(tmp_path / "own")),
        path=stand_in(tmp_path, "apt-get", "echo 'E: Malformed entry 1' >&2; echo 'W: whatever' >&2; exit 100"),
        instead={"/etc/apt/": f"{tmp_path}/"},
    )
    assert sources.files == tuple(
        SourceFile(f"{tmp_path}/sources.list.d/{name}", "0644", named[name]) for name in ("anything.list", "x.sources")
    )
    assert sources.problems == ("Malformed entry 1",)
