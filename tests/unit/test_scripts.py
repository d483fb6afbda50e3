"""
The scripts of the components, run on this machine as they run on a server.

Only those that need neither root nor an engine; where one calls docker, a few lines of shell stand in for it. All of
them run for real, on a real server, in tests/e2e.
"""

from __future__ import annotations

import base64
import os
import shlex
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyinfra.api import FactBase, OperationError

from mstdn.assets.facts import PublishedAssets
from mstdn.checkout.facts import GitCheckout
from mstdn.checkout.operations import git_checkout
from mstdn.compose.facts import ComposeProject
from mstdn.database.facts import Installed
from mstdn.docker.facts import DockerHost
from mstdn.files.facts import FileStates
from mstdn.images.facts import ImageBuilds, ImageStates
from mstdn.networks.facts import DockerNetworks
from mstdn.proxy.facts import ProxyReport
from mstdn.secrets.facts import SecretStates
from mstdn.shell import SCRIPTS, question, script
from mstdn.sizing.facts import ServerShape
from mstdn.swap.facts import SwapState
from tests.harness import OWNER, apply, run_script

NOWHERE = '/nonexistent/it\'s "here" $HOME'

# --- Quoting and the lock -----------------------------------------------------------------------


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)))
def test_every_argument_arrives_as_it_was(words: list[str]) -> None:
    for command in (question("files/state", *words), script("files/write", *words)):
        assert shlex.split(command.get_raw_value())[4:] == words


def test_what_changes_a_server_takes_the_lock_and_what_only_asks_does_not() -> None:
    lock = (SCRIPTS / "lock.sh").read_text()
    assert shlex.split(script("swap/write_fstab", "/swap").get_raw_value())[2].startswith(lock)
    assert lock not in shlex.split(question("swap/state", "/swap").get_raw_value())[2]


def test_two_runs_at_once_wait_for_each_other(tmp_path: Path) -> None:
    lock = (SCRIPTS / "lock.sh").read_text().replace("/run/mstdn.lock", str(tmp_path / "lock"))
    order = tmp_path / "order"
    slow = f"{lock}\n: >{order}.begun\necho first begins >>{order}\nsleep 0.5\necho first ends >>{order}"
    first = subprocess.Popen(["sh", "-ec", slow])
    deadline = time.monotonic() + 10
    while not Path(f"{order}.begun").exists():
        assert time.monotonic() < deadline, "the first run did not get the lock"
        time.sleep(0.01)
    subprocess.run(["sh", "-ec", f"{lock}\necho second >>{order}"], check=True, timeout=30)
    assert first.wait(timeout=30) == 0
    assert order.read_text().splitlines() == ["first begins", "first ends", "second"]


def test_what_is_written_does_not_depend_on_the_servers_umask(tmp_path: Path) -> None:
    prelude = (SCRIPTS / "lock.sh").read_text().replace("/run/mstdn.lock", str(tmp_path / "lock"))
    subprocess.run(["sh", "-ec", f"umask 077\n{prelude}\n: >{tmp_path}/file"], check=True)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


# --- Questions to a bare server -----------------------------------------------------------------

QUESTIONS: list[tuple[FactBase[Any], str, list[str]]] = [
    (PublishedAssets(), "assets/state", [NOWHERE, "no-such-image:1"]),
    (ImageBuilds(), "images/build_state", [NOWHERE, "no-such-image:1"]),
    (ComposeProject(), "compose/state", ["no-such-project", NOWHERE, NOWHERE, NOWHERE, "--", NOWHERE]),
    (DockerHost(), "docker/state", [NOWHERE, "no-such-package"]),
    (DockerNetworks(), "networks/state", ["no-such-network"]),
    (FileStates(), "files/state", [NOWHERE]),
    (GitCheckout(), "checkout/state", [NOWHERE, "v4.7.6"]),
    (ImageStates(), "images/state", [NOWHERE, "no-such-image:1"]),
    (Installed(), "database/state", [NOWHERE, NOWHERE]),
    (SecretStates(), "secrets/state", [NOWHERE, NOWHERE]),
    (ServerShape(), "sizing/state", []),
    (SwapState(), "swap/state", [NOWHERE, NOWHERE]),
]


