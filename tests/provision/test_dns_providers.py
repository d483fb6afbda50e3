"""The contract that each DNS provider's module passes, over TLS, against its stand-in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mstdn.cloud.errors import ProvisionError
from mstdn.dns.lookup import Lookup
from mstdn.dns.provider import DnsProvider, dns_provider
from mstdn.dns.rules import Change, record_set
from mstdn.secrets.operator import provider_keys
from tests.stand_ins.operator import provision_settings
from tests.stand_ins.world import World

LONG_TEXT = "v=DKIM1; k=rsa; h=sha256; p=" + "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" * 13
NAME = "social.example.org"


@dataclass
class Account:
    """An account at a provider with the zone example.org. `put`: a record that somebody made before."""

    world: World
    provider: DnsProvider
    put: Callable[[str, str, str], None]


@pytest.fixture(name="account", params=["hetzner", "cloudflare", "route53"])
def _account(request: pytest.FixtureRequest, world: World) -> Account:
    add_zones: dict[str, Callable[[str], object]] = {
        "hetzner": world.hetzner.add_zone,
        "cloudflare": world.cloudflare.add_zone,
        "route53": world.route53.add_zone,
    }
    add_zones[request.param]("example.org")
    settings = provision_settings(dns_provider=request.param, public_ipv4="198.51.100.7")
    keys, _ = provider_keys()

    def put(name: str, kind: str, value: str) -> None:
        if request.param == "cloudflare":
            world.cloudflare.put_record("example.org", name, kind, value)
        elif request.param == "hetzner":
            world.hetzner.put_record("example.org", name, kind, [value])
        else:
            world.route53.put_record("example.org", name, kind, [value])

    return Account(world, dns_provider(settings, keys, Lookup((world.resolver,))), put)


def test_the_zone_of_a_name_is_found_with_its_name_servers(account: Account) -> None:
    zones = account.provider.zones("deep.social.example.org")
    assert [(zone.name, zone.name_servers) for zone in zones] == [
        ("example.org", ("ns1.example.org", "ns2.example.org"))
    ]
    assert account.provider.zones("social.example.com") == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("A", "198.51.100.7"),
        ("AAAA", "2001:db8::7"),
        ("TXT", LONG_TEXT),
        ("TXT", 'with "quotes" and \\'),
        ("CNAME", "eu.sparkpostmail.com"),
        ("MX", "10 mx.example.net"),
    ],
)
def test_a_record_is_made_read_back_and_seen_by_the_world(account: Account, kind: str, value: str) -> None:
    (zone,) = account.provider.zones(NAME)
    wanted = record_set(NAME, kind, [value], 300)
    account.provider.change(zone, Change((), wanted))
    assert account.provider.records(zone, NAME) == [wanted]
    account.world.settle()
    assert [each.rstrip(".") for each in account.world.names.values(NAME, kind)] == [value]


def test_a_record_of_the_zone_itself_is_made(account: Account) -> None:
    (zone,) = account.provider.zones("example.org")
    wanted = record_set("example.org", "A", ["198.51.100.7"], 300)
    account.provider.change(zone, Change((), wanted))
    assert account.provider.records(zone, "example.org") == [wanted]


def test_a_change_is_over_only_when_the_world_sees_it(account: Account) -> None:
    (zone,) = account.provider.zones(NAME)
    account.provider.change(zone, Change((), record_set(NAME, "A", ["198.51.100.7"], 300)))
    assert account.world.names.values(NAME, "A") == ("198.51.100.7",)


def test_another_value_is_replaced(account: Account) -> None:
    account.put(NAME, "A", "192.0.2.1")
    (zone,) = account.provider.zones(NAME)
    (old,) = account.provider.records(zone, NAME)
    account.provider.change(zone, Change((old,), record_set(NAME, "A", ["198.51.100.7"], 300)))
    assert [each.values for each in account.provider.records(zone, NAME)] == [("198.51.100.7",)]


def test_a_cname_gives_way_to_an_address(account: Account) -> None:
    account.put(NAME, "CNAME", "old.example.net.")
    (zone,) = account.provider.zones(NAME)
    (old,) = account.provider.records(zone, NAME)
    account.provider.change(zone, Change((old,), record_set(NAME, "A", ["198.51.100.7"], 300)))
    assert [(each.type, each.values) for each in account.provider.records(zone, NAME)] == [("A", ("198.51.100.7",))]


def test_a_record_is_removed_and_nothing_else(account: Account) -> None:
    account.put(NAME, "A", "198.51.100.7")
    account.put(NAME, "AAAA", "2001:db8::1")
    (zone,) = account.provider.zones(NAME)
    (old,) = [each for each in account.provider.records(zone, NAME) if each.type == "AAAA"]
    account.provider.change(zone, Change((old,), None))
    assert [each.type for each in account.provider.records(zone, NAME)] == ["A"]


def test_what_somebody_else_made_meanwhile_is_not_overwritten(account: Account) -> None:
    (zone,) = account.provider.zones(NAME)
    account.put(NAME, "A", "192.0.2.1")
    with pytest.raises(ProvisionError) as refusal:
        account.provider.change(zone, Change((), record_set(NAME, "A", ["198.51.100.7"], 300)))
    assert "at the same moment" in str(refusal.value)
    assert [each.values for each in account.provider.records(zone, NAME)] == [("192.0.2.1",)]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(account: Account) -> None:
    account.put(NAME, "A", "192.0.2.1")
    (zone,) = account.provider.zones(NAME)
    (old,) = account.provider.records(zone, NAME)
    account.provider.change(zone, Change((old,), record_set(NAME, "A", ["192.0.2.2"], 300)))
    with pytest.raises(ProvisionError, match="at the same moment"):
        account.provider.change(zone, Change((old,), record_set(NAME, "A", ["198.51.100.7"], 300)))
    assert [each.values for each in account.provider.records(zone, NAME)] == [("192.0.2.2",)]


def test_names_with_many_neighbours_are_read_in_full(account: Account) -> None:
    for number in range(60):
        account.put(f"a{number}.example.org", "A", "192.0.2.1")
    account.put(NAME, "TXT", '"one"')
    (zone,) = account.provider.zones(NAME)
    assert [each.values for each in account.provider.records(zone, NAME)] == [("one",)]
