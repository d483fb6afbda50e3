"""Whether the database moves, and what stands in its way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mstdn.postgres.facts import Directories
from mstdn.postgres.rules import Move, collation_findings, move, needed_mib, obstacle, reasons, switching_findings

HERE = Directories("17", "/srv/mastodon/database", size_mib=1000, free_mib=5000)
BEGUN = {"phase": "stopped", "image": "postgres:18-trixie"}
SWITCHING = {"phase": "switching", "image": "postgres:18-trixie"}
NEXT, SAME, UNNAMED = "postgres:18-trixie", "postgres:17-bookworm", "registry.example.org/ours:2026-11"
INSTALLED = {"LOCAL_DOMAIN": "social.example.org", "MASTODON_VERSION": "v4.7.5", "DATABASE": "17"}


@pytest.mark.parametrize(
    ("found", "image", "said", "collation", "todo"),
    [
        (HERE, SAME, "", None, Move.NOTHING),
        (HERE, SAME, "17", None, Move.NOTHING),
        (HERE, NEXT, "", None, Move.MAJOR),
        # What an image says of itself goes before its tag.
        (HERE, NEXT, "17", None, Move.NOTHING),
        (HERE, UNNAMED, "", None, Move.UNKNOWN),
        (HERE, UNNAMED, "18", None, Move.MAJOR),
        (HERE, SAME, "17", ("2.36", "2.41"), Move.COLLATION),
        (replace(HERE, under=BEGUN), NEXT, "18", None, Move.MAJOR),
        (replace(HERE, under=BEGUN), SAME, "17", None, Move.CLEAN_UP),
        (replace(HERE, under=BEGUN, working=True), NEXT, "18", None, Move.GO_ON),
        (replace(HERE, under=SWITCHING), NEXT, "18", None, Move.GO_ON),
        (replace(HERE, major="", under=SWITCHING), NEXT, "18", None, Move.GO_ON),
        (replace(HERE, major="18", under=SWITCHING), NEXT, "18", None, Move.GO_ON),
        (replace(HERE, major="18", before="17"), NEXT, "18", None, Move.NOTHING),
        (Directories(), SAME, "17", None, Move.NOTHING),
    ],
)
def test_what_has_to_be_done(
    found: Directories, image: str, said: str, collation: tuple[str, str] | None, todo: Move
) -> None:
    assert move(found, image, said, collation) is todo


def way(
    todo: Move = Move.MAJOR,
    found: Directories = HERE,
    *,
    restoring: str = "",
    release: str = "v4.7.5",
    image: str = NEXT,
    said: str = "18",
    **installed: str,
) -> str | None:
    return obstacle(todo, found, INSTALLED | installed, restoring, release, image, said)


def test_a_database_with_nothing_in_its_way_may_move() -> None:
    for todo in Move:
        assert way(todo, replace(HERE, under=SWITCHING) if todo is Move.GO_ON else HERE) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (way(release="v4.7.7"), 'mastodon_version = "v4.7.5"'),
        # With nothing to move too: the rest of the run would write another release's configuration.
        (way(Move.NOTHING, release="v4.7.7"), "one thing after the other"),
        (way(NEXT_VERSION="v4.7.5"), "Finish the upgrade of Mastodon first"),
        (way(restoring="1a2b3c4d"), "tasks/restore.py"),
        (way(image="postgres:16-trixie", said="16"), "an older one cannot load"),
        (way(found=replace(HERE, mounted=True)), "make a link"),
        (way(found=replace(HERE, tablespaces=("16400",))), "pg_default"),
        (way(found=replace(HERE, before="16", before_mib=70)), "--data postgres_old_directory=remove"),
        (way(found=replace(HERE, free_mib=2000)), "has 2000 MiB free, and the move needs 2012"),
        (way(Move.GO_ON, replace(HERE, under=SWITCHING), image=SAME), f'Set postgres_image = "{NEXT}"'),
    ],
    ids=range(10),
)
def test_what_stands_in_the_way_is_told_with_its_remedy(text: str | None, words: str) -> None:
    assert text and words in text


def test_a_server_without_an_instance_has_nothing_to_move() -> None:
    text = obstacle(Move.NOTHING, Directories(), {}, "", "v4.7.5", SAME, "")
    assert text and "deploy.py" in text


def test_the_dump_and_the_second_directory_have_room() -> None:
    assert needed_mib(HERE) == 1500 + 512


@pytest.mark.parametrize(
    ("todo", "found", "collation", "words"),
    [
        (Move.MAJOR, HERE, None, "from PostgreSQL 17 to 18"),
        (Move.MAJOR, HERE, None, "503 with Retry-After"),
        (Move.COLLATION, HERE, ("2.36", "2.41"), "sorted by the rules of version 2.36"),
        (Move.GO_ON, replace(HERE, under=SWITCHING), None, "it is finished"),
        (Move.GO_ON, replace(HERE, under=SWITCHING), None, "it is dumped once more"),
        (Move.UNKNOWN, HERE, None, "is known once it is on the server"),
    ],
)
def test_a_plan_says_why_and_what_visitors_notice(
    todo: Move, found: Directories, collation: tuple[str, str] | None, words: str
) -> None:
    assert words in "\n".join(reasons(todo, found, NEXT, "18", collation))


def test_preflight_warns_of_another_debians_rules_and_refuses_half_a_switch() -> None:
    (warning,) = collation_findings(("2.36", "2.41"))
    assert warning.level == "warning" and "tasks/postgres_upgrade.py" in warning.text
    (error,) = switching_findings("switching")
    assert error.level == "error" and "tasks/postgres_upgrade.py" in error.text
    assert not [*collation_findings(None), *switching_findings("stopped"), *switching_findings("")]