@pytest.mark.parametrize(("fact", "name", "arguments"), QUESTIONS, ids=[name for _, name, _ in QUESTIONS])
def test_a_question_to_a_server_that_has_nothing_is_answered_without_an_error(
    fact: FactBase[Any], name: str, arguments: list[str]
) -> None:
    answer = run_script(name, *arguments)
    assert answer.returncode == 0, answer.stderr
    fact.process(answer.stdout.splitlines())


def test_the_shape_of_this_machine_is_read() -> None:
    shape = ServerShape().process(run_script("sizing/state").stdout.splitlines())
    assert shape.memory_mib > 256


# --- Files --------------------------------------------------------------------------------------


def test_the_states_of_many_files_come_with_one_question(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir(mode=0o750)
    (tmp_path / "directory" / "a file").write_text("x")
    (tmp_path / "file").write_text("test")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    paths = [tmp_path / name for name in ("directory", "file", "link", "absent")]
    tree = FileStates().process(run_script("files/state", *paths).stdout.splitlines())
    directory, file, link, _ = (str(path) for path in paths)
    assert {path: (state.kind, state.mode, state.owner) for path, state in tree.states.items()} == {
        directory: ("d", "0750", OWNER),
        file: ("f", "0640", OWNER),
        link: ("o", "0777", OWNER),
    }
    assert tree.states[file].sha256 == "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    assert tree.entries == [f"{directory}/a file"]


def test_a_file_is_written_with_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "secret"
    assert run_script("files/write", target, OWNER, "0600", stdin="text\n").returncode == 0
    assert target.read_text() == "text\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_given_away_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old\n")
    assert run_script("files/write", target, "no-such-user:0", "0644", stdin="new\n").returncode != 0
    assert target.read_text() == "old\n"


# --- Checkout -----------------------------------------------------------------------------------

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
        for release in ("v4.7.5", "v4.7.6"):
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
    assert repository.converge("v4.7.6")
    assert repository.text == "v4.7.6"
    assert git(repository.checkout, "rev-list", "--count", "HEAD") == "1"
    assert git(repository.checkout, "describe", "--exact-match", "--tags") == "v4.7.6"
    assert not repository.converge("v4.7.6")


def test_nothing_is_fetched_when_the_release_is_there(repository: Repository) -> None:
    repository.converge("v4.7.5")
    repository.origin.rename(repository.origin.with_name("gone"))
    assert not repository.converge("v4.7.5")


def test_a_checkout_follows_the_release_up_and_down(repository: Repository) -> None:
    for tag in ("v4.7.5", "v4.7.6", "v4.7.5"):
        assert repository.converge(tag)
        assert repository.text == tag
        assert not repository.converge(tag)


@pytest.mark.parametrize("change", ["file", "new file"], ids=["a modified file", "a new file"])
def test_modifications_in_a_checkout_survive_every_run(repository: Repository, change: str) -> None:
    repository.converge("v4.7.5")
    (repository.checkout / change).write_text("the operator's")
    assert not repository.converge("v4.7.5")
    with pytest.raises(OperationError, match=change):
        repository.converge("v4.7.6")
    assert (repository.checkout / change).read_text() == "the operator's"


def test_commits_in_a_checkout_survive_every_run(repository: Repository) -> None:
    repository.converge("v4.7.5")
    commit(repository.checkout, "the operator's")
    head = git(repository.checkout, "rev-parse", "HEAD")
    for tag in ("v4.7.5", "v4.7.6"):
        with pytest.raises(OperationError, match=head[:12]):
            repository.converge(tag)
    assert git(repository.checkout, "rev-parse", "HEAD") == head


@pytest.mark.parametrize("leftover", ["shallow.lock", "index.lock", "switching"])
def test_a_checkout_that_was_killed_is_finished_by_the_next_run(repository: Repository, leftover: str) -> None:
    repository.converge("v4.7.5")
    (repository.checkout / ".git" / leftover).touch()
    if leftover == "switching":
        (repository.checkout / "file").write_text("half of")
    assert repository.converge("v4.7.6")
    assert repository.text == "v4.7.6"
    assert not repository.converge("v4.7.6")


def test_a_release_that_does_not_exist_is_named(repository: Repository) -> None:
    answer = run_script("checkout/fetch", repository.origin.as_uri(), repository.checkout, "v9.9.9")
    assert answer.returncode != 0
    assert "v9.9.9" in answer.stderr and repository.origin.as_uri() in answer.stderr


