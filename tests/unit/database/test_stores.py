"""Whether a version of PostgreSQL or Redis can read the data that is there."""

from __future__ import annotations

import pytest

from mstdn import versions
from mstdn.database.stores import postgres_cannot_read, redis_cannot_read


@pytest.mark.parametrize(
    ("made_by", "image"),
    [
        ("", "postgres:18-trixie"),
        ("17", "postgres:17-trixie"),
        ("17", "postgres:17.6-bookworm"),
        ("17", "registry.example.org:5000/library/postgres:17"),
        # Nobody knows what these are.
        ("17", "registry.example.org/our-database:18"),
        ("17", "postgres@sha256:" + "0" * 64),
        ("17", versions.POSTGRES_IMAGE),
    ],
)
def test_a_postgresql_that_can_read_the_database_or_of_which_nothing_is_known_may_start(
    made_by: str, image: str
) -> None:
    assert postgres_cannot_read(made_by, image) is None


@pytest.mark.parametrize(
    ("image", "remedy"),
    [
        ("postgres:18-trixie", "postgres:17-trixie"),
        ("postgres:16.4-bookworm", "postgres:17-bookworm"),
        ("registry.example.org:5000/postgres:18", "registry.example.org:5000/postgres:17"),
        ("postgres:18-trixie@sha256:" + "0" * 64, "postgres:17-trixie"),
    ],
)
def test_a_newer_or_older_postgresql_is_refused_with_the_tag_to_stay_with(image: str, remedy: str) -> None:
    text = postgres_cannot_read("17", image)
    assert text and f'postgres_image = "{image}"' in text and f'postgres_image = "{remedy}"' in text and "dump" in text


@pytest.mark.parametrize(
    ("data_format", "image"),
    [
        (0, "redis:7.0-alpine"),
        (12, "redis:7.4-alpine"),
        (9, "redis:8.0-alpine"),
        (80, "valkey/valkey:9"),
        (99, "redis:9.1-alpine"),
    ],
)
def test_a_redis_that_can_read_its_files_or_of_which_nothing_is_known_may_start(data_format: int, image: str) -> None:
    assert redis_cannot_read(data_format, image) is None


def test_a_redis_older_than_its_files_is_refused_with_the_release_to_stay_with() -> None:
    text = redis_cannot_read(12, "redis:7.2-alpine")
    assert text and 'redis_image = "redis:7.2-alpine"' in text and "7.4 or newer" in text
