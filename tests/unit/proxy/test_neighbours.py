"""Who asks the proxy for names, and who holds its ports."""

from __future__ import annotations

import json

import pytest

from mstdn.docker.facts import Container
from mstdn.preflight.facts import Listener, ServerReport
from mstdn.proxy.facts import Claim, Claims, names_in
from mstdn.proxy.neighbours import claims, findings
from tests.harness import settings_with

SITE = "social.example.org"


@pytest.mark.parametrize(
    ("variable", "names"),
    [
        ("VIRTUAL_HOST=Alice.example.org, social.example.org.", {"alice.example.org", SITE}),
        ("VIRTUAL_HOST=", set()),
        ("VIRTUAL_HOST=*.example.org", {"*.example.org"}),
        ("VIRTUAL_HOST_MULTIPORTS=social.example.org:\n  /:\n    port: 8000\n", {SITE}),
        ('VIRTUAL_HOST_MULTIPORTS={"social.example.org": {"/": {"port": 8000}}}', {SITE}),
    ],
)
def test_names_are_read_from_both_variables(variable: str, names: set[str]) -> None:
    assert names_in(variable) == names


def test_claims_are_read_with_container_and_project() -> None:
    lines = [
        'claim /mstdn-nginx-1 mstdn "VIRTUAL_HOST=social.example.org"',
        "claim /old - " + json.dumps("VIRTUAL_HOST=a.example.org"),
    ]
    assert Claims().process(lines) == (
        Claim("mstdn-nginx-1", "mstdn", frozenset({SITE})),
        Claim("old", "", frozenset({"a.example.org"})),
    )


def test_a_container_of_somebody_else_that_claims_the_sites_name_is_named() -> None:
    ours = Claim("mstdn-nginx-1", "mstdn", frozenset({SITE}))
    other = Claim("old", "shop", frozenset({SITE, "shop.example.org"}))
    neighbour = Claim("cloud", "", frozenset({"alice.example.org", "*.example.org"}))
    (found,) = claims((ours, other, neighbour), settings_with())
    assert found.level == "error"
    assert "The container old asks the proxy for social.example.org too" in found.text
    assert "docker stop old" in found.text


ID = "4f" * 32
EDGE = Container(id=ID, name="edge", image="sha256:1", reference="nginx:1.30-alpine", status="running")


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        (ID, "nginx (process 812) in the container edge (nginx:1.30-alpine), which uses the server's own network"),
        ("apache2.service", "systemctl disable --now apache2.service"),
        ("", "for example: systemctl disable --now nginx"),
        ("session-3.scope", "for example: systemctl disable --now nginx"),
    ],
)
def test_whoever_holds_a_port_is_stopped_the_way_it_was_started(owner: str, words: str) -> None:
    report = ServerReport(listeners=(Listener(80, 812, "nginx", owner),))
    (found,) = findings(report, [EDGE], settings_with())
    assert found.text.startswith("Port 80, which the proxy needs, is held by nginx (process 812)")
    assert words in found.text
