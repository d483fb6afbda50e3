"""Who asks the proxy for names, and who holds its ports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mstdn.docker.facts import Container
from mstdn.preflight.facts import Listener, ServerReport
from mstdn.proxy.neighbours import claims, findings, names_in, whose_name
from tests.harness import settings_with

SITE = "social.example.org"


@pytest.mark.parametrize(
    ("variable", "names"),
    [
        ("VIRTUAL_HOST=Alice.example.org, social.example.org.", {"alice.example.org", SITE}),
        ("VIRTUAL_HOST=", set()),
        ("VIRTUAL_HOST=*.example.org", {"*.example.org"}),
        (r"VIRTUAL_HOST=~^\S+\.Example\.", {r"~^\S+\.Example\."}),
        ("VIRTUAL_HOST_MULTIPORTS=social.example.org:\n  /:\n    port: 8000\n", {SITE}),
        ('VIRTUAL_HOST_MULTIPORTS={"*.example.org": {}, "www.example.*": {}}', {"*.example.org", "www.example.*"}),
        ('VIRTUAL_HOST_MULTIPORTS={"social.example.org": {"/": {"port": 8000}}}', {SITE}),
    ],
)
def test_names_are_read_from_both_variables(variable: str, names: set[str]) -> None:
    assert names_in(variable) == names


def asking(name: str, project: str, *hosts: str, status: str = "running") -> Container:
    asks = tuple(f"VIRTUAL_HOST={host}" for host in hosts)
    return Container(id=name, name=name, image="", reference="", status=status, project=project, asks=asks)


def test_a_container_of_somebody_else_that_claims_the_sites_name_is_named() -> None:
    ours = asking("mstdn-nginx-1", "mstdn", SITE)
    other = asking("old", "shop", SITE, "shop.example.org")
    neighbour = asking("cloud", "", "alice.example.org", "*.example.org", ".example.org")
    stopped = asking("older", "shop", SITE, status="exited")
    (found,) = claims((ours, other, neighbour, stopped), settings_with())
    assert [each.text for each in claims((replace(other, status="restarting"),), settings_with())] == [found.text]
    with_all_below = asking("cloud", "", f".{SITE}")
    assert [each.level for each in claims((with_all_below,), settings_with())] == ["error"]
    assert found.level == "error"
    assert "The container old asks the proxy for social.example.org too" in found.text
    assert "docker stop old" in found.text


@pytest.mark.parametrize(
    "asked",
    [
        "example.org",
        "www.example.org,Example.org",
        "*.org",
        ".org",
        ".example.org",
        "example.*",
        r"~^(www\.)?example\.org$",
        r"~^EX|^\S+\.org$",
    ],
)
@pytest.mark.parametrize("status", ["running", "paused", "restarting"])
def test_a_site_of_somebody_else_has_its_name_by_itself_or_by_a_pattern(asked: str, status: str) -> None:
    ours = asking("mstdn-nginx-1", "mstdn", SITE, "example.org")
    assert whose_name("example.org", (ours, asking("website", "", asked, status=status))) == "website"


@pytest.mark.parametrize(
    "asked",
    ["social.example.org", "www.example.org", "*.example.org", ".www.example.org", "example.net", r"~^www\.", "~(", ""],
)
def test_a_site_of_another_name_does_not(asked: str) -> None:
    stopped = asking("older", "", "example.org", status="exited")
    assert whose_name("example.org", (asking("website", "", asked), stopped)) == ""


ID = "4f" * 32
EDGE = Container(id=ID, name="edge", image="sha256:1", reference="nginx:1.29-alpine", status="running")


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        (ID, "nginx (process 812) in the container edge (nginx:1.29-alpine), which uses the server's own network"),
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
