"""Which services a change of the files is about."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.app.project import mastodon_project
from mstdn.compose.parts import parts_of
from mstdn.files.tree import ConfigFile
from tests.harness import settings_with

MASTODON = {"web", "sidekiq"}
EVERY = {"db", "redis", "web", "streaming", "sidekiq", "nginx"}


@pytest.mark.parametrize(
    ("changed", "services"),
    [
        ({"postgres_memory_mib": 2048}, {"db"}),
        ({"redis_memory_mib": 512}, {"redis"}),
        ({"web_memory_mib": 4096}, {"web"}),
        ({"streaming_database_pool": 7}, {"streaming", "db"}),
        ({"app_stop_timeout_seconds": 90}, {"sidekiq"}),
        ({"default_locale": "de"}, MASTODON),
        ({"mastodon_image": "registry.example.org/mastodon"}, MASTODON),
        ({"mastodon_version": "v4.7.5"}, {*MASTODON, "streaming"}),
        ({"nginx_image": "nginx:1.31-alpine"}, {"nginx"}),
        ({"docker_log_size_mib": 20}, EVERY),
        ({"proxy_body_size_mib": 200}, set()),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_setting_is_about_exactly_these_services(changed: dict[str, Any], services: set[str]) -> None:
    before, after = (
        mastodon_project(settings_with(postgres_shared_buffers_mib=128, **values), 4096, ipv6=False).parts
        for values in ({}, changed)
    )
    assert before.keys() == EVERY | {"migrate"}
    assert {each for each in EVERY if before[each] != after[each]} == services


def test_comments_and_what_follows_the_services_are_about_none() -> None:
    text = "x-a: &a\n  b: 1\nservices:\n  web:\n    <<: *a\n    c: 1\nnetworks:\n  back: {}\n"
    commented = text.replace("    c: 1\n", "    # why\n\n    c: 1\n").replace("back: {}", "back: {x: 1}")
    one, other, third = (
        parts_of([ConfigFile("/srv/x/compose.yaml", each)]) for each in (text, commented, text.replace("b: 1", "b: 2"))
    )
    assert one == other and one.keys() == {"web"}
    assert one != third
