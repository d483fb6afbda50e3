"""What PostgreSQL, Redis and Sidekiq say."""

from __future__ import annotations

import pytest

from mstdn.status.complaint import Seen
from mstdn.status.facts import Queue
from tests.unit.status.server import NOW, is_told_once, parts


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(parts(empty=True), "error", "PostgreSQL", "no table of Mastodon's", "deploy.py", id="no tables"),
        pytest.param(
            parts(silent=frozenset({"db"})), "error", "PostgreSQL", "not answer", "logs --tail 30 db", id="db"
        ),
        pytest.param(parts(connections=95), "warning", "PostgreSQL", "95 of 100", "web_threads", id="connections"),
        pytest.param(
            parts(pending=("1_a", "2_b", "3_c", "4_d")), "error", "migrations", "1_a, 2_b, 3_c …", "deploy", id="down"
        ),
        pytest.param(parts(writes=("ok", "err")), "error", "Redis", "cannot write", "disk", id="MISCONF"),
        pytest.param(parts(processes=0), "error", "queues", "No Sidekiq", "logs --tail 30 sidekiq", id="no sidekiq"),
        pytest.param(
            parts(queues=(Queue("ingress", 7, NOW - 600),)), "error", "queues", "for 10 minutes", "threads", id="slow"
        ),
        pytest.param(
            parts(queues=(Queue("pull", 7, NOW - 600),)), "warning", "queues", "pull", "threads", id="pull may lag"
        ),
        pytest.param(
            parts(queues=(Queue("pull", 7, NOW - 7200),)), "error", "queues", "120", "threads", id="but not so"
        ),
    ],
)
def test_what_is_wrong_inside_the_instance_is_told_once_with_its_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    is_told_once(seen, level, about, words, remedy)