# --- Secrets ------------------------------------------------------------------------------------

SECRETS = {
    "SECRET_KEY_BASE": "0123456789abcdef" * 8,
    "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY": "aB3" * 10 + "xy",
    "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT": "cD4" * 10 + "xy",
    "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY": "eF5" * 10 + "xy",
    "VAPID_PRIVATE_KEY": "g-_" * 14 + "h=",
    "VAPID_PUBLIC_KEY": "i-_" * 29 + "=",
    "POSTGRES_PASSWORD": "ab" * 32,
    "DB_PASS": "cd" * 32,
    "REDIS_PASSWORD": "ef" * 32,
}


def secret_answer(directory: Path, secrets: dict[str, str], *, end: str = "# complete\n") -> str:
    text = "# made by the suite\n\n" + "".join(f"{name}={value}\n" for name, value in secrets.items()) + end
    (directory / "instance.env").write_text(text)
    answer = run_script("secrets/state", directory, directory / "database")
    assert answer.returncode == 0
    return answer.stdout


def test_sound_secrets_are_reported_by_name_only(tmp_path: Path) -> None:
    answer = secret_answer(tmp_path, SECRETS)
    state = SecretStates().process(answer.splitlines())
    assert state.good == set(SECRETS)
    assert state.exists and state.complete and not state.damaged and not state.database
    assert not any(value in answer for value in SECRETS.values())


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda value: value[:-1], id="cut short"),
        pytest.param(lambda value: value + "0", id="too long"),
        pytest.param(lambda value: "", id="empty"),
        pytest.param(lambda value: f"'{value}'", id="in quotes"),
        pytest.param(lambda value: value + "\r", id="with a carriage return"),
    ],
)
def test_a_damaged_secret_is_noticed_and_not_shown(tmp_path: Path, name: str, damage: Callable[[str], str]) -> None:
    answer = secret_answer(tmp_path, SECRETS | {name: damage(SECRETS[name])})
    state = SecretStates().process(answer.splitlines())
    assert state.damaged == [name]
    assert name not in state.good
    assert SECRETS[name][:20] not in answer


@pytest.mark.parametrize("size", [30, 31, 32])
def test_a_private_key_may_have_begun_with_zeros(tmp_path: Path, size: int) -> None:
    key = base64.urlsafe_b64encode(bytes(range(100, 100 + size))).decode()
    assert SecretStates().process(
        secret_answer(tmp_path, SECRETS | {"VAPID_PRIVATE_KEY": key}).splitlines()
    ).good == set(SECRETS)


def test_a_file_without_its_last_line_is_not_complete(tmp_path: Path) -> None:
    state = SecretStates().process(secret_answer(tmp_path, SECRETS, end="").splitlines())
    assert state.exists and not state.complete


def test_a_line_that_lost_its_name_does_not_show_the_secret_in_it(tmp_path: Path) -> None:
    value = SECRETS["DB_PASS"]
    answer = secret_answer(tmp_path, {}, end=f"{value}\n# complete\n")
    assert SecretStates().process(answer.splitlines()).damaged
    assert value not in answer


def test_a_database_in_use_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "database").mkdir()
    assert not SecretStates().process(secret_answer(tmp_path, SECRETS).splitlines()).database
    (tmp_path / "database" / "PG_VERSION").write_text("17\n")
    assert SecretStates().process(secret_answer(tmp_path, SECRETS).splitlines()).database


# --- Scripts that call docker -------------------------------------------------------------------


def stand_in(directory: Path, program: str, text: str) -> Path:
    """A directory with `program` in it, to be found before the real one. Its calls go to the file "calls"."""
    file = directory / "bin" / program
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'#!/bin/sh\necho {program} "$@" >>"{directory}/calls"\n{text}')
    file.chmod(0o755)
    return file.parent


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


def daemon(directory: Path, *, containers: str, live_restore: str) -> subprocess.CompletedProcess[str]:
    stand_in(directory, "dockerd", "")
    stand_in(directory, "systemctl", "")
    path = stand_in(directory, "docker", f'case $1 in ps) echo "{containers}" ;; info) echo {live_restore} ;; esac\n')
    return run_script("docker/restart_daemon", path=path)


