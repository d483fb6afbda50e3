"""What it means for IPv6 how the network front was made."""

from __future__ import annotations

import pytest

from mstdn.docker.facts import Container
from mstdn.networks.facts import Network
from mstdn.networks.rules import freed, ipv4_findings, ipv6_findings, ipv6_reaches_containers

WITH, WITHOUT = (Network("id-of-front", "bridge", internal=False, ipv6=ipv6) for ipv6 in (True, False))
NEW, OLD = (29, 1), (26, 1)
SITE = ["social.example.org"]


def container(name: str, project: str) -> Container:
    return Container(id=name, name=name, image="", reference="", status="running", project=project)


OURS = [container("proxy-nginx-1", "proxy"), container("mstdn-nginx-1", "mstdn")]


@pytest.mark.parametrize(
    ("front", "server", "setting", "engine", "reaches"),
    [
        (WITH, True, "auto", NEW, True),
        (WITH, True, "auto", OLD, True),
        (WITHOUT, True, "auto", NEW, False),
        (WITHOUT, True, True, NEW, False),
        (WITH, False, "auto", NEW, False),
        # Before the network exists it is foreseen.
        (None, True, "auto", NEW, True),
        (None, True, "auto", (27, 0), True),
        (None, True, "auto", (0, 0), True),
        (None, True, "auto", OLD, False),
        (None, True, "auto", (25, 0), False),
        (None, True, False, NEW, False),
        (None, False, True, NEW, False),
    ],
)
def test_the_site_is_published_on_ipv6_only_where_front_has_it(
    front: Network | None, server: bool, setting: bool | str, engine: tuple[int, int], reaches: bool
) -> None:
    assert ipv6_reaches_containers(front, server, setting, engine) is reaches


def told(
    front: Network | None, engine: tuple[int, int], names: list[str], setting: bool | str
) -> list[tuple[str, str]]:
    found = ipv6_findings(front, OURS, engine, names, setting)
    return [(finding.level, finding.text) for finding in found]


def test_containers_of_somebody_else_are_taken_off_a_network_and_not_removed() -> None:
    commands, afterwards = freed("front", [*OURS, container("cloud", ""), container("shop-web-1", "shop")])
    assert commands == (
        "docker rm --force proxy-nginx-1 mstdn-nginx-1; docker network disconnect --force front cloud; "
        "docker network disconnect --force front shop-web-1; "
    )
    assert "docker network connect front cloud; docker network connect front shop-web-1" in afterwards
    assert freed("front", OURS) == ("docker rm --force proxy-nginx-1 mstdn-nginx-1; ", "")


@pytest.mark.parametrize("front", [WITH, None])
def test_where_containers_have_ipv6_there_is_nothing_to_say(front: Network | None) -> None:
    assert told(front, NEW, SITE, "auto") == []


def test_before_the_first_installation_an_engine_is_known_only_where_it_is_there() -> None:
    assert told(None, (0, 0), SITE, "auto") == []
    assert [level for level, _ in told(None, OLD, SITE, "auto")] == ["error"]


def test_a_front_from_before_the_server_had_ipv6_is_named_with_the_step_that_makes_it_anew() -> None:
    ((level, text),) = told(WITHOUT, NEW, [], "auto")
    assert level == "warning" and "not published on IPv6" in text and "AAAA" not in text
    assert "docker rm --force proxy-nginx-1 mstdn-nginx-1; docker network rm front" in text
    # The authority tries IPv6 first, so that there would be no certificate either.
    ((level, text),) = told(WITHOUT, NEW, SITE, "auto")
    assert level == "error" and "social.example.org has an AAAA record" in text


def test_an_engine_that_gives_containers_no_ipv6_is_named() -> None:
    assert [told(WITHOUT, OLD, names, "auto")[0][0] for names in ([], SITE)] == ["warning", "error"]
    ((_, text),) = told(WITHOUT, OLD, SITE, "auto")
    assert "Docker Engine 26.1" in text and "27" in text


def test_an_engine_that_cannot_be_forced_is_refused_before_the_network_is_made() -> None:
    ((level, text),) = told(None, OLD, [], setting=True)
    assert level == "error" and 'networks_ipv6 = "auto"' in text


def test_an_aaaa_record_without_ipv6_is_refused_where_that_is_the_operators_choice() -> None:
    ((level, text),) = told(WITHOUT, NEW, SITE, setting=False)
    assert level == "error" and "AAAA" in text and 'networks_ipv6 = "auto"' in text
    assert told(WITHOUT, NEW, [], setting=False) == []


def test_a_server_without_ipv4_is_told_what_does_not_work() -> None:
    (finding,) = ipv4_findings(["2001:db8::7"], "")
    assert finding.level == "warning"
    for words in ("ghcr.io", "github.com", "NAT64", "public_ipv4"):
        assert words in finding.text
    assert list(ipv4_findings(["2001:db8::7"], "198.51.100.7")) == []
    assert list(ipv4_findings(["2001:db8::7", "10.0.0.5"], "")) == []
