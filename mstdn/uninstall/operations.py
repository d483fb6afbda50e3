"""Everything of the suite goes from a server, step by step; what is cut off is finished by the next run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyinfra import host
from pyinfra.api import Host

from mstdn.asking import ask
from mstdn.backup.operations import UNIT as BACKUP
from mstdn.cleanup.facts import Images
from mstdn.database.facts import Installed
from mstdn.database.rules import Work, work
from mstdn.docker.facts import Container, Containers
from mstdn.fact import Question
from mstdn.files.commands import Step, file_step, put, put_file
from mstdn.files.operations import written_in
from mstdn.firewall.facts import FirewallSetup, PacketFilter
from mstdn.firewall.operations import THE_TABLE
from mstdn.firewall.own import is_here
from mstdn.images.facts import RecordedImages
from mstdn.images.references import all_images
from mstdn.layout import (
    DEPLOYMENT,
    FIREWALL_NOTE,
    FIREWALL_RULES,
    FIREWALL_UNIT,
    NOTES,
    ROOT,
    UNINSTALL_NOTE,
    UNITS,
    MastodonLayout,
    ProxyLayout,
)
from mstdn.operation import announce, operation
from mstdn.postgres.facts import DataDirectories
from mstdn.preflight import question_about_the_server
from mstdn.refusal import refuse
from mstdn.settings import Settings, settings_for
from mstdn.shell import Commands, script
from mstdn.storage.operations import places_question
from mstdn.storage.rules import findings
from mstdn.swap.facts import SWAPPINESS_FILE, SwapState
from mstdn.timers.following import followed
from mstdn.uninstall.facts import FilesThere, NetworksThere, Remains
from mstdn.uninstall.rules import (
    FIREWALL_DIRECTORY,
    KERNEL_FILES,
    Things,
    all_paths,
    consent,
    containers_of,
    data_names,
    files_of_others,
    images_of,
    networks_of,
    other_paths,
    sites_of_others,
)

NOTHING = "there is nothing of the suite on this server to remove"


def uninstall_questions(at: Host) -> Iterator[Question[Any]]:
    """What the operations here ask, so that all of it travels together."""
    settings = settings_for(at)
    yield question_about_the_server(settings)
    yield Containers.all()
    yield FilesThere.of(settings.proxy_root, (*all_paths(settings), UNINSTALL_NOTE))
    yield written_in(UNITS)
    yield written_in(ProxyLayout(settings.proxy_root).sites)
    yield Installed.of(*_installed(settings))
    yield places_question(settings)
    yield NetworksThere.all()
    yield RecordedImages.of(MastodonLayout(settings.mastodon_root).images)
    yield Images.all()
    yield PacketFilter.of_the_server()
    yield FirewallSetup.of_the_server()
    yield DataDirectories.under(settings.mastodon_root)
    yield SwapState.of(settings.swap_path)


@operation
def consented_uninstall(settings: Settings) -> Commands:
    """
    Refuse unless the name of the instance was given, and list what goes and what stays.

    Nothing is changed yet. Where nothing of the suite is left, there is nothing to consent to.
    """
    going = list(_going(settings))
    if not going:
        announce(NOTHING)
        host.noop(NOTHING)
        return
    installed = ask(Installed.of(*_installed(settings)))
    if text := consent(settings, installed, going):
        yield from refuse(text)
        return
    if text := _unmounted(settings):
        yield from refuse(text)
        return
    if ask(DataDirectories.under(settings.mastodon_root)).working:
        yield from refuse("The database moves into a new data directory at this moment. Wait until that has ended.")
        return
    if work(installed) is Work.AT_WORK:
        yield from refuse(f"A deployment is at work. Wait until it has ended: journalctl --follow --unit {DEPLOYMENT}")
        return
    announce("This goes:", *(f"- {each}" for each in going))
    announce("This stays:", *(f"- {each}" for each in _staying(settings)))
    host.noop("the name was given")


@operation
def last_backup(settings: Settings) -> Commands:
    """Ensure a last backup, where backups are on and wanted, and the note that the removal has begun."""
    if not list(_going(settings)):
        host.noop(NOTHING)
        return
    if UNINSTALL_NOTE in _files(settings).there:
        host.noop("an earlier run has begun")
        return
    if "MASTODON_VERSION" not in ask(Installed.of(*_installed(settings))):
        announce("no instance is installed here, so there is nothing to back up")
    elif not settings.backup_repository:
        announce("backups are off, so nothing of the instance is kept")
    elif settings.uninstall_backup == "no":
        announce("no last backup is made: uninstall_backup is no")
    elif f"{UNITS}/{BACKUP}" not in _units():
        yield from refuse(
            "Backups are on, but not installed on the server yet. Deploy first (pyinfra inventory.py deploy.py), or "
            "remove all of it without a last backup: --data uninstall_backup=no"
        )
        return
    else:
        announce(f"a last backup goes to {settings.backup_repository}; without it: --data uninstall_backup=no")
        yield followed(BACKUP, "The backup")
    note = file_step(UNINSTALL_NOTE, ROOT, "0644", settings.local_domain)
    yield put([Step("directory", NOTES, ROOT, "0755"), note])


@operation
def removed_units() -> Commands:
    """Ensure that nothing of the suite runs by itself any more."""
    if units := _units():
        yield script("timers/disable", *units)


@operation
def removed_containers(settings: Settings) -> Commands:
    """Ensure that the engine has no container, network or image of the suite; what others use stays."""
    if ours := _containers(settings):
        yield script("uninstall/remove_containers", *(each.id for each in ours))
    if networks := _networks(settings).ours:
        yield script("uninstall/remove_networks", *networks)
    if images := _images(settings).ours:
        yield script("cleanup/remove_images", *images)


@operation
def removed_directories(settings: Settings) -> Commands:
    """Ensure that both roots are gone, but for files of others in the proxy's."""
    files, theirs = _files(settings), _theirs(settings)
    if settings.mastodon_root in files.there:
        names = data_names(settings.mastodon_root)
        # From here on nobody can keep it any more: preflight tells whoever deploys now.
        yield put_file(UNINSTALL_NOTE, ROOT, "0644", f"{settings.local_domain}\ndata")
        yield script("uninstall/remove_root", settings.mastodon_root, *names, stdin="", told=True)
    if _proxy_is_to_go(files, theirs, settings):
        yield script("uninstall/remove_root", settings.proxy_root, stdin="\n".join(theirs), told=True)


