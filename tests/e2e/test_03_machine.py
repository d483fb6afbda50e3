"""Swap, Docker and networks, read back with the server's own tools."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.e2e.instance import SERVICES, Instance, throw_away_container
from tests.lab.addresses import INTERNET, SWAP_MIB, SWAP_PATHS
from tests.lab.commands import wait_until

MIB = 1024 * 1024
SWAP = SWAP_PATHS["server"]

# --- Swap ---------------------------------------------------------------------------------------


def active_swap(instance: Instance) -> dict[str, int]:
    """MiB by path. The kernel counts a swap file one page short."""
    lines = instance.run("swapon --show=NAME,SIZE --bytes --noheadings").splitlines()
    return {path: round(int(size) / MIB) for path, size in map(str.split, lines)}


def test_the_swap_file_is_active_and_for_root_only(instance: Instance) -> None:
    assert active_swap(instance)[SWAP] == SWAP_MIB
    assert instance.run(f"stat -c '%a %U:%G %s' {SWAP}").split() == ["600", "root:root", str(SWAP_MIB * MIB)]


def test_the_swap_file_is_in_fstab_once(instance: Instance) -> None:
    lines = [line.split() for line in instance.run("cat /etc/fstab").splitlines() if SWAP in line]
    assert lines == [[SWAP, "none", "swap", "sw", "0", "0"]]


def test_swappiness_is_set_now_and_for_the_next_boot(instance: Instance) -> None:
    assert instance.run("cat /proc/sys/vm/swappiness").strip() == "10"
    assert "vm.swappiness = 10" in instance.run("cat /etc/sysctl.d/*.conf")


def test_swap_follows_its_setting_and_nothing_is_left_behind(instance: Instance) -> None:
    other = {"swap_size_mib": SWAP_MIB + 44, "swap_swappiness": 20}
    assert instance.converge("tasks/swap.py", **other).changed
    assert active_swap(instance)[SWAP] == SWAP_MIB + 44
    assert instance.run("cat /proc/sys/vm/swappiness").strip() == "20"
    assert instance.converge("tasks/swap.py", **other).changed == []
    assert instance.converge("tasks/swap.py").changed
    assert active_swap(instance)[SWAP] == SWAP_MIB
    assert instance.run("ls -A /swap.d").split() == [SWAP.rpartition("/")[2]]


def test_swap_that_somebody_turned_off_comes_back(instance: Instance) -> None:
    instance.run(f"swapoff {SWAP} && chmod 0644 {SWAP}")
    assert instance.converge("tasks/swap.py").changed
    assert active_swap(instance)[SWAP] == SWAP_MIB
    assert instance.run(f"stat -c %a {SWAP}").strip() == "600"


def test_swap_of_the_machine_itself_that_is_large_enough_is_respected(instance: Instance) -> None:
    instance.run(f"swapoff {SWAP}")
    own = f"{SWAP}-of-the-machine"
    instance.run(f"dd if=/dev/zero of={own} bs=1M count={SWAP_MIB} status=none && mkswap {own} && swapon {own} 2>&1")
    try:
        assert instance.converge("tasks/swap.py").changed == []
        assert SWAP not in active_swap(instance)
    finally:
        instance.run(f"swapoff {own} && rm {own}")
        instance.converge("tasks/swap.py")


def test_size_0_leaves_the_swap_alone(instance: Instance) -> None:
    assert instance.converge("tasks/swap.py", swap_size_mib=0).changed == []
    assert active_swap(instance)[SWAP] == SWAP_MIB


# --- Docker Engine ------------------------------------------------------------------------------

PACKAGES = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")
KEY = "/etc/apt/keyrings/docker.asc"
# gpg wants a home directory even where it reads a file only.
FINGERPRINTS = (
    "home=$(mktemp -d) && gpg --homedir $home --batch --no-options --show-keys --with-colons --with-fingerprint"
    f" {KEY} | awk -F: '$1 == \"fpr\" {{ print $10 }}'; rm -r $home"
)


def test_docker_comes_from_its_own_repository(instance: Instance) -> None:
    for package in PACKAGES:
        policy = instance.run(f"apt-cache policy {package}")
        assert "https://download.docker.com/linux/debian trixie/stable" in policy, package
        assert "Installed: (none)" not in policy, package
    assert not instance.succeeds("dpkg-query -W -f '${db:Status-Status}' docker.io | grep -qx installed")


def test_the_repository_is_named_in_the_form_of_deb822(instance: Instance) -> None:
    lines = instance.run("cat /etc/apt/sources.list.d/docker.sources").splitlines()
    assert f"Signed-By: {KEY}" in lines and "Suites: trixie" in lines
    assert not instance.succeeds("grep -rl download.docker.com /etc/apt/sources.list /etc/apt/sources.list.d/*.list")


def test_apt_is_content_with_its_sources(instance: Instance) -> None:
    answer = instance.server.run("apt-get update")
    assert not [line for line in (answer.stdout + answer.stderr).splitlines() if line.startswith(("W:", "E:"))]


def test_apt_trusts_exactly_the_pinned_key(instance: Instance) -> None:
    pinned = instance.world.internet.read("/identity/docker.fingerprint").strip()
    assert instance.run(FINGERPRINTS).split()[:1] == [pinned]
    assert instance.run(f"stat -c '%a %U' {KEY}").split() == ["644", "root"]


def test_a_key_that_is_not_the_pinned_one_is_replaced(instance: Instance) -> None:
    right = instance.run(FINGERPRINTS)
    # Debian's own: a key, but not Docker's.
    instance.run(f"cat $(ls /usr/share/keyrings/debian-archive-* | head -n 1) >{KEY}")
    assert instance.run(FINGERPRINTS) != right
    assert instance.converge("tasks/docker.py").changed
    assert instance.run(FINGERPRINTS) == right


def test_docker_runs_and_starts_at_boot(instance: Instance) -> None:
    assert instance.run("systemctl is-active docker.service containerd.service").split() == ["active"] * 2
    assert instance.run("systemctl is-enabled docker.service").strip() == "enabled"
    assert instance.succeeds("docker compose version && docker buildx version")


def test_the_daemon_runs_with_its_configuration(instance: Instance) -> None:
    told = instance.run("docker info --format '{{.LiveRestoreEnabled}} {{.LoggingDriver}}'")
    assert told.split() == ["true", "json-file"]


def test_a_containerd_that_has_ended_is_started_and_no_container_stops(instance: Instance) -> None:
    started = instance.started()
    instance.run("systemctl stop containerd.service")
    assert not instance.succeeds("docker exec $(docker ps --quiet | head -n 1) true")
    plan = instance.plan()
    assert "containerd, by which Docker reaches its containers, does not run" in plan.stderr
    assert instance.converge().changed == plan.planned == ["tasks/docker.py | Configure the Docker daemon"]
    assert instance.succeeds("docker exec $(docker ps --quiet | head -n 1) true")
    assert instance.started() == started and instance.converge().changed == []


def test_an_engine_that_does_not_answer_is_told_and_not_switched_off(instance: Instance) -> None:
    started = instance.started()
    instance.run("rm /run/docker.sock")
    try:
        said = instance.refusal()
        assert "does not answer" in said and "systemctl restart docker.socket docker.service" in said
        assert "disable" not in said and "Nothing was changed" in said
    finally:
        instance.run("systemctl restart docker.socket docker.service")
    wait_until("it answers", lambda: instance.succeeds("docker ps"), 30)
    # What holds the socket is made anew or restarted by its own unit; Mastodon goes on.
    instance.converge()
    assert {name: since for name, since in instance.started().items() if name.startswith("mstdn/")} == {
        name: since for name, since in started.items() if name.startswith("mstdn/")
    }


def test_logs_are_bounded_for_every_container_even_those_of_others(instance: Instance) -> None:
    with throw_away_container(instance) as container:
        limits = json.loads(instance.run(f"docker inspect --format '{{{{json .HostConfig.LogConfig}}}}' {container}"))
    assert limits["Config"] == {"max-size": "10m", "max-file": "3"}


def test_a_port_that_is_published_without_an_address_is_not_on_the_internet(instance: Instance) -> None:
    instance.run("docker network create throw-away")
    try:
        for network in ("bridge", "throw-away"):
            with throw_away_container(instance, f"--network {network} --publish 8099:80") as container:
                assert instance.run(f"docker port {container}").split()[-1] == "127.0.0.1:8099"
    finally:
        instance.run("docker network rm throw-away")


def test_a_changed_daemon_configuration_stops_no_container(instance: Instance) -> None:
    started = instance.started()
    for files in (4, 3):
        assert instance.converge("tasks/docker.py", docker_log_files=files).changed
        assert instance.converge("tasks/docker.py", docker_log_files=files).changed == []
        with throw_away_container(instance) as container:
            told = instance.run(f"docker inspect --format '{{{{json .HostConfig.LogConfig.Config}}}}' {container}")
        assert json.loads(told)["max-file"] == str(files)
    assert instance.started() == started


def test_the_members_of_the_group_docker_are_exactly_those_of_the_setting(instance: Instance) -> None:
    def members() -> str:
        return instance.run("getent group docker").strip().rpartition(":")[2]

    assert members() == ""
    assert instance.converge("tasks/docker.py", docker_users=["operator"]).changed
    assert members() == "operator"
    assert instance.converge("tasks/docker.py").changed
    assert members() == ""


def test_a_user_of_the_group_docker_that_does_not_exist_is_named(instance: Instance) -> None:
    assert "nobody-here" in instance.refusal("tasks/docker.py", docker_users=["nobody-here"])


def test_the_installed_version_may_be_pinned_and_another_one_cannot_be_had(instance: Instance) -> None:
    installed = instance.run("dpkg-query -W -f '${Version}' docker-ce").strip()
    assert instance.converge("tasks/docker.py", docker_version=installed).changed == []
    assert "5:99.0.0-1" in instance.refusal("tasks/docker.py", docker_version="5:99.0.0-1")


# --- Networks -----------------------------------------------------------------------------------


def network(instance: Instance, name: str) -> dict[str, Any]:
    (found,) = json.loads(instance.run(f"docker network inspect {name}"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("name", "internal"), [("front", False), ("back-mstdn", True)])
def test_the_networks_are_bridges_of_which_one_has_no_way_out(instance: Instance, name: str, internal: bool) -> None:
    found = network(instance, name)
    assert (found["Driver"], found["Internal"]) == ("bridge", internal)


@pytest.mark.parametrize(("service", "reaches"), [("db", False), ("redis", False), ("web", True), ("sidekiq", True)])
def test_only_what_speaks_to_other_servers_gets_out(instance: Instance, service: str, reaches: bool) -> None:
    """With a tool of the server in the service's own network."""
    process = instance.inspect("mstdn", service)["State"]["Pid"]
    attempt = f"nsenter --net --target {process} timeout 5 bash -c 'exec 3<>/dev/tcp/{INTERNET.ipv4}/443'"
    assert instance.succeeds(attempt) is reaches


