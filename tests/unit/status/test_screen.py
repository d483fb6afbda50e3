"""What is told of a server on a screen, and to programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from mstdn.status.complaint import Seen
from mstdn.status.rules import complaints
from mstdn.status.screen import as_json, text
from mstdn.versions import MASTODON
from tests.unit.status.server import MACHINE, NAME, WANTED, WELL, containers


def test_the_screen_names_every_part_and_ends_with_the_verdict() -> None:
    screen = text("server", NAME, WELL, WANTED, complaints(WELL, WANTED))
    for words in (
        MASTODON,
        "in order: db, redis, web, streaming, sidekiq, nginx",
        f"{NAME} 60 days",
        "/ 20.0 GiB free",
        "swap 0 MiB of 2.0 GiB",
        "61 MiB, 14 of 100 connections",
        "none pending",
        "default 3 (oldest 2 s); 5 to be tried again, 1 given up",
        "1 hour ago, snapshot 1a2b3c4d",
        "ok, 3 days ago",
        "mstdn-backup Thu 2027-01-15 03:31:00 UTC",
        "All is well on the server.",
    ):
        assert words in screen, words
    assert len(screen.splitlines()) < 24
    assert max(map(len, screen.splitlines())) <= 120


@pytest.mark.parametrize("seen", [Seen(), Seen(machine=MACHINE), replace(WELL, containers=None, silent="no")])
@pytest.mark.parametrize("tell", [text, as_json])
def test_whatever_could_not_be_looked_at_the_rest_is_told(seen: Seen, tell: Callable[..., str]) -> None:
    told = tell("server", NAME, seen, WANTED, complaints(seen, WANTED))
    assert NAME in told
    if tell is text:
        assert "wrong." in told


def test_programs_get_one_line_with_all_of_it() -> None:
    seen = containers(mstdn_web={"health": "unhealthy"})
    line = as_json("server", NAME, seen, WANTED, complaints(seen, WANTED))
    assert "\n" not in line
    told = json.loads(line)
    assert told["ok"] is False and told["containers"]["mstdn/web"] == "unhealthy"
    assert [each["about"] for each in told["complaints"]] == ["mstdn/web"]
    assert told["noted"]["backup"]["snapshot"] == "1a2b3c4d5e"
    assert json.loads(as_json("server", NAME, WELL, WANTED, ()))["ok"] is True
