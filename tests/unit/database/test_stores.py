"""Whether a version of PostgreSQL or Redis can read the data that is there."""

from __future__ import annotations

import pytest

from mstdn import versions
from mstdn.database.stores import postgres_cannot_read, postgres_is_unknown, redis_cannot_read


@pytest.mark.parametrize(
    ("made_by", "image"),
    [
        ("", "postgres:18-trixie"),
        ("17", "postgres:17-bookworm"),
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
        ("postgres:18-bookworm", "postgres:17-bookworm"),
        ("postgres:16.4-bookworm", "postgres:17-bookworm"),
        ("registry.example.org:5000/postgres:18", "registry.example.org:5000/postgres:17"),
        ("postgres:18-bookworm@sha256:" + "0" * 64, "postgres:17-bookworm"),
    ],
)
def test_a_newer_or_older_postgresql_is_refused_with_the_tag_to_stay_with(image: str, remedy: str) -> None:
    text = postgres_cannot_read("17", image)
    assert (
        text
        and f'postgres_image = "{image}"' in text
        and f'postgres_image = "{remedy}"' in text
        and "tasks/postgres_upgrade.py" in text
    )


@pytest.mark.parametrize(
    ("image", "remedy"),
    [
        ("postgres@sha256:" + "0" * 64, "postgres:17"),
        ("registry.example.org:5000/our@sha256:" + "0" * 64, "registry.example.org:5000/our:17"),
        ("pgvector/pgvector:pg18", "pgvector/pgvector:pg17"),
        ("postgis/postgis:18-3.5", "postgis/postgis:17-3.5"),
        ("postgres:17-bookworm", "postgres:17-bookworm"),
    ],
)
def test_what_an_image_says_of_itself_is_believed_before_its_name(image: str, remedy: str) -> None:
    text = postgres_cannot_read("17", image, "18")
    assert text and f'"{image}" is 18, which' in text and f'To stay with 17: postgres_image = "{remedy}"' in text
    assert postgres_cannot_read("17", image, "17") is None
    assert postgres_cannot_read("", image, "18") is None


def test_an_image_that_does_not_say_its_version_gets_no_database() -> None:
    text = postgres_is_unknown("17", "bitnami/postgresql:17")
    assert text and "PG_MAJOR" in text and "FROM postgres:17" in text
    assert postgres_is_unknown("", "bitnami/postgresql:17") is None


@pytest.mark.parametrize(("version", "readable"), [("7.2.11", False), ("7.4.1", True), ("unstable", True), ("", True)])
def test_a_redis_known_by_its_digest_is_judged_by_what_it_says_of_itself(version: str, readable: bool) -> None:
    assert (redis_cannot_read(12, "redis@sha256:" + "0" * 64, version) is None) is readable


@pytest.mark.parametrize(
    ("data_format", "image"),
    [
        (0, "redis:7.0-alpine"),
        (12, "redis:7.4-bookworm"),
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
