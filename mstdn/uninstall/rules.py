"""
What of a server is the suite's, and what is of others. Pure.

It follows from the layout, from the files of both projects, from the record of images and from the table of secrets:
what a component puts on a server is found there, and no second list is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mstdn.cleanup.facts import Image
from mstdn.docker.facts import Container
from mstdn.kernel.operations import BY_DEFAULT, OVERCOMMIT, OVERCOMMIT_FILE
from mstdn.layout import (
    ADOPTION,
    CACHE,
    DRILL,
    FIREWALL_RULES,
    FIREWALL_UNIT,
    MASTODON_PROJECT,
    MONITORING_PROJECT,
    NETWORKS,
    NOTES,
    POSTGRES_MOVE,
    PROGRAMS,
    PROXY_PROJECT,
    MastodonLayout,
    ProxyLayout,
)
from mstdn.proxy.project import proxy_project
from mstdn.secrets.table import MADE_ON_THE_SERVER
from mstdn.settings import Settings
from mstdn.swap.facts import SWAPPINESS_FILE

# The kernel's own value. Source: Documentation/admin-guide/sysctl/vm.rst.
SWAPPINESS_BY_DEFAULT = "60"
# Files that give the kernel's settings a value at each boot: the setting, and what it is without.
KERNEL_FILES = {SWAPPINESS_FILE: ("vm.swappiness", SWAPPINESS_BY_DEFAULT), OVERCOMMIT_FILE: (OVERCOMMIT, BY_DEFAULT)}
FIREWALL_DIRECTORY = FIREWALL_RULES.rpartition("/")[0]
# Made before the projects, or by a program: no project is named on them.
OWN_NETWORKS = (*NETWORKS, DRILL)
# Made by docker-gen and acme-companion in places where others have files too.
GENERATED = frozenset(("default.conf",))
LINKS = ("", ".crt", ".key", ".chain.pem", ".dhparam.pem")
COMPANIONS = frozenset(("default", "default.crt", "default.key", "dhparam.pem"))


def data_names(root: str) -> tuple[str, ...]:
    """Names in mastodon_root that an operator may have made links to a bigger disk."""
    layout = MastodonLayout(root)
    paths = (getattr(layout, name) for name, value in vars(MastodonLayout).items() if isinstance(value, property))
    return tuple(path.removeprefix(f"{root}/") for path in paths if path.count("/") == root.count("/") + 1)


def other_paths(settings: Settings) -> tuple[str, ...]:
    """What of the suite lies outside of both roots, but for the units, which say whose they are. The notes are last."""
    return (PROGRAMS, CACHE, FIREWALL_DIRECTORY, FIREWALL_UNIT, *KERNEL_FILES, settings.swap_path, NOTES)


def all_paths(settings: Settings) -> tuple[str, ...]:
    """Every path that is looked for."""
    return (settings.mastodon_root, settings.proxy_root, *other_paths(settings))


@dataclass(frozen=True)
class Things:
    """`ours` go. `theirs`: what stays although it is near, each with the reason."""

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()


def is_ours(container: Container, roots: Collection[str]) -> bool:
    """roots: mastodon_root and proxy_root, as they are set and without links."""
    name = container.name.lstrip("/")
    if name.startswith((f"{DRILL}-", POSTGRES_MOVE, ADOPTION)) and not container.project:
        return True
    if container.project == MONITORING_PROJECT:
        return container.directory in {MastodonLayout(root).monitoring for root in roots}
    return container.project in (MASTODON_PROJECT, PROXY_PROJECT) and container.directory in roots


def containers_of(containers: tuple[Container, ...], roots: Collection[str]) -> tuple[Container, ...]:
    """Those of the suite, and of the operator's own files beside its own."""
    return tuple(each for each in containers if is_ours(each, roots))


def networks_of(present: dict[str, str], containers: tuple[Container, ...], roots: Collection[str]) -> Things:
    """present: every network by its name, with its Compose project."""
    ours, theirs = [], []
    others = [each for each in containers if not is_ours(each, roots)]
    for network, project in present.items():
        if network not in OWN_NETWORKS and project not in (MASTODON_PROJECT, PROXY_PROJECT):
            continue
        if members := sorted(each.name.lstrip("/") for each in others if network in each.networks):
            theirs.append(f"the network {network}, because containers of others use it: {', '.join(members)}")
        else:
            ours.append(network)
    return Things(tuple(ours), tuple(theirs))


