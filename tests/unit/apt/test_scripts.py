"""The scripts on packages and keys, with stand-ins for apt-get, dpkg and curl."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.harness import calls_in, run_script, stand_in


HELD = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 17089 (apt-get)"
BROKEN = "E: The repository 'https://download.docker.com/linux/debian trixie Release' is not signed."


def install(directory: Path, *, failures: int, problem: str, audit: str = "") -> subprocess.CompletedProcess[str]:
    """The script, with an apt whose update fails so many times and a dpkg that has this to say of its packages."""
    stand_in(directory, "sleep", "")
    stand_in(directory, "dpkg", f'[ "$1" != --audit ] || printf "{audit}"\n')
    path = stand_in(
        directory,
        "apt-get",
        f'[ "$1" != update ] || {{ echo x >>{directory}/updates; [ $(wc -l <{directory}/updates) -gt {failures} ] ||'
        f' {{ echo "{problem}" >&2; exit 100; }}; }}\n',
    )
    return run_script("apt/install", "curl", "gpg", path=path)


def test_an_update_waits_for_another_apt_and_finishes_nothing_before_that_one_has(tmp_path: Path) -> None:
    answer = install(tmp_path, failures=100, problem=HELD, audit="half-configured")
    assert answer.returncode == 0, answer.stderr
    calls = [line.split()[:2] for line in (tmp_path / "calls").read_text().splitlines() if "sleep" not in line]
    assert calls[-4:] == [["apt-get", "check"], ["dpkg", "--audit"], ["dpkg", "--configure"], ["apt-get", "install"]]


@pytest.mark.parametrize(
    ("problem", "updates", "words"), [(HELD, 180, "Another apt"), (BROKEN, 5, "Is the network up")]
)
def test_an_update_that_keeps_failing_says_why_and_installs_nothing(
    tmp_path: Path, problem: str, updates: int, words: str
) -> None:
    answer = install(tmp_path, failures=1000, problem=problem)
    assert answer.returncode != 0
    assert problem in answer.stderr and words in answer.stderr
    assert len((tmp_path / "updates").read_text().split()) == updates
    assert "apt-get install" not in (tmp_path / "calls").read_text()
