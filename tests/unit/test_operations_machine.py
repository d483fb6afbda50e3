"""What the operations on the machine itself decide: swap, Docker, networks."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.docker import operations as docker
from mstdn.files.tree import ConfigFile
from mstdn.networks.operations import WantedNetwork, docker_networks
from mstdn.swap.facts import SWAPPINESS_FILE
from mstdn.swap.operations import swap_file
from tests.harness import Command, commands_of, refusal_of

# --- Swap ---------------------------------------------------------------------------------------

SWAP: dict[str, Any] = {"path": "/swap", "size_mib": 2048, "swappiness": 10}
SWAP_FILE = "active 2097148 /swap\nfile 2147483648 600 0\nfstab\n"
SWAPPINESS = "swappiness 10\npersisted 10\n"


def swap_commands(state: str, **changed: Any) -> list[Command]:
    return commands_of(swap_file, {"swap/state": state}, **SWAP | changed)


def test_a_bare_server_gets_swap_now_and_after_a_reboot() -> None:
    assert swap_commands("swappiness 60\npersisted \n") == [
        Command("swap/make_file", ("/swap", "2048")),
        Command("swap/write_fstab", ("/swap",)),
        Command("files/write", (SWAPPINESS_FILE, "0:0", "0644"), "vm.swappiness = 10\n"),
        Command("", ("echo", "10", ">", "/proc/sys/vm/swappiness")),
    ]


def test_the_wanted_swap_is_left_alone() -> None:
    assert swap_commands(SWAP_FILE + SWAPPINESS) == []


def test_a_swap_file_of_another_size_is_made_anew() -> None:
    assert swap_commands(SWAP_FILE + SWAPPINESS, size_mib=4096) == [Command("swap/make_file", ("/swap", "4096"))]


def test_a_swap_file_that_is_not_in_use_is_made_anew() -> None:
    assert swap_commands("file 2147483648 600 0\nfstab\n" + SWAPPINESS) == [
        Command("swap/make_file", ("/swap", "2048"))
    ]


def test_a_swap_file_that_others_may_read_is_closed() -> None:
    state = "active 2097148 /swap\nfile 2147483648 644 0\nfstab\n" + SWAPPINESS
    assert swap_commands(state) == [Command("", ("chown", "0:0", "/swap", "&&", "chmod", "0600", "/swap"))]


def test_swap_that_would_be_gone_after_a_reboot_comes_into_fstab() -> None:
    state = "active 2097148 /swap\nfile 2147483648 600 0\n" + SWAPPINESS
    assert swap_commands(state) == [Command("swap/write_fstab", ("/swap",))]


def test_swappiness_is_put_right_now_and_for_later() -> None:
    assert [command.script for command in swap_commands(SWAP_FILE + "swappiness 10\npersisted 60\n")] == ["files/write"]
    assert [command.words[0] for command in swap_commands(SWAP_FILE + "swappiness 60\npersisted 10\n")] == ["echo"]


def test_a_larger_swap_of_the_machine_is_respected() -> None:
    assert swap_commands("active 4194300 /dev/vda2\nswappiness 60\n") == []


def test_a_swap_of_the_machine_of_exactly_the_size_is_respected_although_the_kernel_counts_a_page_less() -> None:
    assert swap_commands("active 2097148 /dev/vda2\nswappiness 60\n") == []


def test_a_smaller_swap_of_the_machine_is_not_enough() -> None:
    assert swap_commands("active 1048572 /dev/vda2\n" + SWAPPINESS)[0] == Command("swap/make_file", ("/swap", "2048"))


def test_size_0_leaves_the_swap_as_it_is() -> None:
    assert swap_commands("swappiness 60\n", size_mib=0) == []


# --- Docker Engine ------------------------------------------------------------------------------

FINGERPRINT = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"
OTHER_FINGERPRINT = "1" * 40
DEBIAN = "codename debian trixie\narchitecture amd64\n"
VERSION = "5:29.1.2-1~debian.13~trixie"
INSTALLED = DEBIAN + "".join(f"package {name} {VERSION}\n" for name in docker.PACKAGES)
RUNNING = "active active\nenabled enabled\nstarted 200\nconfigured 100\n"
CONFIGURATION = '{"live-restore": true}\n'
CONFIGURATION_STATE = (
    f"d 0755 0:0 - /etc/docker\nf 0644 0:0 {ConfigFile('', CONFIGURATION).sha256} /etc/docker/daemon.json\n"
)


def test_missing_prerequisites_are_installed_in_one_go() -> None:
    facts = {"docker/state": DEBIAN + "package ca-certificates 20250419\npackage git 1:2.47.3\n"}
    assert commands_of(docker.prerequisites, facts) == [Command("apt/install", ("curl", "gpg"))]


def test_nothing_is_installed_when_the_prerequisites_are_there() -> None:
    facts = {"docker/state": "".join(f"package {name} 1\n" for name in docker.PREREQUISITES)}
    assert commands_of(docker.prerequisites, facts) == []


def repository_commands(facts: dict[str, str]) -> list[Command]:
    return commands_of(
        docker.apt_repository,
        facts,
        repository="https://download.docker.com/linux",
        fingerprint=FINGERPRINT,
    )


def test_the_key_is_fetched_before_apt_hears_of_the_repository() -> None:
    key, sources = repository_commands({"docker/state": DEBIAN})
    assert key == Command(
        "apt/trust_key", ("https://download.docker.com/linux/debian/gpg", "/etc/apt/keyrings/docker.asc", FINGERPRINT)
    )
    assert sources.words[0] == "/etc/apt/sources.list.d/docker.sources"
    assert sources.stdin == (
        "Types: deb\n"
        "URIs: https://download.docker.com/linux/debian\n"
        "Suites: trixie\n"
        "Components: stable\n"
        "Architectures: amd64\n"
        "Signed-By: /etc/apt/keyrings/docker.asc\n"
    )


def test_ubuntu_on_arm_has_its_own_repository() -> None:
    key, sources = repository_commands({"docker/state": "codename ubuntu noble\narchitecture arm64\n"})
    assert key.words[0] == "https://download.docker.com/linux/ubuntu/gpg"
    assert sources.stdin is not None
    assert "URIs: https://download.docker.com/linux/ubuntu\nSuites: noble\n" in sources.stdin
    assert "Architectures: arm64\n" in sources.stdin


@pytest.mark.parametrize(
    "trusted",
    [
        pytest.param([OTHER_FINGERPRINT], id="another key"),
        pytest.param([FINGERPRINT, OTHER_FINGERPRINT], id="one key too many"),
        pytest.param([], id="no key"),
    ],
)
def test_the_key_is_fetched_unless_apt_trusts_exactly_it(trusted: list[str]) -> None:
    state = DEBIAN + "".join(f"fingerprint {each}\n" for each in trusted)
    assert [command.script for command in repository_commands({"docker/state": state})] == [
        "apt/trust_key",
        "files/write",
    ]


def test_the_sources_of_older_guides_are_removed_and_the_rest_left_alone() -> None:
    _, sources = repository_commands({"docker/state": DEBIAN})
    assert sources.stdin is not None
    sha256 = ConfigFile("", sources.stdin).sha256
    facts = {
        "docker/state": f"{DEBIAN}fingerprint {FINGERPRINT}\n",
        "files/state": f"f 0644 0:0 {sha256} {docker.SOURCES}\nf 0644 0:0 x /etc/apt/sources.list.d/docker.list\n",
    }
    assert repository_commands(facts) == [Command("", ("rm", "-rf", "--", "/etc/apt/sources.list.d/docker.list"))]


def daemon_commands(host: str, files: str) -> list[str]:
    commands = commands_of(docker.daemon, {"docker/state": host, "files/state": files}, configuration=CONFIGURATION)
    return [command.script or command.words[0] for command in commands]


def test_daemon_json_is_there_before_the_engine_and_nothing_is_restarted() -> None:
    assert daemon_commands(DEBIAN, "") == ["mkdir", "chown", "files/write"]


def test_a_daemon_that_runs_with_its_configuration_is_left_alone() -> None:
    assert daemon_commands(INSTALLED + RUNNING, CONFIGURATION_STATE) == []


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("active active\nenabled enabled\nstarted 100\nconfigured 200\n", id="older than its file"),
        pytest.param("active inactive\nenabled enabled\nconfigured 100\n", id="stopped"),
        pytest.param("active active\nenabled disabled\nstarted 200\nconfigured 100\n", id="not started at boot"),
    ],
)
def test_a_daemon_that_does_not_run_as_configured_is_put_right(state: str) -> None:
    assert daemon_commands(INSTALLED + state, CONFIGURATION_STATE) == ["docker/restart_daemon"]


def test_a_new_configuration_reaches_a_running_daemon() -> None:
    assert daemon_commands(INSTALLED + RUNNING, "d 0755 0:0 - /etc/docker\n") == [
        "files/write",
        "docker/restart_daemon",
    ]


def package_words(state: str, version: str = "") -> list[tuple[str, ...]]:
    return [command.words for command in commands_of(docker.packages, {"docker/state": state}, version=version)]


def test_docker_is_installed_with_all_its_parts() -> None:
    assert package_words(DEBIAN) == [docker.PACKAGES]


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
    assert commands_of(docker.group, {"docker/state": state}, users=users) == expected


# --- Networks -----------------------------------------------------------------------------------

NETWORKS = [WantedNetwork("front", ipv6=None), WantedNetwork("back-mstdn", internal=True)]


def network(name: str, driver: str = "bridge", internal: str = "false", ipv6: str = "false", attached: str = "") -> str:
    return f'{{"name":"{name}","driver":"{driver}","internal":{internal},"ipv6":{ipv6},"attached":"{attached}"}}\n'


def network_commands(*existing: str, wanted: list[WantedNetwork] = NETWORKS) -> list[Command]:
    return commands_of(docker_networks, {"networks/state": "".join(existing)}, networks=wanted)


def test_a_bare_server_gets_both_networks() -> None:
    assert network_commands() == [
        Command("networks/make", ("front", "no", "auto")),
        Command("networks/make", ("back-mstdn", "yes", "no")),
    ]


@pytest.mark.parametrize("ipv6", ["true", "false"])
def test_auto_accepts_what_the_engine_gave_the_network(ipv6: str) -> None:
    assert network_commands(network("front", ipv6=ipv6), network("back-mstdn", internal="true")) == []


BACK = {"name": "back-mstdn", "internal": "true"}


@pytest.mark.parametrize(
    ("drift", "said"),
    [
        pytest.param({"internal": "false"}, "not internal", id="not internal"),
        pytest.param({"driver": "macvlan"}, "driver macvlan", id="driver"),
        pytest.param({"ipv6": "true"}, "IPv6 is on", id="IPv6"),
    ],
)
def test_drift_of_a_network_is_repaired_only_when_nothing_is_attached(drift: dict[str, str], said: str) -> None:
    front = network("front")
    assert network_commands(front, network(**BACK | drift)) == [Command("networks/make", ("back-mstdn", "yes", "no"))]
    attached = front + network(**BACK | drift, attached="mstdn-db-1 mstdn-web-1")
    refusal = refusal_of(docker_networks, {"networks/state": attached}, networks=NETWORKS)
    assert said in refusal
    assert "mstdn-db-1, mstdn-web-1" in refusal


def test_a_network_as_wanted_may_be_in_use() -> None:
    assert network_commands(network("front", attached="x"), network(**BACK, attached="y")) == []


@pytest.mark.parametrize(("wanted", "found", "option"), [(True, "false", "yes"), (False, "true", "no")])
def test_a_forced_ipv6_setting_is_enforced(wanted: bool, found: str, option: str) -> None:
    front = [WantedNetwork("front", ipv6=wanted)]
    assert network_commands(network("front", ipv6=found), wanted=front) == [
        Command("networks/make", ("front", "no", option))
    ]
    assert network_commands(network("front", ipv6=str(wanted).lower()), wanted=front) == []
