"""Which PostgreSQL has the database, and how its move to another one goes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.postgres.rules import REMOVE, VERB, sorted_otherwise, wanted_major
from mstdn.status.complaint import Complaint, Seen, Wanted
from mstdn.status.limits import MIB
from mstdn.status.words import gigabytes


def complaints(seen: Seen, wanted: Wanted) -> Iterator[Complaint]:
    found, here = seen.directories, seen.directories.major
    if phase := found.under.get("phase"):
        yield Complaint(
            "warning" if found.working else "error",
            "PostgreSQL",
            "The database moves into a new data directory at this moment."
            if found.working
            else f"A move of the database into a new data directory was begun and is not finished ({phase}).",
            f"Watch it: {VERB}" if found.working else f"Finish it, or have its remains removed: {VERB}",
        )
    elif here and (named := wanted_major(wanted.postgres, "")) not in ("", here):
        yield Complaint(
            "warning",
            "PostgreSQL",
            f"PostgreSQL {here} has the database, and postgres_image names {named}.",
            f"Move the database: {VERB}",
        )
    if seen.collation:
        yield Complaint(
            "warning",
            "PostgreSQL",
            f"The database was moved under another Debian: {sorted_otherwise(seen.collation)}.",
            f"Have it made anew: {VERB}",
        )
    if found.before and not phase:
        yield Complaint(
            "warning",
            "PostgreSQL",
            f"The data directory from before the last move is kept: {found.real}.before (PostgreSQL {found.before}, "
            f"{gigabytes(found.before_mib * MIB)}).",
            f"Remove it when nothing is missing: {REMOVE}",
        )
