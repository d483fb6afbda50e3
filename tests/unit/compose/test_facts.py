"""What was applied to a Compose project, as the script prints it."""

from __future__ import annotations

import pytest

from mstdn.compose.facts import Applied, AppliedProject
from tests.harness import read


def test_what_was_applied_is_read() -> None:
    output = """\
revision aaaa bbbb
loaded cccc
making {"web": "{}"}
parts {"web": "0d"}
mounted 00ff  /srv/x/secrets/a file
mounted 01ff  /srv/x/secrets/redis.conf
edited /srv/x/secrets/a file
led COMPOSE_FILE
override bbbb
"""
    assert read(AppliedProject, output) == Applied(
        "aaaa bbbb",
        "cccc",
        {"web": "{}"},
        {"web": "0d"},
        {"/srv/x/secrets/a file": "00ff", "/srv/x/secrets/redis.conf": "01ff"},
        frozenset({"/srv/x/secrets/a file"}),
        ("COMPOSE_FILE",),
        "bbbb",
    )


def test_on_a_bare_server_nothing_was_applied() -> None:
    assert read(AppliedProject, "") == Applied()


@pytest.mark.parametrize(
    "damaged",
    [
        'making {"web": ',
        "making ",
        "making []",
        "parts null",
        "parts ",
        "mounted 00ff",
        'parts {"a": 5}',
        'making {"web": "{", "db": ""}',
    ],
)
def test_a_note_that_was_cut_short_or_emptied_says_nothing(damaged: str) -> None:
    assert read(AppliedProject, f"{damaged}\n") == Applied()


def test_what_containers_are_made_from_and_what_they_read_anew_are_told_apart() -> None:
    question = AppliedProject.of("/srv/x", ["/srv/x/compose.yaml", "/srv/x/.env"], ["/srv/x/nginx.conf"])
    assert question.arguments == ("/srv/x", "/srv/x/compose.yaml", "/srv/x/.env", "--", "/srv/x/nginx.conf")
