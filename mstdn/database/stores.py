"""Whether a version of PostgreSQL or Redis can read the data that is there. Pure."""

from __future__ import annotations

import re

# The newest format of its files that a release of Redis reads. Source: RDB_VERSION in its src/rdb.h.
REDIS_FORMATS: dict[tuple[int, ...], int] = {(7, 0): 10, (7, 2): 11, (7, 4): 12, (8, 0): 12}


def postgres_cannot_read(made_by: str, image: str) -> str | None:
    """
    Why this image must not start on the database, with what to do; None if it may, or if its tag tells no version.

    made_by: the content of PG_VERSION, "" without a database. PostgreSQL reads the files of its own major release only.
    """
    wanted = _version("postgres", image)
    if not made_by or wanted is None or made_by.split(".")[0] == str(wanted[0]):
        return None
    return (
        f'The database was made by PostgreSQL {made_by}, but postgres_image = "{image}" is {wanted[0]}, which '
        f"cannot read its files and would not start. Stay with {made_by}, such as "
        f'postgres_image = "{_with_version(image, made_by)}"; the way to another major release is a dump with '
        "the old one and a restore with the new one."
    )


def redis_cannot_read(data_format: int, image: str) -> str | None:
    """
    The same for Redis, which reads the files of older releases but not of newer ones.

    data_format: the newest format among its files, 0 without any.
    """
    wanted = _version("redis", image)
    newest = REDIS_FORMATS.get(wanted) if wanted else None
    if newest is None or data_format <= newest:
        return None
    able = [".".join(map(str, release)) for release, readable in REDIS_FORMATS.items() if readable >= data_format]
    return (
        f'The jobs in Redis were written by a newer release than redis_image = "{image}", which cannot read them '
        f"(format {data_format}, and it knows {newest}) and would not start. Stay with the release that wrote them"
        f"{f', {able[0]} or newer' if able else ''}."
    )


def _version(name: str, image: str) -> tuple[int, ...] | None:
    """The version in the tag of an image of this name; other images may count otherwise."""
    tag = re.search(rf"(?:^|/){name}:(\d+)(?:\.(\d+))?", image)
    return None if tag is None else tuple(int(number) for number in tag.groups() if number is not None)


def _with_version(image: str, version: str) -> str:
    name, _, tag = image.partition("@")[0].rpartition(":")
    return f"{name}:{version}{''.join(tag.partition('-')[1:])}"
