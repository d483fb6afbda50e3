"""What may be wrong with the engine that is here, and what the suite would do to whoever uses it. Pure."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mstdn.docker.configuration import Merged, keys_of_others, merged, parsed
from mstdn.docker.obstacles import default_address
from mstdn.docker.packages import DAEMON_JSON, ENGINE_PACKAGES, PACKAGES, PREREQUISITES
from mstdn.finding import Finding

if TYPE_CHECKING:
    from mstdn.docker.facts import Container, Engine, Setup
    from mstdn.preflight.facts import ServerReport
    from mstdn.settings import Settings

# The oldest that take what the suite's files say: start_interval of a health check wants Engine 25.0 (API 1.44) and
# Compose 2.24 (docker/compose#10939); default-network-opts of daemon.json and dockerd --validate are older.
OLDEST_ENGINE = (25, 0)
OLDEST_COMPOSE = (2, 24)
PLUGIN = "docker-compose-plugin"
# The states of a container that holds its ports.
ALIVE = ("running", "paused", "restarting")
DEFAULT_NETWORK = "bridge"


def findings(
    engine: Engine,
    setup: Setup,
    containers: Sequence[Container],
    settings: Settings,
    wanted: Mapping[str, Any],
    *,
    installed: bool,
) -> Iterator[Finding]:
    """
    What is in the way of the suite in this engine, and what of others would be in the suite's.

    wanted: the suite's part of daemon.json. installed: this server has an instance of the suite's already.
    """
    yield from _swarm(setup)
    yield from _versions(engine, setup, settings)
    yield from _held(engine, settings)
    yield from _users(engine, setup, settings, installed=installed)
    try:
        there, noted = parsed(setup.configuration), noted_configuration(setup)
    except ValueError as error:
        yield Finding("error", f"{DAEMON_JSON} is not valid: {error}. The engine does not start with it; correct it.")
        return
    yield from _left_over(keys_of_others(there, noted, dict(wanted)), setup)
    yield from _configuration(there, noted, setup)
    new = merged(there, noted, dict(wanted), setup.flags)
    yield from _publishers(there, new, containers)


def noted_configuration(setup: Setup) -> dict[str, Any] | None:
    """The suite's part of daemon.json as it was written last. A note that cannot be read is none."""
    try:
        return None if setup.noted is None else parsed(setup.noted)
    except ValueError:
        return None


def merged_configuration(setup: Setup, wanted: str) -> Merged:
    """What daemon.json shall hold, where findings() found nothing wrong. wanted: the suite's part, JSON."""
    return merged(parsed(setup.configuration), noted_configuration(setup), json.loads(wanted), setup.flags)


def unreadable_options(setup: Setup) -> str:
    """What to say where a variable of the unit cannot be read."""
    return (
        f"docker.service gives the engine options by the variable {setup.unreadable}, which cannot be read for "
        "certain, so nobody can tell whether the engine would start again. Write the options into ExecStart itself "
        "(systemctl edit docker.service: an empty ExecStart=, then the whole line), and systemctl daemon-reload."
    )


def _swarm(setup: Setup) -> Iterator[Finding]:
    if not setup.swarm:
        return
    stopped = ""
    if setup.configuration and re.search(r'"live-restore"\s*:\s*true', setup.configuration):
        stopped = (
            f' {DAEMON_JSON} has "live-restore": true, with which this engine cannot start: take it out first, and '
            "systemctl start docker."
        )
    yield Finding(
        "error",
        "The engine on this server is in Swarm mode, in which Docker does not start with live-restore, and without "
        "that it could not be restarted under a running Mastodon. If the swarm is not needed (docker node ls, docker "
        "service ls; its services end): docker swarm leave --force. If it is, use another server for Mastodon."
        + stopped,
    )


