"""What daemon.json and the unit of the engine say, and what of it the suite cannot work with. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mstdn.docker.packages import DAEMON_JSON
from mstdn.finding import Finding

if TYPE_CHECKING:
    from mstdn.docker.facts import Setup


def unreadable_options(setup: Setup) -> str:
    """What to say where a variable of the unit cannot be read."""
    return (
        f"docker.service gives the engine options by the variable {setup.unreadable}, which cannot be read for "
        "certain, so nobody can tell whether the engine would start again. Write the options into ExecStart itself "
        "(systemctl edit docker.service: an empty ExecStart=, then the whole line), and systemctl daemon-reload."
    )


def refused(there: dict[str, Any], noted: dict[str, Any] | None, setup: Setup) -> Iterator[Finding]:
    """What the engine is told by daemon.json (`there`; `noted`: the suite's part of it) and by its unit."""
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


def left_over(keys: Sequence[str], setup: Setup) -> Iterator[Finding]:
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