def test_docker_is_not_restarted_under_containers_that_would_stop(tmp_path: Path) -> None:
    answer = daemon(tmp_path, containers="0123456789ab", live_restore="false")
    assert answer.returncode != 0
    assert "systemctl restart docker" in answer.stderr
    assert "systemctl restart" not in (tmp_path / "calls").read_text()


@pytest.mark.parametrize(("containers", "live_restore"), [("", "false"), ("0123456789ab", "true")])
def test_docker_is_restarted_where_no_container_stops(tmp_path: Path, containers: str, live_restore: str) -> None:
    answer = daemon(tmp_path, containers=containers, live_restore=live_restore)
    assert answer.returncode == 0, answer.stderr
    assert "systemctl restart docker.service" in (tmp_path / "calls").read_text()


# --- Packages -----------------------------------------------------------------------------------

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


# --- Compose ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "stamps"),
    [
        pytest.param("", ["stamp one", "stamp two"], id="nothing"),
        pytest.param("compose.yaml", ["stamp ", "stamp two"], id="what containers are made from"),
        pytest.param("nginx.conf", ["stamp one", "stamp "], id="what they can load anew"),
    ],
)
@pytest.mark.parametrize("lost", [False, True])
def test_a_stamp_counts_until_one_of_its_files_changes(
    tmp_path: Path, changed: str, stamps: list[str], lost: bool
) -> None:
    for age, name in ((300, "compose.yaml"), (300, "nginx.conf"), (200, "applied"), (200, "loaded")):
        (tmp_path / name).write_text({"applied": "one", "loaded": "two"}.get(name, ""))
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    if changed and lost:
        (tmp_path / changed).unlink()
    elif changed:
        os.utime(tmp_path / changed)
    paths = [tmp_path / name for name in ("applied", "loaded", "compose.yaml", "--", "nginx.conf")]
    arguments = ["--" if path.name == "--" else path for path in paths]
    assert run_script("compose/state", "no-such-project", *arguments).stdout.splitlines() == stamps


def bring_up(directory: Path, *, exit_code: int, states: list[str]) -> subprocess.CompletedProcess[str]:
    """The script, with a Compose that ends with `exit_code` and leaves containers in these states."""
    said = "".join(f"{state} 0 false {number}\\n" for number, state in enumerate(states))
    path = stand_in(
        directory,
        "docker",
        f"""case "$1 $2" in
        "compose up") echo 'what Compose says'; exit {exit_code} ;;
        "ps --all") echo {" ".join(map(str, range(len(states))))} ;;
        "inspect --format") case $3 in *compose.service*) printf '{said}' ;; esac ;;
        logs\\ *) echo 'last words of the container' ;;
        esac\n""",
    )
    return run_script("compose/up", "mstdn", directory, "20", path=path)


def test_a_project_whose_containers_are_all_healthy_is_up(tmp_path: Path) -> None:
    answer = bring_up(tmp_path, exit_code=0, states=["db running healthy", "web running healthy"])
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("state", ["running starting", "running unhealthy", "restarting healthy", "exited healthy"])
@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_container_that_is_not_healthy_is_shown_whatever_compose_says(
    tmp_path: Path, exit_code: int, state: str
) -> None:
    answer = bring_up(tmp_path, exit_code=exit_code, states=["db running healthy", f"web {state}"])
    assert answer.returncode == 1
    status, health = state.split()
    assert f"web is {status} ({health})" in answer.stderr and "last words of the container" in answer.stderr
    assert "db is" not in answer.stderr


def test_what_compose_says_is_shown_when_it_makes_no_container(tmp_path: Path) -> None:
    answer = bring_up(tmp_path, exit_code=14, states=[])
    assert answer.returncode != 0 and "what Compose says" in answer.stderr


def test_a_failure_of_compose_is_one_even_if_all_containers_are_healthy(tmp_path: Path) -> None:
    answer = bring_up(tmp_path, exit_code=14, states=["db running healthy"])
    assert answer.returncode == 14 and "what Compose says" in answer.stderr