@operation
def removed_machine(settings: Settings) -> Commands:
    """Ensure that the server has no firewall, swap, kernel setting, program or note of the suite."""
    files = _files(settings)
    if is_here(ask(PacketFilter.of_the_server()), ask(FirewallSetup.of_the_server())):
        firewall = (f"{FIREWALL_RULES}.new", FIREWALL_RULES, FIREWALL_NOTE, FIREWALL_UNIT)
        yield script("firewall/remove", THE_TABLE, *firewall)
    swap = ask(SwapState.of(settings.swap_path))
    # The suite's own where it says how readily it is used: that file goes last.
    if SWAPPINESS_FILE in files.there and (swap.file_bytes is not None or swap.in_fstab):
        yield script("swap/remove", swap.path or settings.swap_path, settings.swap_path)
    for path, (name, otherwise) in KERNEL_FILES.items():
        if path in files.there:
            yield script("kernel/forget", path, name, otherwise)
    kept = {settings.swap_path, FIREWALL_UNIT, *KERNEL_FILES}
    # The notes are last: as long as they are there, a later run knows that it is not through.
    if gone := [path for path in other_paths(settings) if path in files.there and path not in kept]:
        yield script("files/remove", *gone)


def _files(settings: Settings) -> Remains:
    return ask(FilesThere.of(settings.proxy_root, (*all_paths(settings), UNINSTALL_NOTE)))


def _installed(settings: Settings) -> tuple[str, str]:
    layout = MastodonLayout(settings.mastodon_root)
    return layout.installed, layout.database


def _unmounted(settings: Settings) -> str:
    """What is wrong where the instance lies on a volume that is not there: the data would be left without a word."""
    if UNINSTALL_NOTE in _files(settings).there:
        return ""
    root, proxy = settings.mastodon_root, settings.proxy_root
    found = findings(ask(places_question(settings)), root, settings.local_domain, settings.site_domain, proxy)
    return "\n".join(each.text for each in found if each.level == "error")


