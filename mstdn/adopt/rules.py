"""What becomes of each part of an instance that was set up by hand, once it is taken over. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mstdn.adopt.facts import MADE_BY_MASTODON, Old
from mstdn.docker.neighbours import DEFAULT_NETWORK
from mstdn.docker.rules import ALIVE
from mstdn.finding import Finding
from mstdn.layout import ADOPTION_NOTE, ADOPTION_WAY_BACK, PROXY_PROJECT
from mstdn.proxy.neighbours import DEAD_IMAGES, PROXY_IMAGES

if TYPE_CHECKING:
    from mstdn.docker.facts import Container
    from mstdn.preflight.facts import Listener
    from mstdn.settings import Settings

VERB = "pyinfra inventory.py tasks/adopt.py"
MARGIN_MIB = 512
MASTODON_IMAGES = ("ghcr.io/mastodon/mastodon", "tootsuite/mastodon")
WRITERS = ("web", "streaming", "sidekiq")
# In these phases the old instance does not serve any more, and what a run does is to finish.
UNDER_WAY = ("stopped", "switching", "carried")


@dataclass(frozen=True)
class Leaving:
    """A container that is retired. `restart`: its restart policy. `role`: one of the old project's, or "proxy"."""

    id: str
    name: str
    restart: str
    role: str


def leaving(old: Old, containers: Sequence[Container], roots: Collection[str]) -> tuple[Leaving, ...]:
    """
    The old instance's containers that are at work, and the old proxies.

    containers: all of the engine. roots: mastodon_root and proxy_root, as they are set and without links.
    """
    mine = [each for each in old.containers if each.status in ALIVE]
    members = {each.id for each in old.containers}
    proxies = [each for each in containers if each.id not in members and _is_old_proxy(each, old, roots)]
    return (
        *(Leaving(each.id, each.name, each.restart, each.role) for each in mine),
        *(Leaving(each.id, each.name, restart_policy(each), "proxy") for each in proxies),
    )


def restart_policy(container: Container) -> str:
    """ "always", "unless-stopped", "on-failure" or "no"."""
    restart = (json.loads(container.making) if container.making else {}).get("restart") or {}
    return str(restart.get("Name") or "no")


def _is_old_proxy(container: Container, old: Old, roots: Collection[str]) -> bool:
    if container.status not in ALIVE or (container.project == PROXY_PROJECT and container.directory in roots):
        return False
    image = container.reference.removeprefix("docker.io/").partition("@")[0].partition(":")[0]
    return image in DEAD_IMAGES or image in PROXY_IMAGES or container.id in old.proxies


def others(containers: Sequence[Container], gone: Collection[str]) -> tuple[Container, ...]:
    """
    Those that preflight has to look at: all but the ones that are retired.

    One on Docker's default network stays among them: it would lose its ports when the engine restarts, before its time.
    """
    return tuple(each for each in containers if each.id not in gone or DEFAULT_NETWORK in each.networks)


def remaining(
    listeners: Sequence[Listener], containers: Sequence[Container], gone: Collection[str]
) -> tuple[Listener, ...]:
    """Who holds the proxy's ports and is not retired."""
    ports = {each.port for container in containers if container.id in gone for each in container.published}
    return tuple(
        each
        for each in listeners
        if each.port not in ports and not (each.owner and any(identity.startswith(each.owner) for identity in gone))
    )


def not_the_suites(containers: Sequence[Container], roots: Collection[str]) -> Iterator[Finding]:
    """What a first deployment is told where a Mastodon runs already."""
    for container in containers:
        image = container.reference.removeprefix("docker.io/").partition(":")[0]
        if image in MASTODON_IMAGES and container.status in ALIVE and container.directory not in roots:
            yield Finding(
                "warning",
                f"A Mastodon runs here that is not the suite's (the container {container.name}, "
                f"{container.reference}). "
                "If it is to become the suite's, with its posts and keys, leave it as it is, whatever else is said: "
                f"{VERB} tells how.",
            )
            return


def unfinished(phase: str, domain: str) -> Iterator[Finding]:
    """What any other run is told while a take-over is under way. phase: of its note, "" without one."""
    if phase in ("", "finished"):
        return
    give_up = (
        f" To leave it be instead, while the old instance still serves: rm {ADOPTION_NOTE}" if phase == "begun" else ""
    )
    yield Finding(
        "error",
        f"The take-over of the instance of before was begun and is not finished ({phase}). Finish it: {VERB} --data "
        f"yes={domain}.{give_up}",
    )


def needed_mib(old: Old) -> int:
    """Free space in mastodon_root: for a dump, a second database and Redis' jobs, and media that cannot be linked."""
    database = old.database[1] // 1024**2 if old.database else 0
    jobs = old.redis[1] // 1024**2 if old.redis else 0
    media = old.media.kib // 1024 if old.media and not old.media.links else 0
    return database * 3 // 2 + jobs + media + MARGIN_MIB


def carried_keys(old: Old) -> tuple[str, ...]:
    """The names of the keys that are taken over. A pair of which one is missing or odd is made anew."""
    groups: dict[str, list[str]] = {}
    for secret in MADE_BY_MASTODON:
        groups.setdefault(secret.group or secret.name, []).append(secret.name)
    return tuple(name for names in groups.values() if old.good.issuperset(names) for name in names)


def note(old: Old, gone: Sequence[Leaving], containers: Sequence[Container], settings: Settings, now: int) -> str:
    """
    The text that the server notes of a take-over that begins.

    containers: all of the engine. now: seconds since the epoch.
    """
    ids = {each.id for each in gone}
    places = [(old.project, old.directory), *((each.project, each.directory) for each in containers if each.id in ids)]
    variables: Mapping[str, str] = old.variables
    lines = {
        "phase": "begun",
        "begun": str(now),
        "domain": settings.local_domain,
        "project": old.project,
        "directory": old.directory,
        "version": old.version,
        "user": variables.get("DB_USER") or "mastodon",
        "database": variables.get("DB_NAME") or "mastodon_production",
        "proxy": settings.proxy_root,
        "media": old.media.path if old.media else "",
        "owner": old.media.owner if old.media else "",
        "writers": " ".join(each.id for each in gone if each.role in WRITERS),
        "fronts": " ".join(each.id for each in gone if each.role == "nginx"),
    }
    return "".join(
        [
            *(f"{key} {value}\n" for key, value in lines.items() if value),
            *(f"compose {project}\t{place}\n" for project, place in dict.fromkeys(places) if project and place),
            *(f"container {each.id}\t{each.restart}\t{each.name}\t{each.role}\n" for each in gone),
        ]
    )


def way_back(old: Old) -> str:
    """What to type on the server to go back, and to forget the old one."""
    directory = f", and of {old.note['directory']} postgres, redis and public/system" if "directory" in old.note else ""
    ids = " ".join(identity[:12] for identity in old.listed)
    return (
        f"To go back, on the server: sh {ADOPTION_WAY_BACK} (what was posted since is then not there). When nothing "
        f"has been missing for a while, the old containers may go: docker rm {ids}{directory}"
    )