def _versions(engine: Engine, setup: Setup, settings: Settings) -> Iterator[Finding]:
    version = settings.docker_version or engine.packages.get("docker-ce", "")
    if version and numbers_of(version) < OLDEST_ENGINE:
        remedy = (
            "Set docker_version to a newer one, or to nothing."
            if settings.docker_version
            else "On the server: apt-get update && apt-get install --only-upgrade docker-ce docker-ce-cli containerd.io"
            " (running containers stop for a moment)."
        )
        yield Finding(
            "error", f"Docker Engine {version} is too old: the suite needs {_listed(OLDEST_ENGINE)}. {remedy}"
        )
    plugin = engine.packages.get(PLUGIN, "")
    if plugin and numbers_of(plugin) < OLDEST_COMPOSE:
        yield Finding(
            "error",
            f"Docker Compose {plugin} is too old: the suite needs {_listed(OLDEST_COMPOSE)}. On the server: apt-get "
            f"update && apt-get install --only-upgrade {PLUGIN}",
        )
    for path, found in setup.composes.items():
        if numbers_of(found) < OLDEST_COMPOSE:
            yield Finding(
                "error",
                f"{path} (Compose {found or 'of an unknown version'}) goes before the one of Docker's packages, and is "
                f"too old: the suite needs {_listed(OLDEST_COMPOSE)}. Move it away: mv {path} /root/",
            )


