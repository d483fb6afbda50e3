"""What the files of the projects promise: a cache that fits into memory, a Sidekiq that starts as fast as it can."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from mstdn.app.project import mastodon_project
from mstdn.compose.project import Way
from mstdn.proxy.project import proxy_project
from mstdn.settings import Settings
from tests.harness import settings_with


def text_of(name: str, *, memory_mib: int = 4096, **changes: Any) -> str:
    settings: Settings = settings_with(**changes)
    files = mastodon_project(settings, memory_mib=memory_mib, ipv6=changes.get("networks_ipv6", False)).files
    (file,) = (each for each in files if each.path.endswith(name))
    return file.content


def service(name: str, **options: Any) -> dict[str, Any]:
    found = yaml.load(text_of("/compose.yaml", **options), yaml.CSafeLoader)["services"][name]
    assert isinstance(found, dict)
    return found


def mib(text: str) -> int:
    (number,) = re.findall(r"(\d+)[mM]$", text)
    return int(number)


def test_the_cache_of_public_pages_fits_into_its_tmpfs_and_that_into_the_containers_memory() -> None:
    (size,) = re.findall(r"max_size=(\d+m)", text_of("nginx.conf"))
    (tmpfs,) = (each for each in service("nginx")["tmpfs"] if each.startswith("/var/cache/nginx"))
    limit = service("nginx")["deploy"]["resources"]["limits"]["memory"]
    assert mib(size) + 16 <= mib(tmpfs)
    # What nginx itself needs, with 8,192 connections.
    assert mib(tmpfs) + 96 <= mib(limit)


def test_a_release_or_a_setting_begins_with_an_empty_cache() -> None:
    def key(**changes: Any) -> str:
        (found,) = re.findall(r'proxy_cache_key "(\S+) ', text_of("nginx.conf", **changes))
        return str(found)

    assert key() == key()
    assert len({key(), key(mastodon_version="v4.7.5"), key(single_user_mode=True)}) == 3


def test_nothing_that_is_for_somebody_is_kept() -> None:
    kept = text_of("nginx.conf").partition("location @web {")[2].partition("}")[0]
    for directive in ("proxy_cache_bypass", "proxy_no_cache"):
        assert f"{directive} $http_authorization $cookie__session_id;" in kept
    # Only what Mastodon itself calls public, and for as long as it says.
    assert "proxy_cache_valid" not in text_of("nginx.conf") and "proxy_ignore_headers" not in text_of("nginx.conf")
    assert "proxy_cache" not in text_of("nginx.conf").partition("location ^~ /api/v1/streaming {")[2].partition("}")[0]


def test_sidekiq_keeps_what_the_image_has_compiled() -> None:
    sidekiq = service("sidekiq")
    assert not any("/opt/mastodon" in each for each in sidekiq.get("tmpfs", []))
    # Without a value: Compose then takes the image's variable away.
    assert sidekiq["environment"]["MASTODON_SIDEKIQ_READY_FILENAME"] is None
    assert sidekiq["environment"].items() >= service("web")["environment"].items()
    assert "READY" not in text_of("mastodon.env")


def test_sidekiq_is_healthy_when_it_takes_jobs_and_not_before() -> None:
    (expression,) = re.findall(r"grep -q '(.+)'", service("sidekiq")["healthcheck"]["test"][1])
    pattern = re.compile(expression)
    assert pattern.search("Sl   sidekiq 8.1.6 mastodon [0 of 10 busy]")
    assert pattern.search("Rl+  sidekiq 7.3.9 mastodon [3 of 25 busy] stopping")
    assert not pattern.search("Sl   ruby3.3 /opt/mastodon/vendor/bundle/bin/sidekiq")
    assert not pattern.search("Tl   sidekiq 8.1.6 mastodon [0 of 10 busy]")
    assert not pattern.search("Z    sidekiq 8.1.6 mastodon [0 of 10 busy]")
    # Nor is it the check itself.
    assert not pattern.search(" ".join(["Ss  ", "sh", "-c", service("sidekiq")["healthcheck"]["test"][1]]))


def test_sidekiq_gets_the_time_that_it_takes_to_put_jobs_back() -> None:
    sidekiq = service("sidekiq")
    assert sidekiq["command"][-2:] == ["-t", "60"]
    assert int(sidekiq["stop_grace_period"].removesuffix("s")) > 60
    assert "60 seconds" in mastodon_project(settings_with(), 4096, ipv6=False).notices["sidekiq"]


def test_a_small_server_gets_more_time_to_start() -> None:
    periods = [service("web", memory_mib=memory)["healthcheck"]["start_period"] for memory in (961, 4096)]
    assert periods == ["600s", "300s"]


def test_the_ways_out_have_ipv6_where_visitors_have() -> None:
    for ipv6, wanted in ((False, {}), (True, {"enable_ipv6": True})):
        for project in (mastodon_project(settings_with(), 4096, ipv6=ipv6), proxy_project(settings_with(), ipv6=ipv6)):
            (file,) = (each for each in project.files if each.path.endswith("/compose.yaml"))
            assert yaml.load(file.content, yaml.CSafeLoader)["networks"]["outbound"] == wanted


def test_the_proxy_has_room_for_as_many_as_the_inner_nginx() -> None:
    (outer,) = (
        each.content for each in proxy_project(settings_with(), ipv6=False).files if each.path.endswith("x.conf")
    )
    for directive in ("worker_connections 8192;", "worker_rlimit_nofile 16384;"):
        assert directive in outer and directive in text_of("nginx.conf")


def test_the_plan_says_what_visitors_will_notice_of_what_cannot_be_doubled() -> None:
    mastodon, proxy = mastodon_project(settings_with(), 4096, ipv6=False), proxy_project(settings_with(), ipv6=False)
    assert all("stops for a moment" in mastodon.notices[each] for each in ("db", "redis"))
    assert mastodon.replaced["nginx"] is Way.BESIDE and "starts beside" in mastodon.notices["nginx"]
    assert proxy.replaced == {"nginx": Way.HANDOVER} and "another proxy takes over" in proxy.notices["nginx"]


@pytest.mark.parametrize(("own", "words"), [({}, "starts beside"), ({"web_side_by_side": False}, "stops before")])
def test_the_plan_says_what_visitors_will_notice_of_a_new_web(own: dict[str, Any], words: str) -> None:
    project = mastodon_project(settings_with(**own), 4096, ipv6=False)
    assert words in project.notices["web"]
    assert project.replaced["sidekiq"] is Way.AFTER
    assert project.replaced["web"] is (Way.AFTER if own else Way.BESIDE)


def test_a_visitor_decides_neither_host_nor_port_of_what_is_kept_for_others() -> None:
    """The proxy outside passes both on with proxy_downstream_addresses, and the key of the cache has neither."""
    text = text_of("nginx.conf", proxy_downstream_addresses=["203.0.113.0/24"])
    common, _, servers = text.partition("    server {")
    headers = dict(re.findall(r"proxy_set_header (\S+) (\S+);", common))
    assert (headers["X-Forwarded-Host"], headers["X-Forwarded-Port"]) == ("$http_host", "443")
    # A location that sets one header sends no other one of these.
    assert "proxy_set_header" not in servers