# --- Database -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "stays"),
    [
        pytest.param(["PG_VERSION", "base/1/112", "base/5/112"], False, id="initdb was cut short"),
        pytest.param(["PG_VERSION", "base/1/112", "postmaster.opts"], True, id="a server ran on it"),
        pytest.param(["PG_VERSION", "base/1/112", "base/16384/112"], True, id="a copy without postmaster.opts"),
    ],
)
def test_only_a_database_that_cannot_hold_anything_is_discarded(tmp_path: Path, files: list[str], stays: bool) -> None:
    data = tmp_path / "database"
    for file in files:
        (data / file).parent.mkdir(parents=True, exist_ok=True)
        (data / file).touch()
    answer = run_script("database/discard", tmp_path, data, path=stand_in(tmp_path, "docker", ""))
    assert answer.returncode == 0, answer.stderr
    assert [(data / file).exists() for file in files] == [stays] * len(files)
    assert (tmp_path / "calls").exists() is not stays


# --- Proxy --------------------------------------------------------------------------------------

REASON = "[Tue Nov 24 21:00:01 UTC 2026] social.example.org: Invalid status. Verification error details: refused"
# What acme-companion 2.8 with acme.sh 3.1 says of a certificate that is well, and of one that just came.
WELL_SAID = """\
Creating/renewal a.example.org certificates... (a.example.org)
[Tue Nov 24 21:00:02 UTC 2026] Domains not changed.
[Tue Nov 24 21:00:02 UTC 2026] Skipping. Next renewal time is: 2027-01-22T21:00:00Z
[Tue Nov 24 21:00:02 UTC 2026] Add '--force' to force renewal.
"""
NEW_SAID = """\
-----BEGIN CERTIFICATE-----
MIICODCCAb6gAwIBAgIUEHcnm5zJzSYFLhLk7N5u4OhLRskwCgYIKoZIzj0EAwMw
-----END CERTIFICATE-----
2026/11/24 21:00:03 Received event start for container 0123456789ab
Sleep for 3600s
"""


def report(directory: Path, *, log: str, processes: str = "sleep 3600") -> str:
    """What the script says of a proxy whose companion has this log and runs these processes, asked to ask again."""
    (directory / "log").write_text(log)
    path = stand_in(
        directory,
        "docker",
        f'case "$1 $*" in ps\\ *companion*) echo companion ;; top\\ *) echo "{processes}" ;;'
        f" logs\\ *) cat '{directory}/log' ;; esac\n",
    )
    return run_script("proxy/report", "ask", path=path).stdout


def test_the_companions_reason_is_not_lost_among_certificates_that_are_well(tmp_path: Path) -> None:
    said = ProxyReport().process(report(tmp_path, log=f"{REASON}\n{WELL_SAID * 5}{NEW_SAID}").splitlines())
    assert REASON in said.companion


@pytest.mark.parametrize(
    ("processes", "asks"), [("sleep 3600", True), ("/bin/sh /app/acme.sh --log /dev/null --issue", False)]
)
def test_the_companion_is_asked_to_try_again_unless_it_is_at_work(tmp_path: Path, processes: str, asks: bool) -> None:
    report(tmp_path, log=REASON, processes=processes)
    assert ("docker exec companion /app/signal_le_service" in (tmp_path / "calls").read_text()) is asks


def reload(directory: Path, *, failures: int) -> subprocess.CompletedProcess[str]:
    """The script, with an nginx that refuses its configuration so many times."""
    path = stand_in(
        directory,
        "docker",
        'case "$*" in *nginx\\ -t*) echo x >>tests; '
        f"[ $(wc -l <tests) -gt {failures} ] || {{ echo '[emerg] no such file' >&2; exit 1; }} ;; esac\n",
    )
    stand_in(directory, "sleep", "")
    return run_script("proxy/reload", directory, path=path)


def test_nginx_is_tested_again_while_docker_gen_still_writes(tmp_path: Path) -> None:
    answer = reload(tmp_path, failures=3)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert (tmp_path / "calls").read_text().splitlines()[-1] == "docker compose kill --signal HUP nginx"


def test_files_that_nginx_refuses_for_good_are_not_loaded(tmp_path: Path) -> None:
    answer = reload(tmp_path, failures=1000)
    assert answer.returncode != 0 and "[emerg] no such file" in answer.stderr
    assert "HUP" not in (tmp_path / "calls").read_text()
