"""The scripts on packages and keys, with stand-ins for apt-get, dpkg and curl."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.harness import calls_in, run_script, stand_in
from tests.unit.apt.keys import ARMOURED_RSA, FINGERPRINT, OTHER_FINGERPRINT

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
    (directory / "etc").mkdir(exist_ok=True)
    places = {"/run/mstdn-apt-lists": f"{directory}/lists", "/etc/apt -newer": f"{directory}/etc -newer"}
    return run_script("apt/install", "curl", "gpg", path=path, instead=places)


def test_an_update_waits_for_another_apt_and_finishes_nothing_before_that_one_has(tmp_path: Path) -> None:
    answer = install(tmp_path, failures=100, problem=HELD, audit="half-configured")
    assert answer.returncode == 0, answer.stderr
    calls = [line.split()[:2] for line in calls_in(tmp_path) if "sleep" not in line]
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
    assert "apt-get install" not in "\n".join(calls_in(tmp_path))


def updates(directory: Path) -> int:
    return sum(call.startswith("apt-get update") for call in calls_in(directory))


def test_lists_that_were_fetched_a_moment_ago_are_not_fetched_again(tmp_path: Path) -> None:
    for _ in range(2):
        assert install(tmp_path, failures=0, problem="").returncode == 0
    assert updates(tmp_path) == 1
    assert sum(call.startswith("apt-get install") for call in calls_in(tmp_path)) == 2


@pytest.mark.parametrize("what", ["a source came", "they are old"])
def test_lists_are_fetched_where_something_may_be_new(tmp_path: Path, what: str) -> None:
    assert install(tmp_path, failures=0, problem="").returncode == 0
    if what == "a source came":
        (tmp_path / "etc/docker.sources").write_text("Types: deb\n")
        os.utime(tmp_path / "lists", (time.time() - 60,) * 2)
    else:
        os.utime(tmp_path / "lists", (time.time() - 601,) * 2)
        os.utime(tmp_path / "etc", (time.time() - 700,) * 2)
    assert install(tmp_path, failures=0, problem="").returncode == 0
    assert updates(tmp_path) == 2


def test_a_mirror_that_has_moved_on_is_asked_anew(tmp_path: Path) -> None:
    assert install(tmp_path, failures=0, problem="").returncode == 0
    path = stand_in(
        tmp_path, "apt-get", f"[ $1 != install ] || [ -e {tmp_path}/failed ] || {{ : >{tmp_path}/failed; exit 100; }}"
    )
    places = {"/run/mstdn-apt-lists": f"{tmp_path}/lists", "/etc/apt -newer": f"{tmp_path}/etc -newer"}
    answer = run_script("apt/install", "curl", path=path, instead=places)
    assert answer.returncode == 0 and updates(tmp_path) == 2


# --- Keys ---------------------------------------------------------------------------------------


def trust(
    directory: Path, served: bytes, *, expected: str = FINGERPRINT, seen: str = ""
) -> subprocess.CompletedProcess[str]:
    """The script, with a server that answers with these bytes and a gpg that sees this in them."""
    (directory / "served").write_bytes(served)
    (directory / "seen").write_text(seen)
    stand_in(directory, "gpg", f'cat "{directory}/seen"')
    path = stand_in(
        directory,
        "curl",
        f'while [ "$1" != --output ]; do shift; done; cat "{directory}/served" >"$2"; [ -s "{directory}/served" ]',
    )
    return run_script(
        "apt/trust_key", "https://download.example.org/gpg", directory / "keyrings" / "docker.asc", expected, path=path
    )


def seen_by_gpg(*fingerprints: str) -> str:
    """What "gpg --show-keys --with-colons" prints of keys with a subkey each."""
    return "".join(
        f"pub:-:4096:1:8D81803C0EBFCD88:1487788586:::-:::escESC::::::23::0:\nfpr:::::::::{each}:\nuid:-::::x::y::Docker:\n"
        f"sub:-:4096:1:7EA0A9C3F273FCD8:1487788586::::::s::::::23:\nfpr:::::::::{'0' * 40}:\n"
        for each in fingerprints
    )


def test_the_expected_key_is_trusted(tmp_path: Path) -> None:
    answer = trust(tmp_path, ARMOURED_RSA, seen=seen_by_gpg(FINGERPRINT))
    assert (answer.returncode, answer.stderr) == (0, "")
    keyring = tmp_path / "keyrings" / "docker.asc"
    assert keyring.read_bytes() == ARMOURED_RSA
    assert stat.S_IMODE(keyring.stat().st_mode) == 0o644
    assert [each.name for each in keyring.parent.iterdir()] == ["docker.asc"]


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        pytest.param(seen_by_gpg(OTHER_FINGERPRINT), OTHER_FINGERPRINT, id="another key"),
        pytest.param(seen_by_gpg(FINGERPRINT, OTHER_FINGERPRINT), OTHER_FINGERPRINT, id="one key too many"),
        pytest.param("", "no key at all", id="no key"),
    ],
)
def test_any_other_key_is_refused_with_both_fingerprints_and_the_old_one_stays(
    tmp_path: Path, seen: str, found: str
) -> None:
    keyring = tmp_path / "keyrings" / "docker.asc"
    keyring.parent.mkdir()
    keyring.write_text("the old one")
    answer = trust(tmp_path, b"<html>", seen=seen)
    assert answer.returncode != 0
    for needed in (FINGERPRINT, found, "docker_key_fingerprint", "do not continue"):
        assert needed in answer.stderr
    assert keyring.read_text() == "the old one"
    assert [each.name for each in keyring.parent.iterdir()] == ["docker.asc"]


def test_a_key_that_cannot_be_fetched_leaves_the_old_one(tmp_path: Path) -> None:
    keyring = tmp_path / "keyrings" / "docker.asc"
    keyring.parent.mkdir()
    keyring.write_text("the old one")
    assert trust(tmp_path, b"").returncode != 0
    assert keyring.read_text() == "the old one"
    assert [each.name for each in keyring.parent.iterdir()] == ["docker.asc"]
