"""How the containers of the services are."""

from __future__ import annotations

import pytest

from mstdn.status.complaint import Seen
from tests.unit.status.server import containers, is_told_once


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(
            containers(mstdn_streaming=None), "error", "mstdn/streaming", "is missing", "deploy.py", id="gone"
        ),
        pytest.param(
            containers(mstdn_web={"health": "unhealthy"}),
            "error",
            "mstdn/web",
            "unhealthy",
            "logs --tail 30 web",
            id="ill",
        ),
        pytest.param(
            containers(proxy_docker_gen={"status": "exited"}),
            "error",
            "proxy/docker-gen",
            "exited",
            "cd /srv/proxy",
            id="stopped",
        ),
        pytest.param(
            containers(mstdn_db={"status": "restarting"}), "error", "mstdn/db", "restarting", "deploy.py", id="dying"
        ),
        pytest.param(
            containers(mstdn_web={"health": "starting"}),
            "warning",
            "mstdn/web",
            "starting",
            "in a minute",
            id="starting",
        ),
        pytest.param(
            containers(mstdn_web={"reference": "mastodon:other"}),
            "warning",
            "mstdn/web",
            "other",
            "deploy.py",
            id="image",
        ),
    ],
)
def test_a_service_that_is_not_in_order_is_told_once_with_its_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    is_told_once(seen, level, about, words, remedy)
