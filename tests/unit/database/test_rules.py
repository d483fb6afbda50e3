"""How far the database is on its way to a release."""

from __future__ import annotations

import pytest

from mstdn.database.rules import Completion, Preparation, completion, preparation

HERE = {"LOCAL_DOMAIN": "social.example.org", "DATABASE": "17"}
AT_45 = HERE | {"MASTODON_VERSION": "v4.5.20"}
TOWARDS_46 = AT_45 | {"NEXT_VERSION": "v4.6.9", "MIGRATIONS": "before"}


@pytest.mark.parametrize(
    ("installed", "release", "wanted"),
    [
        ({}, "v4.6.9", Preparation.CREATE),
        ({"DATABASE": "17"}, "v4.6.9", Preparation.CREATE_ANEW),
        (AT_45, "v4.5.20", Preparation.NOTHING),
        (AT_45, "v4.6.9", Preparation.MIGRATE),
        (TOWARDS_46, "v4.6.9", Preparation.NOTHING),
        (TOWARDS_46, "v4.6.8", Preparation.MIGRATE),
        (TOWARDS_46, "v4.5.20", Preparation.GIVE_UP),
        ({name: value for name, value in AT_45.items() if name != "DATABASE"}, "v4.5.20", Preparation.IMPOSSIBLE),
        ({name: value for name, value in AT_45.items() if name != "DATABASE"}, "v4.6.9", Preparation.IMPOSSIBLE),
    ],
)
def test_what_the_database_needs_before_a_release_starts(
    installed: dict[str, str], release: str, wanted: Preparation
) -> None:
    assert preparation(installed, release) is wanted


@pytest.mark.parametrize(
    ("installed", "release", "wanted"),
    [
        ({}, "v4.6.9", Completion.NOTHING),
        (AT_45, "v4.5.20", Completion.NOTHING),
        (AT_45, "v4.6.9", Completion.MIGRATE),
        (TOWARDS_46, "v4.6.9", Completion.MIGRATE),
        (TOWARDS_46 | {"MIGRATIONS": "none"}, "v4.6.9", Completion.NOTE),
    ],
)
def test_what_is_left_once_a_release_serves(installed: dict[str, str], release: str, wanted: Completion) -> None:
    assert completion(installed, release) is wanted
