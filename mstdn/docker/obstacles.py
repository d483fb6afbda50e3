"""
What in an engine that is here would end a run in its middle, although its configuration is sound. Pure.

Beside rules.py, which judges configuration, versions and users.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mstdn.docker.configuration import parsed
from mstdn.docker.packages import DAEMON_JSON
from mstdn.finding import Finding

if TYPE_CHECKING:
    from mstdn.docker.facts import Engine, Setup

# front and back-mstdn, the two ways out, and that between the proxy's own; one more is the engine's own.
NETWORKS_OF_THE_SUITE = 5
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 (Docker's own default)


def findings(engine: Engine, setup: Setup, packages: Iterable[str], *, installed: bool) -> Iterator[Finding]:
    """
    packages: those on the server that bring an engine, of whomever. installed: this server has an instance already.
    """
    yield from _masked(engine)
    yield from _of_no_package(engine, setup, packages)
    yield from _elsewhere(setup)
    if not installed:
        yield from _few_networks(setup)


def ipv6_findings(setup: Setup, *, ipv6: bool) -> Iterator[Finding]:
    """ipv6: containers are reached by IPv6 here, or will be."""
    off = [flag for flag in setup.flags if flag.lower() in ("--ip6tables=false", "--ip6tables=f", "--ip6tables=0")]
    if ipv6 and (_configuration(setup).get("ip6tables") is False or off):
        yield Finding(
            "warning",
            "Docker may not make firewall rules for IPv6 here (ip6tables: false), so all visitors by IPv6 have one "
            "address for Mastodon, which slows them down as one, and containers reach nobody by IPv6. Take "
            f'"ip6tables" out of {DAEMON_JSON} (or --ip6tables out of its unit), and systemctl restart docker; or set '
            "networks_ipv6 = False. If you make such rules yourself, leave it.",
        )


def default_address(configuration: Mapping[str, Any]) -> str:
    """
    Where a port is published that does not say where, by a daemon.json. What the engine could not read, it refuses in
    words of its own; an empty text is its default.
    """
    try:
        return str(ipaddress.ip_address(str(configuration.get("ip", EVERY_ADDRESS))))
    except ValueError:
        return EVERY_ADDRESS


def _masked(engine: Engine) -> Iterator[Finding]:
    if engine.masked:
        units = " ".join(engine.masked)
        yield Finding(
            "error",
            f"{' and '.join(engine.masked)} {'is' if len(engine.masked) == 1 else 'are'} masked, so Docker cannot be "
            f"started. On the server: systemctl unmask {units}",
        )


def _of_no_package(engine: Engine, setup: Setup, packages: Iterable[str]) -> Iterator[Finding]:
    if setup.program and "docker-ce" not in engine.packages and not list(packages):
        yield Finding(
            "error",
            f"Docker is here ({setup.program}), but no package has brought it, and the one that the suite installs "
            "would fight with it over the same files and containers. Install Docker's packages in its place "
            "(https://docs.docker.com/engine/install/; what is in /var/lib/docker stays), or remove it: systemctl "
            f"disable --now docker.service docker.socket; rm {setup.program}",
        )


def _elsewhere(setup: Setup) -> Iterator[Finding]:
    if setup.elsewhere:
        how, _, where = setup.elsewhere.partition(" ")
        remedy = "docker context use default" if how == "context" else "take DOCKER_HOST out of /etc/environment"
        yield Finding(
            "error",
            f"Root's docker commands go to {where} ({how}) and not to the engine of this server, and so would all that "
            f"the suite does. On the server, as root: {remedy}",
        )


def _few_networks(setup: Setup) -> Iterator[Finding]:
    configuration = _configuration(setup)
    pools = configuration.get("default-address-pools")
    named = [each for each in pools if isinstance(each, dict)] if isinstance(pools, list) else []
    told = [(each.get("base"), each.get("size")) for each in named]
    for at, flag in enumerate(setup.flags):
        name, is_joined, value = flag.partition("=")
        if name == "--default-address-pool":
            text = value if is_joined else "".join(setup.flags[at + 1 : at + 2])
            words = dict(re.findall(r"(base|size)=([^,]+)", text))
            told.append((words.get("base"), words.get("size")))
    room = sum(map(_subnets, told))
    needed = NETWORKS_OF_THE_SUITE + (not configuration.get("bip"))
    if 0 < room < needed:
        yield Finding(
            "error",
            f"Docker may give addresses to {room} networks only (default-address-pools), and the suite makes "
            f"{NETWORKS_OF_THE_SUITE} beside the engine's own. Let it cut smaller pieces or name a wider range in "
            f'{DAEMON_JSON}: "default-address-pools": [{{"base": "172.17.0.0/12", "size": 24}}], and systemctl restart '
            "docker.",
        )


def _subnets(pool: tuple[Any, Any]) -> int:
    """How many networks of IPv4 get addresses from a pool, 0 where it has none or cannot be read."""
    try:
        base, size = ipaddress.ip_network(str(pool[0]), strict=False), int(pool[1])
    except (TypeError, ValueError):
        return 0
    fits = base.version == 4 and base.prefixlen <= size <= base.max_prefixlen
    return 2 ** (size - base.prefixlen) if fits else 0


def _configuration(setup: Setup) -> dict[str, Any]:
    try:
        return parsed(setup.configuration)
    except ValueError:
        return {}
