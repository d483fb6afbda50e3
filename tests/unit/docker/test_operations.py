"""What the operations on Docker Engine decide."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from mstdn.docker import operations as docker
from mstdn.docker import packages
from mstdn.files.tree import ConfigFile
from mstdn.layout import ENGINE_NOTE, NOTES
from tests.harness import Command, commands_of, refusal_of
from tests.unit.apt.keys import ED25519_KEY, FINGERPRINT, RSA_KEY

KEY = f"key {b64encode(RSA_KEY).decode()}\n"
DEBIAN = "codename debian trixie\narchitecture amd64\n"
VERSION = "5:29.1.2-1~debian.13~trixie"
INSTALLED = DEBIAN + "".join(f"package {name} {VERSION}\n" for name in packages.PACKAGES)
RUNNING = "active active\nenabled enabled\nstarted 200\nconfigured 100\n"
CONFIGURATION = '{"live-restore": true}\n'
CONFIGURATION_STATE = (
    "state 41ed 0:0 /etc/docker\nstate 81a4 0:0 /etc/docker/daemon.json\n"
    f"sum {ConfigFile('', CONFIGURATION).sha256}  /etc/docker/daemon.json\n"
)


def test_missing_prerequisites_are_installed_in_one_go() -> None:
    facts = {"docker/state": DEBIAN + "package ca-certificates 20250419\npackage git 1:2.47.3\n"}
    assert commands_of(docker.prerequisites, facts) == [Command("apt/install", ("curl", "gpg"))]


def test_nothing_is_installed_when_the_prerequisites_are_there() -> None:
    facts = {"docker/state": DEBIAN + "".join(f"package {name} 1\n" for name in packages.PREREQUISITES)}
    assert commands_of(docker.prerequisites, facts) == []


def repository_commands(facts: dict[str, str]) -> list[Command]:
    return commands_of(
        docker.apt_repository,
        facts,
        repository="https://download.docker.com/linux",
        fingerprint=FINGERPRINT,
    )


def test_the_key_is_fetched_before_apt_hears_of_the_repository() -> None:
    key, sources, proof = repository_commands({"docker/state": DEBIAN})
    assert key == Command(
        "apt/trust_key", ("https://download.docker.com/linux/debian/gpg", "/etc/apt/keyrings/docker.asc", FINGERPRINT)
    )
    assert sources.words[-1] == "/etc/apt/sources.list.d/docker.sources"
    assert sources.stdin == (
        "Types: deb\n"
        "URIs: https://download.docker.com/linux/debian\n"
        "Suites: trixie\n"
        "Components: stable\n"
        "Architectures: amd64\n"
        "Signed-By: /etc/apt/keyrings/docker.asc\n"
    )
    assert proof == Command("apt/prove", ("https://download.docker.com/linux/debian", packages.SOURCES))


def test_ubuntu_on_arm_has_its_own_repository() -> None:
    key, sources, _ = repository_commands({"docker/state": "codename ubuntu noble\narchitecture arm64\n"})
    assert key.words[0] == "https://download.docker.com/linux/ubuntu/gpg"
    assert sources.stdin is not None
    assert "URIs: https://download.docker.com/linux/ubuntu\nSuites: noble\n" in sources.stdin
    assert "Architectures: arm64\n" in sources.stdin


@pytest.mark.parametrize(
    "trusted",
    [
        pytest.param(ED25519_KEY, id="another key"),
        pytest.param(RSA_KEY + ED25519_KEY, id="one key too many"),
        pytest.param(RSA_KEY[:-1], id="half a key"),
        pytest.param(b"", id="no key"),
    ],
)
def test_the_key_is_fetched_unless_apt_trusts_exactly_it(trusted: bytes) -> None:
    state = f"{DEBIAN}key {b64encode(trusted).decode()}\n"
    assert [command.script for command in repository_commands({"docker/state": state})] == [
        "apt/trust_key",
        "files/put",
        "apt/prove",
    ]


def the_suites_source_is_there() -> dict[str, str]:
    """What a server says on which key and source are as they should be."""
    _, sources, _ = repository_commands({"docker/state": DEBIAN})
    assert sources.stdin is not None
    sha256 = ConfigFile("", sources.stdin).sha256
    return {
        "docker/state": DEBIAN + KEY,
        "files/state": f"state 81a4 0:0 {packages.SOURCES}\nsum {sha256}  {packages.SOURCES}\n",
    }


def source(path: str, text: str) -> str:
    return f"source /etc/apt/{path} 0644 {b64encode(text.encode()).decode()}\n"


def test_a_source_that_is_right_is_left_alone() -> None:
    own = source("sources.list.d/docker.sources", "Types: deb\nURIs: https://download.docker.com/linux/debian\n")
    assert repository_commands(the_suites_source_is_there() | {"apt/sources": own}) == []


def test_other_entries_for_the_repository_are_taken_out_wherever_they_are_and_apt_is_proven() -> None:
    docker_line, debian_line = (
        "deb https://download.docker.com/linux/debian trixie stable\n",
        "deb http://deb.debian.org/debian trixie main\n",
    )
    alone, mixed = "sources.list.d/download_docker_com_linux_debian.list", "sources.list"
    facts = the_suites_source_is_there()
    facts["apt/sources"] = source(alone, docker_line) + source(mixed, debian_line + docker_line)
    facts["files/state"] += f"state 81a4 0:0 /etc/apt/{alone}\nstate 81a4 0:0 /etc/apt/{mixed}\n"
    assert repository_commands(facts) == [
        Command("files/put", ("file", "0:0", "0644", f"/etc/apt/{mixed}"), debian_line),
        Command("", ("rm", "-rf", "--", f"/etc/apt/{alone}")),
        Command("apt/prove", ("https://download.docker.com/linux/debian", packages.SOURCES)),
    ]


NOTE = ConfigFile("", json.dumps(json.loads(CONFIGURATION), indent=2))
NOTE_STATE = (
    f"state 41ed 0:0 {NOTES}\nstate 81a4 0:0 {ENGINE_NOTE}\nsum {NOTE.sha256}  {ENGINE_NOTE}\n"
    "state 41ed 0:0 /etc/docker\n"
)


def setup(configuration: str | None = CONFIGURATION, noted: str | None = NOTE.text, *lines: str) -> str:
    """What docker/setup prints with these texts of daemon.json and of the note."""
    texts = {"configuration": configuration, "noted": noted}
    known = [f"{key} {b64encode(text.encode()).decode()}" for key, text in texts.items() if text is not None]
    return "\n".join([*known, *lines]) + "\n"


def daemon_commands(host: str, files: str, engine: str) -> list[Command]:
    facts = {"docker/state": host, "files/state": files, "docker/setup": engine}
    return commands_of(docker.daemon, facts, configuration=CONFIGURATION)


def names(commands: list[Command]) -> list[str]:
    return [command.script or command.words[0] for command in commands]


def test_daemon_json_is_there_before_the_engine_and_nothing_is_restarted() -> None:
    assert names(daemon_commands(DEBIAN, "", "")) == ["files/put"] * 4


def test_a_daemon_that_runs_with_its_configuration_is_left_alone() -> None:
    assert daemon_commands(INSTALLED + RUNNING, CONFIGURATION_STATE + NOTE_STATE, setup()) == []


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("active active\nenabled enabled\nstarted 100\nconfigured 200\n", id="older than its file"),
        pytest.param("active inactive\nenabled enabled\nconfigured 100\n", id="stopped"),
    ],
)
def test_a_daemon_that_does_not_run_as_configured_is_put_right(state: str) -> None:
    commands = daemon_commands(INSTALLED + state, CONFIGURATION_STATE + NOTE_STATE, setup())
    assert names(commands) == ["docker/restart_daemon"]


def test_a_daemon_that_does_not_start_at_boot_is_not_restarted_for_it() -> None:
    state = "active active\nenabled disabled\nstarted 200\nconfigured 100\n"
    (command,) = daemon_commands(INSTALLED + state, CONFIGURATION_STATE + NOTE_STATE, setup())
    assert command.words[0] == "systemctl"


def test_a_containerd_that_has_ended_is_started_and_the_daemon_goes_on() -> None:
    state = "active active\nenabled enabled\nstarted 200\nconfigured 100\nlacks containerd\n"
    (command,) = daemon_commands(INSTALLED + state, CONFIGURATION_STATE + NOTE_STATE, setup())
    assert command == Command("docker/start_containerd", ())


def test_a_new_configuration_that_cannot_be_judged_is_not_written() -> None:
    facts = {
        "docker/state": INSTALLED + RUNNING,
        "files/state": CONFIGURATION_STATE + NOTE_STATE,
        "docker/setup": setup("{}", None, "unreadable DOCKER_OPTS"),
    }
    assert "cannot be read" in refusal_of(docker.daemon, facts, configuration=CONFIGURATION)


def test_a_new_configuration_is_judged_by_the_daemon_before_it_is_written() -> None:
    theirs = '{"dns": ["192.0.2.53"]}'
    files = "state 41ed 0:0 /etc/docker\nstate 81a4 0:0 /etc/docker/daemon.json\n"
    judge, write, *rest = daemon_commands(
        INSTALLED + RUNNING, files, setup(theirs, None, "flag -H\nflag fd://\nflag --debug")
    )
    assert judge == Command("docker/validate", ("-H", "fd://", "--debug"), write.stdin)
    assert write.words == ("file", "0:0", "0644", "/etc/docker/daemon.json")
    assert json.loads(write.stdin or "") == {"dns": ["192.0.2.53"], "live-restore": True}
    assert names(rest) == ["files/put", "files/put", "docker/restart_daemon"]
    assert rest[1].words[-1] == ENGINE_NOTE and json.loads(rest[1].stdin or "") == {"live-restore": True}


def test_a_note_that_a_killed_run_left_unwritten_is_written() -> None:
    commands = daemon_commands(INSTALLED + RUNNING, CONFIGURATION_STATE, setup(noted=None))
    assert [each.words[0] for each in commands] == ["directory", "file"]
    assert commands[-1].words[-1] == ENGINE_NOTE


@pytest.mark.parametrize(("mode", "kept"), [("8180", "0600"), ("81a0", "0640"), ("81b6", "0644"), ("81ed", "0644")])
def test_a_file_that_is_closed_to_others_stays_closed(mode: str, kept: str) -> None:
    files = f"state 41ed 0:0 /etc/docker\nstate {mode} 0:0 /etc/docker/daemon.json\n"
    commands = daemon_commands(INSTALLED + RUNNING, files, setup("{}", None))
    assert commands[1].words == ("file", "0:0", kept, "/etc/docker/daemon.json")


def test_a_daemon_json_that_cannot_be_read_is_refused() -> None:
    facts = {"docker/state": INSTALLED + RUNNING, "docker/setup": setup("{", None)}
    assert "is not valid" in refusal_of(docker.daemon, facts, configuration=CONFIGURATION)


def package_words(state: str, version: str = "") -> list[tuple[str, ...]]:
    return [command.words for command in commands_of(docker.packages, {"docker/state": state}, version=version)]


def test_docker_is_installed_with_all_its_parts() -> None:
    assert package_words(DEBIAN) == [packages.PACKAGES]


def test_any_installed_version_is_accepted_without_a_pin() -> None:
    assert package_words(INSTALLED) == []


def test_a_pin_concerns_the_engine_and_its_command_line_only() -> None:
    assert package_words(DEBIAN, "5:28.5.2-1~debian.13~trixie") == [
        (
            "docker-ce=5:28.5.2-1~debian.13~trixie",
            "docker-ce-cli=5:28.5.2-1~debian.13~trixie",
            "containerd.io",
            "docker-buildx-plugin",
            "docker-compose-plugin",
        )
    ]


def test_another_version_than_the_pinned_one_is_replaced() -> None:
    assert package_words(INSTALLED, VERSION) == []
    assert package_words(INSTALLED, "5:29.1.3-1~debian.13~trixie") == [
        ("docker-ce=5:29.1.3-1~debian.13~trixie", "docker-ce-cli=5:29.1.3-1~debian.13~trixie")
    ]


@pytest.mark.parametrize(
    ("state", "users", "words"),
    [
        pytest.param("", [], None, id="no group, nobody wanted"),
        pytest.param("members \n", [], None, id="empty, nobody wanted"),
        pytest.param("members bob,alice\n", ["alice", "bob"], None, id="as wanted, in another order"),
        pytest.param("members \n", ["alice", "bob"], ("alice,bob",), id="two join"),
        pytest.param("members mallory,alice\n", ["alice"], ("alice",), id="one leaves"),
        pytest.param("members mallory\n", [], ("",), id="all leave"),
    ],
)
def test_the_group_docker_has_exactly_the_wanted_members(
    state: str, users: list[str], words: tuple[str, ...] | None
) -> None:
    expected = [] if words is None else [Command("docker/set_group", words)]
    assert commands_of(docker.group, {"docker/state": DEBIAN + state}, users=users) == expected
