"""Versions of Docker Engine and Compose that are too old, and packages that apt may not touch. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mstdn.docker.packages import ENGINE_PACKAGES, PACKAGES, PREREQUISITES
from mstdn.finding import Finding

if TYPE_CHECKING:
    from mstdn.docker.facts import Engine, Setup
    from mstdn.settings import Settings

# The oldest that take what the suite's files say: start_interval of a health check wants Engine 25.0 (API 1.44) and
# Compose 2.24 (docker/compose#10939); default-network-opts of daemon.json and dockerd --validate are older.
OLDEST_ENGINE = (25, 0)
OLDEST_COMPOSE = (2, 24)
PLUGIN = "docker-compose-plugin"


def too_old(engine: Engine, setup: Setup, settings: Settings) -> Iterator[Finding]:
    """An engine or a Compose that does not take what the suite's files say."""
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


def held(engine: Engine, settings: Settings) -> Iterator[Finding]:
    """Packages that the suite has to install and apt may not touch."""
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
