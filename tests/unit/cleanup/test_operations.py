"""In which order the operations that clean up work, and what they announce."""

from __future__ import annotations

import pytest

from mstdn.cleanup import operations
from tests.harness import Command, commands_of, container_line

WEB = "mstdn-source/mastodon"
IMAGES = """image mstdn-source/mastodon:v4.6.9-aa sha256:46
image nginx:1.28-alpine sha256:90
"""


@pytest.fixture(name="announced")
def _announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []
    monkeypatch.setattr(operations, "announce", lambda *reasons: told.extend(reasons))
    return told


def cleaned(built: str = "") -> list[Command]:
    return commands_of(
        operations.no_old_images,
        {
            "cleanup/images": IMAGES + built,
            "images/recorded": "recorded nginx:1.28-alpine sha256:90\n",
            "docker/containers": container_line("web"),
        },
        images=[f"{WEB}:v4.7.60-bb"],
        record="/state/images",
        assets="/assets",
        release="v4.7.60",
    )


def test_the_cache_of_builds_goes_before_the_images_so_that_a_run_that_is_killed_is_finished_by_the_next(
    announced: list[str],
) -> None:
    assert [command.script for command in cleaned("built sha256:46\n")] == [
        "cleanup/prune_builds",
        "cleanup/remove_images",
    ]
    assert any("others' too" in text for text in announced)


@pytest.mark.parametrize(
    ("dumps", "removed"),
    [
        ("dump v4.6.9\n", None),
        ("dump v4.6.9\nhalf\n", ("/srv",)),
        ("dump v4.5.0\ndump v4.6.9\nleft v4.5.0\n", ("/srv", "v4.5.0", "left-v4.5.0")),
    ],
)
def test_half_a_dump_of_a_server_that_went_down_goes_with_the_next_run(
    announced: list[str], dumps: str, removed: tuple[str, ...] | None
) -> None:
    commands = commands_of(operations.no_old_dumps, {"database/dumps": dumps}, root="/srv", release="v4.7.60")
    assert commands == ([Command("cleanup/remove_dumps", removed)] if removed else [])
    assert bool(announced) is bool(removed)


def test_where_nothing_was_built_the_cache_of_others_stays(announced: list[str]) -> None:
    assert [command.script for command in cleaned()] == ["cleanup/remove_images"]
    assert not [text for text in announced if "cache" in text]
