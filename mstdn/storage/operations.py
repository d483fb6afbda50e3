"""The note of where an instance lies."""

from datetime import datetime, timezone

from mstdn.asking import ask
from mstdn.fact import Question
from mstdn.files.facts import Tree
from mstdn.files.operations import converge_tree, states_of
from mstdn.files.tree import ConfigDirectory, ConfigFile
from mstdn.layout import INSTANCE_NOTE, NOTES, SYSTEM_PLACES, MastodonLayout
from mstdn.operation import operation
from mstdn.settings import Settings
from mstdn.shell import Commands
from mstdn.storage.facts import Places, Storage
from mstdn.storage.rules import note_of


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
