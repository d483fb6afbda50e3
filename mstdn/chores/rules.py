"""What must hold between the settings of chores."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.problems import Problem

LEAST_CARD_DAYS = 14


def preview_cards_come_back(chores_preview_card_days: int) -> Iterator[Problem]:
    """Source: lib/mastodon/cli/preview_cards.rb: a card is fetched again two weeks after the last time."""
    if 0 < chores_preview_card_days < LEAST_CARD_DAYS:
        yield Problem(
            "chores_preview_card_days",
            "cards of the last two weeks would not come back",
            f"chores_preview_card_days = {LEAST_CARD_DAYS}, or 0",
            str(chores_preview_card_days),
        )