def test_a_network_in_use_that_differs_is_explained_and_left_alone(instance: Instance) -> None:
    before = network(instance, "front")
    refusal = instance.refusal("tasks/networks.py", networks_ipv6=not before["EnableIPv6"])
    assert "IPv6" in refusal
    assert re.search(r"mstdn-nginx-\d", refusal) and "proxy-nginx-1" in refusal
    assert network(instance, "front") == before


def test_each_service_is_on_its_networks_and_no_other(instance: Instance) -> None:
    expected = {
        "mstdn/db": {"back-mstdn"},
        "mstdn/redis": {"back-mstdn"},
        "mstdn/streaming": {"back-mstdn"},
        "mstdn/web": {"back-mstdn", "mstdn_outbound"},
        "mstdn/sidekiq": {"back-mstdn", "mstdn_outbound"},
        "mstdn/nginx": {"back-mstdn", "front"},
        "proxy/nginx": {"front"},
        "proxy/docker-gen": {"proxy_control"},
        "proxy/acme-companion": {"proxy_control", "proxy_outbound"},
        "proxy/socket-proxy": {"proxy_control"},
    }
    assert {
        f"{project}/{service}": set(instance.inspect(project, service)["NetworkSettings"]["Networks"])
        for project, services in SERVICES.items()
        for service in services
    } == expected
