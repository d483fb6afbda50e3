"""What others have at a name stays as it is, down to its last byte; and names as they may also be written."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.dns.operations import proven_records, site_records
from mstdn.dns.zone_file import quoted, unquoted
from mstdn.mail_domain.operations import published_domain
from tests.stand_ins.operator import Outcome, plan, provision_settings, run
from tests.stand_ins.world import World

PROVIDERS = ("route53", "cloudflare", "hetzner")
SPF = 'example.org. TXT "v=spf1 include:mail.example.net -all"'
# Two strings, a byte that is no UTF-8, quotes: whatever it means, it is not ours.
STRANGE = '"one \\255\\"" "two"'


def settings_for(world: World, provider: str, **values: Any) -> Any:
    chosen = {"dns_provider": provider, "public_ipv4": "198.51.100.7", "dns_resolvers": [world.resolver]}
    return provision_settings(**(chosen | values))


def with_mail(world: World, provider: str) -> Any:
    mail = {"mail_domain_provider": "manual", "mail_domain": "example.org", "mail_domain_records": [SPF]}
    return settings_for(world, provider, **mail)


def add_zone(world: World, provider: str, name: str = "example.org") -> None:
    if name not in world.names.delegations:
        world.names.add_zone(name, ("ns1.example.org", "127.0.0.2"), ("ns2.example.org", "127.0.0.3"))
    getattr(world, provider).add_zone(name)


def put(world: World, provider: str, name: str, kind: str, *values: str) -> None:
    if provider == "cloudflare":
        for value in values:
            world.cloudflare.put_record("example.org", name, kind, value)
    else:
        getattr(world, provider).put_record("example.org", name, kind, list(values))


def kept(world: World, provider: str, name: str, kind: str) -> list[Any]:
    """What the account has at the name, in the provider's own form."""
    if provider == "cloudflare":
        (zone,) = world.cloudflare.records.values()
        return [each for each in zone.values() if (each["name"], each["type"]) == (name, kind)]
    if provider == "hetzner":
        (sets,) = world.hetzner.rrsets.values()
        return list(sets["@" if name == "example.org" else name.removesuffix(".example.org"), kind]["records"])
    (sets,) = world.route53.sets.values()
    return list(sets[name, kind]["values"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_text_that_joins_others_leaves_them_as_they_were(world: World, provider: str) -> None:
    add_zone(world, provider)
    put(world, provider, "example.org", "TXT", STRANGE, '"site-verification=1"')
    if provider == "hetzner":
        kept(world, provider, "example.org", "TXT")[0]["comment"] = "of Bob"
    before = kept(world, provider, "example.org", "TXT")
    assert run(published_domain, settings=with_mail(world, provider)).refusal == ""
    after = kept(world, provider, "example.org", "TXT")
    assert [each for each in after if each in before] == before and len(after) == len(before) + 1
    assert run(published_domain, settings=with_mail(world, provider)).done == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_several_texts_for_one_name_take_nothing_from_others_whatever_may_be_replaced(
    world: World, provider: str
) -> None:
    """A mail provider's console often wants SPF and a proof that the domain is the operator's, at the same name."""
    add_zone(world, provider)
    put(world, provider, "example.org", "TXT", '"site-verification=1"')
    records = [SPF, 'example.org. TXT "mail-verification=2"', 'k1._domainkey.example.org. TXT "p=MIIB"']
    mail = {"mail_domain_provider": "manual", "mail_domain": "example.org", "mail_domain_records": records}
    settings = settings_for(world, provider, **mail, dns_replace=True)
    assert run(published_domain, settings=settings).refusal == ""
    texts = {"site-verification=1", "mail-verification=2", "v=spf1 include:mail.example.net -all"}
    assert set(world.names.values("example.org", "TXT")) == texts
    assert run(published_domain, settings=settings).done == 0
    world.names.publish("example.org", "example.org", "TXT", 300, tuple(texts - {"mail-verification=2"}))
    told = run(proven_records, settings=provision_settings(**settings.model_dump() | {"dns_wait_seconds": 0})).text
    assert 'lacks a text of example.org. Add example.org. 300 IN TXT "mail-verification=2"' in told


@pytest.mark.parametrize("there", [(), ("site-verification=1",)], ids=["alone", "beside a text"])
def test_a_site_that_cloudflare_has_at_the_zone_itself_is_in_no_texts_way(world: World, there: tuple[str, ...]) -> None:
    """What it calls a CNAME there is none to the world, and dns_replace must not take it away for the sake of mail."""
    add_zone(world, "cloudflare")
    put(world, "cloudflare", "example.org", "CNAME", "pages.example.net")
    put(world, "cloudflare", "example.org", "TXT", *(f'"{text}"' for text in there))
    mail = {"mail_domain_provider": "manual", "mail_domain": "example.org", "mail_domain_records": [SPF]}
    settings = settings_for(world, "cloudflare", dns_replace=True, **mail)
    assert run(published_domain, settings=settings).refusal == ""
    assert len(kept(world, "cloudflare", "example.org", "CNAME")) == 1
    texts = [each["content"].strip('"') for each in kept(world, "cloudflare", "example.org", "TXT")]
    assert sorted(texts) == sorted([*there, "v=spf1 include:mail.example.net -all"])
    assert plan(published_domain, settings=settings).done == 0


def test_by_hand_nobody_is_told_to_remove_or_enter_what_stays(world: World) -> None:
    world.names.publish("example.org", "example.org", "TXT", 300, ("site-verification=1",))
    text = plan(published_domain, settings=with_mail(world, "manual")).text
    assert "site-verification" not in text and "remove" not in text
    assert 'example.org. 300 IN TXT "v=spf1 include:mail.example.net -all"' in text


def test_by_hand_each_kind_of_record_is_told_until_it_is_there(world: World) -> None:
    found = {
        ("b.example.org", "CNAME"): "mail.example.net.",
        ("send.example.org", "MX"): "10 mx.example.net.",
        ("example.org", "CAA"): '0 issue "letsencrypt.org"',
    }
    records = [f"{name}. {kind} {value}" for (name, kind), value in found.items()]
    mail = {"mail_domain_provider": "manual", "mail_domain": "example.org", "mail_domain_records": records}
    settings = settings_for(world, "manual", **mail)
    text = plan(published_domain, settings=settings).text
    assert [f"{name}. 300 IN {kind} {value}" in text for (name, kind), value in found.items()] == [True] * 3
    for (name, kind), value in found.items():
        world.names.publish("example.org", name, kind, 300, (value,))
    world.names.publish("example.org", "_dmarc.example.org", "TXT", 300, ("v=DMARC1; p=none",))
    world.names.resolver_remembers.clear()
    assert plan(published_domain, settings=settings).text.strip() == ""


@pytest.mark.parametrize("provider", [*PROVIDERS, "manual"])
@pytest.mark.parametrize(("policy", "weakened"), [("v=DMARC1; p=reject", False), ("site-verification=1", True)])
def test_a_policy_of_the_domain_above_is_not_overruled(
    world: World, provider: str, policy: str, *, weakened: bool
) -> None:
    if provider == "manual":
        world.names.publish("example.org", "_dmarc.example.org", "TXT", 300, (policy,))
    else:
        add_zone(world, provider)
        put(world, provider, "_dmarc.example.org", "TXT", f'"{policy}"')
    mail = {"mail_domain_provider": "manual", "mail_domain": "social.example.org"}
    settings = settings_for(
        world, provider, **mail, mail_domain_records=['k1._domainkey.social.example.org. TXT "p=MIIB"']
    )
    assert ("_dmarc.social.example.org" in plan(published_domain, settings=settings).text) is weakened
    assert run(published_domain, settings=settings).refusal == ""
    proof = run(proven_records, settings=provision_settings(**settings.model_dump() | {"dns_wait_seconds": 0})).text
    assert ("_dmarc.social.example.org" in proof) is (weakened and provider == "manual")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_alias_gives_way_to_both_addresses_in_one_run(world: World, provider: str) -> None:
    add_zone(world, provider)
    put(world, provider, "social.example.org", "CNAME", "old.example.net.")
    addresses = {"public_ipv4": "198.51.100.7", "public_ipv6": "2001:db8::7"}
    refusal = plan(site_records, settings=settings_for(world, provider, **addresses)).refusal
    assert refusal.count("has a CNAME record already") == 1
    outcome = run(site_records, settings=settings_for(world, provider, **addresses, dns_replace=True))
    assert (outcome.done, outcome.refusal) == (2, ""), outcome.text
    assert world.names.values("social.example.org", "AAAA") == ("2001:db8::7",)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_of_several_addresses_ours_stays_and_the_others_go_only_on_demand(world: World, provider: str) -> None:
    add_zone(world, provider)
    put(world, provider, "social.example.org", "A", "192.0.2.1", "198.51.100.7", "192.0.2.2")
    refusal = plan(site_records, settings=settings_for(world, provider)).refusal
    assert "has an A record already: 192.0.2.1, 192.0.2.2, 198.51.100.7" in refusal
    assert run(site_records, settings=settings_for(world, provider, dns_replace=True)).refusal == ""
    assert world.names.values("social.example.org", "A") == ("198.51.100.7",)
    assert run(site_records, settings=settings_for(world, provider)).done == 0


def test_a_text_of_bytes_is_the_same_after_unquoting_and_quoting() -> None:
    assert quoted(unquoted('"\\000\\255 x"')) == '"\\000\\255 x"'


def provision(world: World, provider: str, **values: Any) -> list[Outcome]:
    settings = settings_for(world, provider, **values)
    return [run(operation, settings=settings) for operation in (site_records, proven_records)]


def test_a_name_that_cloudflare_proxies_is_proven_by_what_the_account_says(world: World) -> None:
    """The name servers answer with addresses of Cloudflare, IPv6 ones too."""
    add_zone(world, "cloudflare")
    world.cloudflare.put_record("example.org", "social.example.org", "A", "198.51.100.7", proxied=True)
    assert world.names.values("social.example.org", "AAAA") != ()
    first, proof = provision(world, "cloudflare")
    assert (first.refusal, proof.refusal) == ("", "")
    assert "social.example.org is proxied by Cloudflare (the orange cloud)" in first.text


def test_a_name_that_cloudflare_proxies_to_somewhere_else_is_refused(world: World) -> None:
    add_zone(world, "cloudflare")
    world.cloudflare.put_record("example.org", "social.example.org", "A", "192.0.2.1", proxied=True)
    refused, proof = provision(world, "cloudflare", dns_wait_seconds=0)
    assert "social.example.org has an A record already: 192.0.2.1" in refused.text
    assert "It should have this record, and only this" in proof.text
    replaced = provision(world, "cloudflare", dns_replace=True)
    assert [each.refusal for each in replaced] == ["", ""]
    assert "left as it is" not in replaced[0].text
    assert world.names.values("social.example.org", "A") == ("198.51.100.7",)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", ["example.org", "a.b.social.example.org", "xn--bcher-kva.example.org"])
def test_a_site_may_be_the_zone_itself_lie_deep_in_it_or_be_international(
    world: World, provider: str, name: str
) -> None:
    add_zone(world, provider)
    assert [each.text for each in provision(world, provider, local_domain=name) if each.refusal] == []
    assert world.names.values(name, "A") == ("198.51.100.7",)
    assert run(site_records, settings=settings_for(world, provider, local_domain=name)).done == 0


@pytest.mark.parametrize("written", ["example.org", "example.org.", "Example.ORG", "Example.Org."])
def test_a_zone_may_be_written_as_zone_files_do(world: World, written: str) -> None:
    add_zone(world, "cloudflare")
    add_zone(world, "cloudflare", "social.example.org")
    settings = settings_for(world, "cloudflare", dns_zone=written)
    assert settings.dns_zone == "example.org"


def test_an_identity_of_a_zone_keeps_its_capitals(world: World) -> None:
    first, second = world.route53.add_zone("example.org"), world.route53.add_zone("example.org")
    assert settings_for(world, "route53", dns_zone=second).dns_zone == second != first