def _units() -> list[str]:
    return [path for path in ask(written_in(UNITS)) if path != FIREWALL_UNIT]


def _roots(settings: Settings) -> frozenset[str]:
    report = ask(question_about_the_server(settings))
    return frozenset((settings.mastodon_root, settings.proxy_root, *report.directories))


def _containers(settings: Settings) -> tuple[Container, ...]:
    return containers_of(ask(Containers.all()), _roots(settings))


def _networks(settings: Settings) -> Things:
    return networks_of(ask(NetworksThere.all()), ask(Containers.all()), _roots(settings))


def _images(settings: Settings) -> Things:
    recorded = ask(RecordedImages.of(MastodonLayout(settings.mastodon_root).images))
    # Without the record nobody knows any more what was pulled, and the images may be anybody's.
    wanted = all_images(settings) if settings.mastodon_root in _files(settings).there else ()
    return images_of(ask(Images.all()), wanted, recorded, ask(Containers.all()), _roots(settings))


def _names(settings: Settings) -> frozenset[str]:
    return frozenset((*settings.public_domains, settings.local_domain))


def _theirs(settings: Settings) -> tuple[str, ...]:
    written = ask(written_in(ProxyLayout(settings.proxy_root).sites))
    return files_of_others(_files(settings).proxy, settings, _names(settings), written)


def _proxy_is_to_go(files: Remains, theirs: tuple[str, ...], settings: Settings) -> bool:
    """Whether anything is in proxy_root but what is of others and the directories in which that lies."""
    above = {each[:index] for each in theirs for index, letter in enumerate(each) if letter == "/"}
    kept = tuple(f"{each}/" for each in theirs)
    ours = [path for path, _ in files.proxy if path not in (*theirs, *above) and not path.startswith(kept)]
    return settings.proxy_root in files.there and bool(ours or not theirs)


def _going(settings: Settings) -> Iterator[str]:
    files, theirs = _files(settings), _theirs(settings)
    if ours := _containers(settings):
        yield f"the containers {', '.join(sorted(each.name.lstrip('/') for each in ours))}"
    if networks := _networks(settings).ours:
        yield f"the networks {', '.join(networks)}"
    if images := _images(settings).ours:
        yield f"the images {', '.join(images)}"
    if settings.mastodon_root in files.there:
        yield f"{settings.mastodon_root}: database, uploads, jobs, keys and all else, also where a link leads"
    if _proxy_is_to_go(files, theirs, settings):
        yield f"{settings.proxy_root}: the proxy and its certificates" + (", but for files of others" if theirs else "")
    if units := _units():
        yield f"the units {', '.join(path.rpartition('/')[2] for path in units)}"
    if is_here(ask(PacketFilter.of_the_server()), ask(FirewallSetup.of_the_server())):
        yield f"the firewall: the table {THE_TABLE}, {FIREWALL_UNIT} and {FIREWALL_DIRECTORY}"
    own = SWAPPINESS_FILE in files.there
    for path in other_paths(settings):
        if path in files.there and (path != settings.swap_path or own) and path not in (FIREWALL_UNIT,):
            yield f"{path}{' (the swap file)' if path == settings.swap_path else ''}"


def _staying(settings: Settings) -> Iterator[str]:
    containers, roots = ask(Containers.all()), _roots(settings)
    yield "Docker with its daemon.json and its apt repository, and the packages of Debian that were installed"
    if settings.backup_repository:
        yield f"the backups in {settings.backup_repository}"
    yield from (*_networks(settings).theirs, *_images(settings).theirs)
    if others := sorted(each.name.lstrip("/") for each in containers_of_others(containers, roots)):
        yield f"containers of others: {', '.join(others)}"
    for each in sites_of_others(containers, roots, _names(settings)):
        yield f"{each}, which is a site of somebody else: its visitors no longer reach it"
    yield from (f"{settings.proxy_root}/{path}, a file of others" for path in _theirs(settings))


def containers_of_others(containers: tuple[Container, ...], roots: frozenset[str]) -> Iterator[Container]:
    ours = {each.id for each in containers_of(containers, roots)}
    return (each for each in containers if each.id not in ours)
