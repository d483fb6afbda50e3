"""Lengths of time and sizes as people read them."""

from __future__ import annotations

from mstdn.status.limits import GIB
from mstdn.status.words import ago, gigabytes


def test_lengths_are_told_as_people_say_them() -> None:
    assert [ago(each) for each in (-5, 59, 61, 7200, 86400, 200_000)] == [
        "0 s",
        "59 s",
        "1 minute",
        "2 hours",
        "1 day",
        "2 days",
    ]
    assert [gigabytes(each) for each in (2048, GIB)] == ["2 MiB", "1.0 GiB"]
