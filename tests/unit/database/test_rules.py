"""How far the database is on its way to a release."""

from __future__ import annotations

import pytest

from mstdn.database.rules import Completion, Preparation, completion, going_back, preparation, room_findings
from mstdn.storage.disks import Disk

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
        (TOWARDS_46 | {"MIGRATIONS": "none"}, "v4.5.20", Preparation.GIVE_UP),
        (TOWARDS_46 | {"MIGRATIONS": "begun"}, "v4.5.20", Preparation.TOO_LATE),
        (TOWARDS_46 | {"MIGRATIONS": "after"}, "v4.5.20", Preparation.TOO_LATE),
        (TOWARDS_46 | {"MIGRATIONS": "begun"}, "v4.6.9", Preparation.NOTHING),
        (TOWARDS_46 | {"MIGRATIONS": "returning"}, "v4.5.20", Preparation.RETURNING),
        (TOWARDS_46 | {"MIGRATIONS": "returning"}, "v4.6.9", Preparation.RETURNING),
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
        (TOWARDS_46 | {"MIGRATIONS": "begun"}, "v4.6.9", Completion.MIGRATE),
        (TOWARDS_46 | {"MIGRATIONS": "after"}, "v4.6.9", Completion.RENEW),
    ],
)
def test_what_is_left_once_a_release_serves(installed: dict[str, str], release: str, wanted: Completion) -> None:
    assert completion(installed, release) is wanted


def test_the_way_back_is_the_dump_where_there_is_one() -> None:
    assert going_back("v4.6.9", []) == "Only a backup brings v4.6.9 back."
    assert "tasks/rollback.py --data rollback_to=v4.6.9" in going_back("v4.6.9", ["v4.6.9"])


@pytest.mark.parametrize(
    ("free_mib", "database", "enough"),
    [
        # The database has 4,000 MiB.
        ((4256, 4256), "/", True),
        ((4255, 4255), "/", False),
        ((2256, 2256), "/data", True),
        ((2255, 9999), "/data", False),
        ((9999, 2255), "/data", False),
    ],
)
def test_an_upgrade_needs_room_for_a_dump_and_for_indexes(
    free_mib: tuple[int, int], database: str, enough: bool
) -> None:
    disks = [Disk("/srv/mastodon", free_mib[0], "/"), Disk("/srv/mastodon/database", free_mib[1], database)]
    found = list(room_findings(4000, disks, "/srv/mastodon"))
    assert not found if enough else "4000 MiB is dumped first" in found[0].text
