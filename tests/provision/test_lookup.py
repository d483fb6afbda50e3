"""The DNS as the world sees it: from the registry down, at the servers that each zone is delegated to."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.cloud.errors import ProvisionError
from mstdn.dns.lookup import Lookup
from mstdn.dns.operations import proven_records
from tests.stand_ins.operator import provision_settings, run
from tests.stand_ins.world import World

NAME = "social.example.org"


@pytest.fixture(name="lookup")
def _lookup(world: World) -> Lookup:
    """Asks the zones' own servers; the registry's address comes from the resolver."""
    return Lookup(port=world.names.port, seconds=0.3, helpers=("127.0.0.1",))


def test_every_name_server_of_the_zone_is_asked(world: World, lookup: Lookup) -> None:
    world.names.publish("example.org", NAME, "A", 300, ("198.51.100.7",))
    answers = lookup.ask(NAME, "A")
    assert [(answer.server, answer.values) for answer in answers] == [
        ("127.0.0.2", ("198.51.100.7",)),
        ("127.0.0.3", ("198.51.100.7",)),
    ]


def test_a_name_is_never_looked_up_through_a_resolver(world: World, lookup: Lookup) -> None:
    lookup.ask(NAME, "A")
    lookup.caa(NAME)
    assert [each for each in world.names.questions if each[3] and "example" in each[1].removeprefix("ns")] in (
        [],
        [each for each in world.names.questions if each[3] and each[1].startswith("ns")],
    )
    assert (NAME, "A") not in world.names.resolver_remembers


def test_a_zone_inside_a_zone_is_found(world: World, lookup: Lookup) -> None:
    world.names.add_zone(NAME, (f"ns.{NAME}", "127.0.0.3"))
    cut = lookup.delegation(f"www.{NAME}")
    assert (cut.name, cut.servers, cut.addresses) == (NAME, (f"ns.{NAME}",), ("127.0.0.3",))


def test_a_domain_that_nobody_registered_lies_in_the_registry(lookup: Lookup) -> None:
    assert lookup.delegation("social.unregistered.org").name == "org"


def test_a_server_that_is_deaf_leaves_the_word_to_the_others(world: World, lookup: Lookup) -> None:
    world.names.publish("example.org", NAME, "A", 300, ("198.51.100.7",))
    world.names.deaf.add("127.0.0.2")
    assert [answer.server for answer in lookup.ask(NAME, "A")] == ["127.0.0.3"]
    assert lookup.silent == {"127.0.0.2"}


def test_a_server_that_was_silent_is_not_waited_for_again_and_again(
    world: World, lookup: Lookup, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    query = lookup._query

    def watched(target: str, name: str, kind: str) -> Any:
        asked.append(target)
        return query(target, name, kind)

    monkeypatch.setattr(lookup, "_query", watched)
    world.names.deaf.add("127.0.0.2")
    for kind in ("A", "AAAA", "TXT"):
        assert len(lookup.ask(NAME, kind)) == 1
    assert asked.count("127.0.0.2") == 1
    world.names.deaf.add("127.0.0.3")
    with pytest.raises(ProvisionError, match="None of the name servers"):
        lookup.ask(NAME, "A")
    world.names.deaf.clear()
    assert lookup.ask(NAME, "A") != []


def test_a_server_that_was_not_heard_is_told_beside_the_proof(
    world: World, lookup: Lookup, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.names.publish("example.org", NAME, "A", 300, ("198.51.100.7",))
    monkeypatch.setattr("mstdn.dns.operations.Lookup", lambda resolvers: lookup)
    settings = provision_settings(dns_provider="manual", public_ipv4="198.51.100.7")
    assert "gave no answer" not in run(proven_records, settings=settings).text
    world.names.deaf.add("127.0.0.2")
    outcome = run(proven_records, settings=settings)
    assert outcome.refusal == ""
    assert "Warning: the name server 127.0.0.2 gave no answer to this computer" in outcome.text


def test_where_nobody_answers_it_says_so_and_names_the_setting(world: World, lookup: Lookup) -> None:
    lookup.delegation(NAME)
    world.names.deaf |= {"127.0.0.2", "127.0.0.3"}
    with pytest.raises(ProvisionError, match=r"None of the name servers of example.org answers .* dns_resolvers"):
        lookup.ask(NAME, "A")


def test_a_long_text_comes_whole_over_tcp(world: World, lookup: Lookup) -> None:
    text = "v=DKIM1; p=" + "x" * 2000
    world.names.publish("example.org", NAME, "TXT", 300, (text,))
    assert {answer.values for answer in lookup.ask(NAME, "TXT")} == {(text,)}


def test_caa_records_are_those_of_the_nearest_name_that_has_some(world: World, lookup: Lookup) -> None:
    assert lookup.caa(NAME) == (NAME, ())
    world.names.publish("example.org", "example.org", "CAA", 300, ('0 issue "letsencrypt.org"',))
    assert lookup.caa(NAME) == ("example.org", ('0 issue "letsencrypt.org"',))
    world.names.publish("example.org", NAME, "CAA", 300, ('0 issue "digicert.com"',))
    assert lookup.caa(NAME) == (NAME, ('0 issue "digicert.com"',))


def test_an_alias_is_shown_and_not_followed(world: World, lookup: Lookup) -> None:
    world.names.publish("example.org", NAME, "CNAME", 300, ("example.org.",))
    world.names.publish("example.org", "example.org", "A", 300, ("198.51.100.7",))
    assert {(answer.cname, answer.values) for answer in lookup.ask(NAME, "A")} == {("example.org", ())}


def test_resolvers_of_the_operator_are_asked_for_everything(world: World) -> None:
    world.names.publish("example.org", NAME, "A", 300, ("198.51.100.7",))
    lookup = Lookup((world.resolver,), seconds=0.3)
    assert [answer.values for answer in lookup.ask(NAME, "A")] == [("198.51.100.7",)]
    assert {server for server, *_ in world.names.questions} == {"127.0.0.1"}