def numbers_of(version: str) -> tuple[int, int]:
    """ "5:26.1.5-1~debian.13~trixie" → (26, 1)."""
    found = re.match(r"(?:\d+:)?v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _listed(numbers: Iterable[int]) -> str:
    return ".".join(map(str, numbers)) + " or newer"


def _held(engine: Engine, settings: Settings) -> Iterator[Finding]:
    changes = [
        name
        for name in (*PREREQUISITES, *PACKAGES)
        if name not in engine.packages
        or (name in ENGINE_PACKAGES and settings.docker_version not in ("", engine.packages[name]))
    ]
    if held := [name for name in changes if name in engine.held]:
        names = " ".join(held)
        yield Finding(
            "error",
            f"apt may not touch {', '.join(held)}: held by apt-mark hold, but the suite has to install "
            f"{'it' if len(held) == 1 else 'them'}. On the server: apt-mark unhold {names}. Or install by hand what "
            "you want to keep, and set docker_version to it.",
        )


def _users(engine: Engine, setup: Setup, settings: Settings, *, installed: bool) -> Iterator[Finding]:
    for user in settings.docker_users:
        if user in setup.strangers:
            yield Finding(
                "error",
                f"docker_users names {user}, but this server has no such user. On the server: adduser {user}; or take "
                "the name out of docker_users.",
            )
    others = sorted((engine.members or frozenset()) - frozenset(settings.docker_users))
    if others and not installed:
        everybody = json.dumps(sorted({*others, *settings.docker_users}))
        yield Finding(
            "error",
            f"{', '.join(others)} may use Docker on this server (group docker), and docker_users, which says who may, "
            f"does not name {'them' if len(others) > 1 else 'this user'}. They are root on it that way. Decide: "
            f"docker_users = {everybody}; or on the server: "
            + " && ".join(f"gpasswd --delete {user} docker" for user in others),
        )


def _configuration(there: dict[str, Any], noted: dict[str, Any] | None, setup: Setup) -> Iterator[Finding]:
    if setup.link:
        yield Finding(
            "error",
            f"{DAEMON_JSON} is a link to {setup.link}, and the suite would have to replace it. Put the file itself "
            f"there: cp --remove-destination {setup.link} {DAEMON_JSON}",
        )
    if setup.unreadable:
        yield Finding("error", unreadable_options(setup))
    both = re.findall(r"([a-z-]+): \(from flag", setup.invalid)
    # Where it is the suite's own key that somebody has made an option of the unit since, it is taken out.
    if setup.invalid and not (both and set(both) <= set(noted or {})):
        yield Finding(
            "error",
            f"Docker would not start again with what {DAEMON_JSON} and its unit say now. Correct one of them "
            f"(systemctl cat docker.service). In its own words: {setup.invalid}",
        )
    yield from _another_file(setup)
    yield from _without_live_restore(setup)
    yield from _without_forwarding(there, setup)
    yield from _networks_without_a_way(there, setup)
    if there.get("iptables") is False or _is_off("iptables", setup):
        yield Finding(
            "error",
            "Docker may not make firewall rules here (iptables: false), so nothing that it runs reaches the Internet, "
            f'and Mastodon has to. Take "iptables" out of {DAEMON_JSON} (or --iptables out of its unit), and systemctl '
            "restart docker.",
        )
    if there.get("userns-remap") or any(flag.startswith("--userns-remap") for flag in setup.flags):
        yield Finding(
            "error",
            "Docker gives all containers other users here (userns-remap), so Mastodon and PostgreSQL could not read "
            f"their own files under mastodon_root. Take userns-remap out of {DAEMON_JSON} if the other containers can "
            "do without it (Docker then starts with none of its present images and containers); or use another server.",
        )


def _left_over(keys: Sequence[str], setup: Setup) -> Iterator[Finding]:
    """What an engine that is still to be installed would have to start with, and nobody can judge before."""
    if not setup.absent:
        return
    told = [f"{DAEMON_JSON} ({', '.join(keys)})"] if keys else []
    files = ([DAEMON_JSON] if keys else []) + list(setup.leftovers)
    if files:
        yield Finding(
            "error",
            f"Docker is not installed here, but {' and '.join([*told, *setup.leftovers])} would tell it how to start, "
            "and an engine that does not start with it is left half installed. Move it away: mv "
            f"{' '.join(files)} /root/{' && systemctl daemon-reload' if setup.leftovers else ''}. Or, if it shall be "
            "in force, install Docker first (https://docs.docker.com/engine/install/): the suite then joins it.",
        )


def _value_of(option: str, setup: Setup) -> str | None:
    """What the unit gives the daemon for an option: "" for one without a value, None where it is not given."""
    for at, flag in enumerate(setup.flags):
        name, is_joined, value = flag.partition("=")
        if name == f"--{option}":
            following = setup.flags[at + 1 : at + 2]
            return value if is_joined else "".join(each for each in following if not each.startswith("-"))
    return None


def _is_off(option: str, setup: Setup) -> bool:
    """Whether the unit says no to an option, in one of the words that Go's strconv.ParseBool takes for that."""
    return f"{_value_of(option, setup)}".lower() in ("false", "f", "0")


def _another_file(setup: Setup) -> Iterator[Finding]:
    file = _value_of("config-file", setup)
    if file is not None and file != DAEMON_JSON:
        yield Finding(
            "error",
            f"docker.service has the engine read {file} (--config-file), so it would never see the suite's part of "
            f"{DAEMON_JSON}. Put your file there (cp {file} {DAEMON_JSON}), and take the option out of the unit: "
            "systemctl edit --full docker.service, then systemctl daemon-reload, and restart docker in a quiet moment.",
        )


def _without_live_restore(setup: Setup) -> Iterator[Finding]:
    if _is_off("live-restore", setup):
        yield Finding(
            "error",
            "docker.service says --live-restore=false, and without live-restore the engine could not be restarted, or "
            "upgraded, under a running Mastodon. Take the option out of the unit: systemctl edit --full "
            "docker.service, then systemctl daemon-reload, and restart docker in a quiet moment.",
        )


def _without_forwarding(there: dict[str, Any], setup: Setup) -> Iterator[Finding]:
    if setup.forwarding:
        return
    told = there.get("ip-forward") is False or _is_off("ip-forward", setup)
    # With nftables the engine never switches it on, and makes no network without it.
    by_nftables = "nftables" in (there.get("firewall-backend"), _value_of("firewall-backend", setup))
    if told or by_nftables:
        why = '"ip-forward": false' if told else '"firewall-backend": "nftables"'
        yield Finding(
            "error",
            "The kernel passes no packets on (net.ipv4.ip_forward is 0), so nothing in a container reaches the "
            f"Internet, and with {why} Docker does not change that. On the server: echo net.ipv4.ip_forward=1 "
            ">/etc/sysctl.d/60-forwarding.conf && sysctl --system",
        )


# Options of networks with which one has no way in or out. Values that do no harm by their names.
# Source: https://docs.docker.com/engine/network/drivers/bridge/#options
NEEDED_OF_NETWORKS: Mapping[str, tuple[str, ...]] = {
    "com.docker.network.bridge.enable_ip_masquerade": ("true", "t", "1"),
    "com.docker.network.bridge.enable_icc": ("true", "t", "1"),
    "com.docker.network.bridge.gateway_mode_ipv4": ("nat", "nat-unprotected"),
}


def _networks_without_a_way(there: dict[str, Any], setup: Setup) -> Iterator[Finding]:
    options = there.get("default-network-opts")
    of_bridges = options.get("bridge") if isinstance(options, dict) else None
    found = {key: str(value) for key, value in of_bridges.items()} if isinstance(of_bridges, dict) else {}
    for at, flag in enumerate(setup.flags):
        words = flag if "=" in flag else f"{flag}={''.join(setup.flags[at + 1 : at + 2])}"
        if words.startswith("--default-network-opt=bridge="):
            key, _, value = words.removeprefix("--default-network-opt=bridge=").partition("=")
            found[key] = value
    for key, good in NEEDED_OF_NETWORKS.items():
        if key in found and found[key].lower() not in good:
            yield Finding(
                "error",
                f"Docker gives each new network {key} = {found[key]} here (default-network-opts), with which "
                "containers would reach neither the Internet nor each other, and Mastodon has to. Take it out of "
                f"{DAEMON_JSON} (or of the unit), systemctl restart docker, and give it to your own networks where "
                "they are made: docker network create --opt, or driver_opts.",
            )


def _publishers(there: dict[str, Any], new: Merged, containers: Sequence[Container]) -> Iterator[Finding]:
    """Containers that are reached from outside now, and would not be any more."""
    address = default_address(new.configuration)
    if ipaddress.ip_address(address).is_unspecified:
        return
    joining = there.get("ip") != address
    for container in containers:
        ports = sorted({each.port for each in container.anywhere})
        held, by_default = bool(container.published), DEFAULT_NETWORK in container.networks
        # Nobody can tell of one that is stopped whether it was ever reached from outside since the engine was joined.
        if not ports or not (joining or (held and by_default)):
            continue
        when = (
            ("the engine or the server restarts" if held else "it is started again")
            if by_default
            else "its network is made anew (docker compose down, and up)"
        )
        stopped = "" if held else f" It does not run now; if nobody needs it any more: docker rm {container.name}"
        listed = " and ".join(map(str, ports))
        yield Finding(
            "error" if joining else "warning",
            f"The container {container.name} publishes port {listed} without an address, that is, to everybody. "
            f'docker_bind_address = "{address}" makes that {address} as soon as {when}, and nobody outside would reach '
            f'it any more. If it shall stay reachable: docker_bind_address = "0.0.0.0", or say it in its ports '
            f"(0.0.0.0:{ports[0]}:…).{stopped}",
        )


def other_engines(report: ServerReport) -> Iterator[Finding]:
    """Engines beside which Docker's own cannot be."""
    others = sorted(report.packages - {"docker-ce", "snap:docker"})
    # Where docker-ce is installed, apt has already seen to it that nothing is in its way.
    if others and "docker-ce" not in report.packages:
        yield Finding(
            "error",
            f"Docker is here in the distribution's own packages ({', '.join(others)}), beside which Docker's cannot "
            f"be installed. Remove them: apt-get remove {' '.join(others)}. What is in /var/lib/docker stays.",
        )
    if "snap:docker" in report.packages:
        yield Finding(
            "error",
            "Docker is here as a snap, and two engines would fight over the same ports and networks. Save what its "
            "containers hold, then: snap remove --purge docker",
        )


def other_projects(report: ServerReport, containers: Sequence[Container], settings: Settings) -> Iterator[Finding]:
    """Compose projects of somebody else that have the names of the suite's."""
    roots = {"proxy": settings.proxy_root, "mstdn": settings.mastodon_root}
    for project, root in roots.items():
        directories = {each.directory for each in containers if each.project == project}
        for directory in sorted(directories - {root, *report.directories}):
            yield Finding(
                "error",
                f"Another Compose project is called {project} (in {directory}), as the suite's own in {root} must "
                f"be. Rename it, or take it down: docker compose --project-directory {directory} down",
            )
