"""Content retention: set at the installation, and never again."""

from __future__ import annotations

from typing import Any

from pyinfra import host

from mstdn.asking import ask
from mstdn.docker.presence import needs_engine
from mstdn.fact import Question
from mstdn.files.facts import FileStates
from mstdn.layout import MastodonLayout
from mstdn.operation import announce, operation
from mstdn.retention.rules import wanted_periods
from mstdn.settings import Settings
from mstdn.shell import SCRIPTS, Commands, script


def retention_question(settings: Settings) -> Question[Any]:
    """What chosen_retention asks."""
    return FileStates.of([MastodonLayout(settings.mastodon_root).retention])


@operation
@needs_engine
def chosen_retention(settings: Settings) -> Commands:
    """
    Ensure that somebody has chosen how long copies of others' content are kept: the owner, or else the settings.

    A note remembers that this was done, so what the owner chooses later in the administration pages stays.
    """
    layout = MastodonLayout(settings.mastodon_root)
    wanted = wanted_periods(settings.retention_media_days, settings.retention_content_days)
    if not wanted or layout.retention in ask(retention_question(settings)).states:
        host.noop("how long content is kept has been chosen")
        return
    announce("as shipped, Mastodon keeps copies of others' media for ever")
    program = (SCRIPTS / "retention/choose.rb").read_text()
    yield script("retention/choose", layout.root, layout.retention, *wanted, stdin=program)
