"""The note of where an instance lies."""

from datetime import datetime, timezone

from mstdn.asking import ask
from mstdn.docker.packages import KEYRING
from mstdn.fact import Question
from mstdn.files.facts import InTheWay, Tree
from mstdn.files.operations import converge_tree, states_of
from mstdn.files.tree import ConfigDirectory, ConfigFile
from mstdn.kernel.operations import OVERCOMMIT_FILE
from mstdn.layout import (
    ENGINE_NOTE,
    FIREWALL_NOTE,
    FIREWALL_RULES,
    INSTANCE_NOTE,
    NOTES,
    SYSTEM_PLACES,
    MastodonLayout,
    ProxyLayout,
)
from mstdn.operation import operation
from mstdn.secrets.parts import parts_for
from mstdn.settings import Settings
from mstdn.shell import Commands
from mstdn.storage.facts import Places, Storage
from mstdn.storage.rules import note_of
from mstdn.swap.facts import SWAPPINESS_FILE


def places_question(settings: Settings) -> Question[Storage]:
    """What noted_instance and preflight ask of the directories of the instance, and of those of the system."""
    layout = MastodonLayout(settings.mastodon_root)
    directories = (
        *(layout.root, layout.database, layout.redis, layout.media, layout.secrets, layout.state),
        settings.proxy_root,
    )
    return Places.of(
        INSTANCE_NOTE,
        settings.mastodon_root,
        settings.proxy_root,
        settings.site_domain,
        [*dict.fromkeys(directories), *SYSTEM_PLACES],
        backups=settings.backup_repository if settings.backup_repository.startswith("/") else "",
    )


def files_question(settings: Settings) -> Question[list[str]]:
    """What preflight asks about what is in the place of files that the suite reads and writes without looking."""
    layout, proxy = MastodonLayout(settings.mastodon_root), ProxyLayout(settings.proxy_root)
    parts = (f"{layout.secrets}/{part.file}" for part in parts_for(settings))
    kernel = (SWAPPINESS_FILE, OVERCOMMIT_FILE)
    return InTheWay.of(
        (layout.checksums, layout.instance_secrets, layout.operator_secrets, *parts, *kernel),
        (f"{layout.state}/", f"{proxy.state}/", ENGINE_NOTE, INSTANCE_NOTE, FIREWALL_NOTE, FIREWALL_RULES, KEYRING),
    )


def note_question() -> Question[Tree]:
    """What noted_instance asks of the note itself."""
    return states_of([ConfigFile(INSTANCE_NOTE, "")], [ConfigDirectory(NOTES)])


@operation
def noted_instance(settings: Settings) -> Commands:
    """
    Ensure the note, outside of mastodon_root, that this instance is installed, and on which file systems it lies.

    + settings: mastodon_root, proxy_root and the names

    Without it nobody could tell a first installation from one whose volume is not mounted.
    """
    storage = ask(places_question(settings))
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    note = note_of(storage, settings.mastodon_root, settings.local_domain, today)
    yield from converge_tree([ConfigFile(INSTANCE_NOTE, note.text)], [ConfigDirectory(NOTES)])
