"""Which PostgreSQL has the database, and its move to another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mstdn.postgres.facts import Directories
from mstdn.status.complaint import Seen
from tests.unit.status.server import WELL, is_told_once


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(
            replace(WELL, directories=Directories("17", "/srv/mastodon/database", under={"phase": "stopped"})),
            "error",
            "PostgreSQL",
            "not finished (stopped)",
            "postgres_upgrade.py",
            id="half a move of the database",
        ),
        pytest.param(
            replace(WELL, directories=Directories("17", under={"phase": "stopped"}, working=True)),
            "warning",
            "PostgreSQL",
            "at this moment",
            "postgres_upgrade.py",
            id="a move of the database",
        ),
        pytest.param(
            replace(WELL, directories=Directories("16")),
            "warning",
            "PostgreSQL",
            "PostgreSQL 16 has the database, and postgres_image names 17",
            "postgres_upgrade.py",
            id="another PostgreSQL is wanted",
        ),
        pytest.param(
            replace(WELL, directories=Directories("17", "/srv/mastodon/database", before="16", before_mib=70)),
            "warning",
            "PostgreSQL",
            "/srv/mastodon/database.before (PostgreSQL 16, 70 MiB)",
            "--data postgres_old_directory=remove",
            id="the old data directory is kept",
        ),
        pytest.param(
            replace(WELL, collation=("2.36", "2.41")),
            "warning",
            "PostgreSQL",
            "version 2.36 of the C library, and its image has 2.41",
            "postgres_upgrade.py",
            id="another Debian's rules",
        ),
    ],
)
def test_what_is_wrong_with_the_release_of_the_database_is_told_once_with_its_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    is_told_once(seen, level, about, words, remedy)