def images_of(
    images: tuple[Image, ...],
    wanted: Iterable[str],
    recorded: Iterable[str],
    containers: tuple[Container, ...],
    roots: Collection[str],
) -> Things:
    """
    What the suite has pulled or built.

    wanted: references of all images that the settings name. recorded: references that were pulled.
    """
    references = {_short(each) for each in (*wanted, *recorded)}
    used: dict[str, list[str]] = {}
    for each in containers:
        if not is_ours(each, roots):
            used.setdefault(each.image, []).append(each.name.lstrip("/"))
    ours, theirs = [], []
    for image in images:
        if not image.built and _short(image.name) not in references:
            continue
        if image.id in used:
            theirs.append(f"the image {image.name}, because containers of others use it: {', '.join(used[image.id])}")
        else:
            ours.append(image.name)
    return Things(tuple(dict.fromkeys(ours)), tuple(theirs))


def _short(reference: str) -> str:
    return reference.removeprefix("docker.io/").removeprefix("library/")


def files_of_others(
    entries: Iterable[tuple[str, str]], settings: Settings, names: Collection[str], written: Collection[str]
) -> tuple[str, ...]:
    """
    What in proxy_root is not the suite's, by paths relative to it.

    entries: what lies there, with the kind of each. names: that the proxy answers for. written: paths of files in
    vhost.d that say in their first line that the suite wrote them.
    """
    layout, project = ProxyLayout(settings.proxy_root), proxy_project(settings, ipv6=False)
    inside = f"{layout.root}/"
    known = (*(each.path for each in project.directories), *(each.path for each in project.files))
    tops = {path.removeprefix(inside).split("/")[0] for path in known}
    marked = {path.removeprefix(f"{layout.sites}/") for path in written}
    found: list[str] = []
    for path, kind in sorted(entries):
        top, _, rest = path.partition("/")
        directory, name = f"{inside}{top}", rest.rpartition("/")[2]
        if any(path.startswith(f"{each}/") for each in found) or _is_of_a_killed_run(path):
            continue
        if top not in tops:
            found.append(path)
        elif directory == layout.acme:
            # Certificates lie beside the account, each in a directory by its name; its own accounts lie under ca/HOST.
            if rest.count("/") == 1 and kind == "d" and "." in name and not rest.startswith("ca/"):
                found += [] if _is_of(name.removesuffix("_ecc"), names) else [path]
        elif rest and "/" not in rest and not _is_ours_in(directory, name, layout, names, marked):
            found.append(path)
    return tuple(found)


def _is_ours_in(
    directory: str, name: str, layout: ProxyLayout, names: Collection[str], marked: Collection[str]
) -> bool:
    """Whether a file that lies in one of the proxy's directories is the suite's; what others have none in all is."""
    if directory == layout.sites:
        return name in COMPANIONS or name in names or name in marked
    if directory == layout.certificates:
        return name in COMPANIONS or _is_of(name, names)
    if directory == layout.generated:
        return name in GENERATED
    return directory != layout.passwords


def _is_of(file: str, names: Collection[str]) -> bool:
    name = file.removeprefix("_test_")
    # As acme-companion names them: links to what lies in the directory of the name. A longer name is somebody else's.
    return name.startswith(".") or any(name == f"{each}{end}" for each in names for end in LINKS)


def _is_of_a_killed_run(path: str) -> bool:
    name = path.rpartition("/")[2]
    return (name.startswith(".") and name.endswith(".new")) or path == ".up.log"


def sites_of_others(containers: tuple[Container, ...], roots: Collection[str], names: Collection[str]) -> Iterator[str]:
    """Names of other sites behind the proxy, which visitors no longer reach."""
    for each in containers:
        if not is_ours(each, roots):
            for asked in each.asks:
                name = asked.partition("=")[2].strip()
                if name and name not in names:
                    yield f"{name} ({each.name.lstrip('/')})"


def irreplaceable() -> tuple[str, ...]:
    """The keys that no server can make again."""
    return tuple(name for name, secret in MADE_ON_THE_SERVER.items() if not secret.replaceable)


def consent(settings: Settings, noted: Mapping[str, str], going: Sequence[str]) -> str | None:
    """
    Why nothing is removed, with what to type; None where the right name was given.

    noted: what the server says of its instance (Installed), {} where it says nothing. going: what would go.
    """
    domain = settings.local_domain
    here = noted.get("LOCAL_DOMAIN", domain)
    if here != domain:
        return f"This server has the instance {here}, and local_domain is {domain}. Nothing was removed."
    if settings.yes == domain:
        return None
    said = f'"{settings.yes}" is not its name. ' if settings.yes else ""
    command = f"pyinfra inventory.py tasks/uninstall.py --data yes={domain}"
    backup = (
        f"A last backup goes to {settings.backup_repository} first; without one: {command} --data uninstall_backup=no"
        if settings.backup_repository
        else 'Backups are off, so nothing of it would be left anywhere: docs/runbook.md, "Backups by hand"'
    )
    return "\n".join(
        [
            f"{said}This removes {domain} from the server for ever: its posts, its accounts, and the keys that nobody "
            f"can make again ({', '.join(irreplaceable())}). If that is meant: {command}",
            f"{backup}.",
            "This would go:",
            *(f"- {each}" for each in going),
        ]
    )
