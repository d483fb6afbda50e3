"""Whether a version of PostgreSQL or Redis can read the data that is there. Pure."""

from __future__ import annotations

import re

# The newest format of its files that a release of Redis reads. Source: RDB_VERSION in its src/rdb.h.
REDIS_FORMATS: dict[tuple[int, ...], int] = {(7, 0): 10, (7, 2): 11, (7, 4): 12, (8, 0): 12}


def postgres_cannot_read(made_by: str, image: str, major: str = "") -> str | None:
    """
    Why this image must not start on the database, with what to do; None if it may, or if its tag tells no version.

    made_by: the content of PG_VERSION, "" without a database. major: what the image itself says (PG_MAJOR), which goes
    before its tag. PostgreSQL reads the files of its own major release only.
    """
    wanted = major or postgres_in_tag(image)
    if not made_by or not wanted or made_by.split(".")[0] == wanted:
        return None
    return (
        f'The database was made by PostgreSQL {made_by}, but postgres_image = "{image}" is {wanted}, which '
        f"cannot read its files and would not start. To move the database there, while visitors are asked to wait: "
        f"pyinfra inventory.py tasks/postgres_upgrade.py. To stay with {made_by}: "
        f'postgres_image = "{_with_version(image, made_by)}".'
    )


def postgres_is_unknown(made_by: str, image: str) -> str | None:
    """
    The same for an image that says no version itself. The official one does, and so does every image made from it.
    """
    if not made_by:
        return None
    return (
        f'The database was made by PostgreSQL {made_by}, and postgres_image = "{image}" does not say which it has '
        "(the variable PG_MAJOR of the official image, postgres). One that differs in this differs in more, and would "
        f"not find the database. Use the official image or one made from it (FROM postgres:{made_by}-trixie)."
    )


def redis_cannot_read(data_format: int, image: str, version: str = "") -> str | None:
    """
    The same for Redis, which reads the files of older releases but not of newer ones.

    data_format: the newest format among its files, 0 without any. version: what the image itself says (REDIS_VERSION).
    """
    wanted = _release(version) if version else _version("redis", image)
    newest = REDIS_FORMATS.get(wanted) if wanted else None
    if newest is None or data_format <= newest:
        return None
    able = [".".join(map(str, release)) for release, readable in REDIS_FORMATS.items() if readable >= data_format]
    return (
        f'The jobs in Redis were written by a newer release than redis_image = "{image}", which cannot read them '
        f"(format {data_format}, and it knows {newest}) and would not start. Stay with the release that wrote them"
        f"{f', {able[0]} or newer' if able else ''}."
    )


def postgres_in_tag(image: str) -> str:
    """The major release of PostgreSQL in the image's tag, "17"; "" if it tells none."""
    found = _version("postgres", image)
    return str(found[0]) if found else ""


def _version(name: str, image: str) -> tuple[int, ...] | None:
    """The version in the tag of an image of this name; other images may count otherwise."""
    tag = re.search(rf"(?:^|/){name}:(\d+)(?:\.(\d+))?", image)
    return None if tag is None else tuple(int(number) for number in tag.groups() if number is not None)


def _release(version: str) -> tuple[int, ...] | None:
    """(7, 4) for "7.4.2"."""
    numbers = re.match(r"(\d+)\.(\d+)", version, re.ASCII)
    return None if numbers is None else tuple(map(int, numbers.groups()))


def _with_version(image: str, version: str) -> str:
    """The image with another version in the first part of its tag: of postgres:18-trixie, pg18 and 18-3.5 it is 18."""
    parts = re.fullmatch(r"(.*?)(?::([^:/]+))?(@.*)?", image)
    assert parts is not None
    tag = re.sub(r"\d+(\.\d+)*", version, parts[2] or "", count=1)
    return f"{parts[1]}:{tag if version in tag else version}"
