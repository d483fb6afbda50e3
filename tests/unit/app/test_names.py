"""For which names the proxy answers where the accounts have another name than the site."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mstdn.app import names as app_names
from mstdn.app.project import mastodon_project
from mstdn.docker.facts import Container
from mstdn.fact import CouldNotLook, Question
from mstdn.preflight.facts import ServerReport
from mstdn.preflight.names import leads_here
from mstdn.proxy.project import proxy_project
from mstdn.settings import Settings
from tests.harness import settings_with

HERE, ELSEWHERE = "198.51.100.7", "203.0.113.9"


def settings(**values: Any) -> Settings:
    return settings_with(**({"local_domain": "example.org", "web_domain": "social.example.org"} | values))


@pytest.mark.parametrize(
    ("answers", "values", "whether"),
    [
        ([HERE], {}, True),
        ([HERE, ELSEWHERE], {}, True),
        ([ELSEWHERE], {}, False),
        ([ELSEWHERE], {"public_ipv4": ELSEWHERE}, True),
        ([], {}, False),
    ],
)
def test_a_name_leads_here_if_one_of_its_addresses_is_the_servers(
    answers: list[str], values: dict[str, Any], whether: bool
) -> None:
    report = ServerReport(addresses=frozenset({HERE}), answers={"example.org": frozenset(answers)})
    assert leads_here("example.org", report, settings(**values)) is whether


def files(names: tuple[str, ...]) -> dict[str, str]:
    projects = (
        mastodon_project(settings(), 2048, ipv6=False, names=names),
        proxy_project(settings(), ipv6=False, names=names),
    )
    return {file.path: file.text for project in projects for file in project.files}


def test_the_proxy_answers_for_the_accounts_name_with_a_certificate_and_leads_to_the_site() -> None:
    found = files(("social.example.org", "example.org"))
    assert 'LETSENCRYPT_HOST: "social.example.org,example.org"' in found["/srv/mastodon/compose.yaml"]
    assert "/srv/proxy/vhost.d/example.org" in found
    (server,) = re.findall(
        r"server \{\n *listen 9090;\n.*?\n    \}", found["/srv/mastodon/nginx/nginx.conf"], re.DOTALL
    )
    assert "server_name example.org;" in server
    assert server.count("return 301 https://social.example.org$request_uri;") == 2
    assert "(webfinger|host-meta|nodeinfo)" in server and "Access-Control-Allow-Origin * always" in server


def test_where_somebody_else_serves_the_accounts_name_the_proxy_does_not() -> None:
    found = files(("social.example.org",))
    assert 'LETSENCRYPT_HOST: "social.example.org"' in found["/srv/mastodon/compose.yaml"]
    assert "/srv/proxy/vhost.d/example.org" not in found
    assert "server_name example.org;" not in found["/srv/mastodon/nginx/nginx.conf"]


WEBSITE = "VIRTUAL_HOST=example.org,www.example.org"


@pytest.mark.parametrize(
    ("asks", "here"),
    [
        ((), True),
        (("VIRTUAL_HOST=www.example.org",), True),
        ((WEBSITE,), False),
        (("VIRTUAL_HOST=~^(www\\.)?example\\.org$",), False),
    ],
)
def test_a_site_that_somebody_has_under_the_name_of_the_accounts_keeps_all_its_visitors(
    asks: tuple[str, ...], here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = ServerReport(addresses=frozenset({HERE}), answers={"example.org": frozenset({HERE})})
    website = Container(id="1", name="website", image="", reference="", status="running", asks=asks)
    answers = {"preflight/report": report, "docker/containers": [website]}
    monkeypatch.setattr(app_names, "ask", lambda question: answers[question.fact.script])
    assert app_names.names_here(settings()) == ("social.example.org", *(["example.org"] if here else []))


def test_before_the_engine_runs_nobody_is_known_to_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    report = ServerReport(addresses=frozenset({HERE}), answers={"example.org": frozenset({HERE})})

    def ask(question: Question[Any]) -> object:
        if question.fact.script == "preflight/report":
            return report
        raise CouldNotLook("the engine does not run")

    monkeypatch.setattr(app_names, "ask", ask)
    with pytest.raises(CouldNotLook):
        app_names.names_here(settings())
    assert app_names.served_names(settings()) == ("social.example.org",)
