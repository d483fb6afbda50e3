"""The contract that each mail provider's module passes, over TLS, against its stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.cloud.errors import ProvisionError
from mstdn.mail_domain.provider import MailProvider, mail_provider
from mstdn.mail_domain.wishes import wishes_of
from mstdn.secrets.operator import provider_keys
from tests.stand_ins.internet import answer
from tests.stand_ins.operator import provision_settings
from tests.stand_ins.world import World

RECORDS = ['k1._domainkey.example.org. TXT "v=DKIM1; p=MIIB"']


def provider_of(name: str, **values: Any) -> MailProvider:
    records = {"mail_domain_records": RECORDS} if name == "manual" else {}
    settings = provision_settings(mail_domain_provider=name, mail_domain="example.org", **records, **values)
    return mail_provider(settings, provider_keys()[0])


def register(provider: MailProvider) -> None:
    for domain in provider.domains:
        provider.register(domain)


@pytest.fixture(name="provider", params=["sparkpost", "manual"])
def _provider(request: pytest.FixtureRequest, world: World) -> MailProvider:
    return provider_of(request.param)


def test_a_registered_domain_says_which_records_it_wants(provider: MailProvider) -> None:
    if provider.look() is None:
        register(provider)
    found = provider.look()
    assert found is not None
    assert [(name.partition("._domainkey.")[2], kind) for name, kind, _ in found.records] == [("example.org", "TXT")]
    assert "p=MI" in found.records[0][2] and '"' not in found.records[0][2]


def test_it_is_verified_once_its_records_are_published(provider: MailProvider, world: World) -> None:
    if provider.look() is None:
        register(provider)
        assert provider.verify() != ()
    found = provider.look()
    assert found is not None
    for name, kind, value in found.records:
        world.names.publish("example.org", name, kind, 300, (value,))
    assert list(provider.verify()) == []
    verified = provider.look()
    assert verified is not None and verified.verified


def test_a_second_registration_changes_nothing(world: World) -> None:
    provider = provider_of("sparkpost")
    register(provider)
    before = provider.look()
    register(provider)
    assert provider.look() == before


def test_a_registration_whose_answer_was_lost_is_found(world: World) -> None:
    provider = provider_of("sparkpost")
    world.internet.die_at, world.internet.handled = 2, True
    with pytest.raises(Exception, match="Run again"):
        register(provider)
    world.internet.revive()
    register(provider)
    assert len(world.sparkpost.domains) == 1


def test_the_bounce_domain_is_registered_and_verified_beside_it(world: World) -> None:
    provider = provider_of("sparkpost", mail_domain_bounce="b.example.org")
    register(provider)
    found = provider.look()
    assert found is not None
    assert found.records[1] == ("b.example.org", "CNAME", "sparkpostmail.com")
    assert found.unverified == ("DKIM", "bounce domain")
    assert (provider.verifies, provider.foreseen) == (found.unverified, found.records[1:])


def test_a_bounce_domain_that_is_wanted_later_is_all_that_is_missing(world: World) -> None:
    register(provider_of("sparkpost"))
    found = provider_of("sparkpost", mail_domain_bounce="b.example.org").look()
    assert found is not None
    assert (found.missing, found.verified, len(found.records)) == (("b.example.org",), False, 2)


def test_accounts_of_the_european_union_are_asked_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKPOST_API_KEY", "sparkpost-eu-canary")
    register(provider_of("sparkpost", mail_domain_region="eu"))
    assert list(world.sparkpost_eu.domains) == ["example.org"] and world.sparkpost.domains == {}


def test_a_key_of_1024_bits_is_asked_for_where_2048_do_not_fit(world: World) -> None:
    provider = provider_of("sparkpost", mail_domain_dkim_bits=1024)
    register(provider)
    assert len(world.sparkpost.domains["example.org"]["dkim"]["public"]) == 216


def test_a_policy_that_the_provider_wants_takes_the_place_of_ours(world: World) -> None:
    settings_records = ['_dmarc.example.org. TXT "v=DMARC1; p=quarantine"', *RECORDS]
    settings = provision_settings(
        mail_domain_provider="manual", mail_domain="example.org", mail_domain_records=settings_records
    )
    wishes = wishes_of("example.org", mail_provider(settings, {}), 300)
    assert [wish.name for wish in wishes] == ["_dmarc.example.org", "k1._domainkey.example.org"]


def test_a_domain_that_is_said_to_be_there_is_not_believed_unseen(world: World) -> None:
    taken = answer(409, {"errors": [{"message": "resource conflict", "code": "1602"}]})
    world.internet.interventions.append(lambda request: taken if request.method == "POST" else None)
    with pytest.raises(ProvisionError, match="resource conflict"):
        register(provider_of("sparkpost"))
