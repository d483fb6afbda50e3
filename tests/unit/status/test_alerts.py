"""Whether somebody is told when something breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mstdn.status.complaint import Seen
from mstdn.status.rules import complaints
from tests.unit.status.server import NOW, WANTED, WELL, is_told_once, noted


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(
            noted("alerts", mail=f"{NOW - 7200} 535 5.7.8 no"),
            "error",
            "alerts",
            "For 2 hours alerts have not got out by mail: 535 5.7.8 no",
            "alert_test.py",
            id="alerts do not get out",
        ),
    ],
)
def test_alerts_that_do_not_get_out_are_told_once_with_their_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    is_told_once(seen, level, about, words, remedy)


def test_where_nobody_is_told_that_is_worth_knowing_and_an_old_failure_is_not() -> None:
    seen = noted("alerts", mail=f"{NOW - 7200} 535 5.7.8 no")
    for wanted in (replace(WANTED, told=False), replace(WANTED, alerts=False)):
        found = complaints(seen if not wanted.alerts else WELL, wanted)
        assert [(each.level, each.about) for each in found] == [("warning", "alerts")]
        assert "alerts_mail_to" in found[0].remedy
