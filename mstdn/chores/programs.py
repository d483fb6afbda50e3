"""The files that the chores need on a server. Pure."""

from __future__ import annotations

from mstdn.files.tree import ConfigFile
from mstdn.settings import Settings
from mstdn.timers.units import program, service, timer

UNIT = "mstdn-chores.service"
# Up to half an hour later, so that not all servers come at once.
DELAY_MINUTES = 30


def chores_of(settings: Settings) -> tuple[str, ...]:
    """What is to be done, in the words of tootctl."""
    days, cards = settings.chores_profile_media_days, settings.chores_preview_card_days
    return (
        *([f"media remove --prune-profiles --days {days} --concurrency 1"] if days else []),
        *([f"preview_cards remove --days {cards} --concurrency 1"] if cards else []),
        # An object store charges for each request.
        *(["media remove-orphans"] if settings.chores_orphans and not settings.s3_enabled else []),
    )


def chore_programs(settings: Settings) -> tuple[ConfigFile, ...]:
    """The program of one chore, which holds the lock, the one of all of them, and its unit and timer."""
    if not chores_of(settings):
        return ()
    return (
        program("chore", "timers/turn", "connection", "lock", "chores/one"),
        program("chores", "chores/all"),
        service("mstdn-chores", "Tidy up what Mastodon leaves behind", "chores"),
        timer(
            "mstdn-chores",
            "Tidy up every week what Mastodon leaves behind",
            f"{settings.chores_day} *-*-* {settings.chores_time}:00",
            DELAY_MINUTES,
        ),
    )


def chore_settings(settings: Settings) -> dict[str, str]:
    """What the program is told, by the names of its variables."""
    return {"CHORES": ";".join(chores_of(settings))} if chores_of(settings) else {}
