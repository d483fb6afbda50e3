"""The site's names in the DNS."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra import host, logger, state

from mstdn.cloud.steps import Plan, carry_out, in_words
from mstdn.cloud.waiting import patiently
from mstdn.dns.lookup import Lookup
from mstdn.dns.proof import shortcomings
from mstdn.dns.provider import PROXIES, dns_provider
from mstdn.dns.publish import plan_to_publish, proven_by_the_account
from mstdn.dns.rules import caa_refusal, caa_warning
from mstdn.dns.wishes import Wish, site_wishes
from mstdn.mail_domain.wishes import mail_wishes
from mstdn.operation import operation
from mstdn.proxy.rules import LETS_ENCRYPT
from mstdn.refusal import refuse
from mstdn.secrets.operator import keys_for
from mstdn.server.provider import site_addresses
from mstdn.settings.provision import ProvisionSettings
from mstdn.shell import Commands

TASK = "tasks/dns.py"


@operation
def site_records(settings: ProvisionSettings) -> Commands:
    """
    Ensure that the site's names lead to the server, by A and AAAA records that say nothing else.

    A record with another value, a CNAME, an AAAA record left over are somebody's: refused, unless dns_replace.
    With dns_provider = "manual" the missing records are told, and tasks/proof.py says whether they are there.
    """
    yield from carry_out(lambda: _plan(settings))


def _plan(settings: ProvisionSettings) -> Plan:
    if not settings.dns_provider:
        return Plan("", agrees='dns_provider = "": the DNS is yours')
    keys = keys_for(settings)
    lookup = Lookup(settings.dns_resolvers)
    provider = dns_provider(settings, keys, lookup)
    return plan_to_publish(
        _site_wishes(settings),
        provider,
        lookup,
        dns_zone=settings.dns_zone,
        replace=settings.dns_replace,
        task=TASK,
        agrees=f"{', '.join(settings.site_names)} lead to the server",
    )


def _site_wishes(settings: ProvisionSettings) -> list[Wish]:
    keys = keys_for(settings)
    addresses = site_addresses(settings, keys)
    return site_wishes(settings.site_names, addresses.ipv4, addresses.ipv6, addresses.pending, settings.dns_ttl_seconds)


@operation
def proven_records(settings: ProvisionSettings) -> Commands:
    """
    Ensure that every name server of the zones answers with the site's and the mail's records, and that the CAA
    records let the certificate authority issue. Changes nothing; looks from this computer.

    Waits for dns_wait_seconds where a provider was told; by hand there is nothing to wait for.
    """
    if not settings.dns_provider:
        host.noop('dns_provider = "": nobody looks')
        return
    if not state.is_executing:
        host.noop("a plan does not ask name servers for what is not there yet")
        return
    patience = 0 if settings.dns_provider == "manual" else settings.dns_wait_seconds
    try:
        keys = keys_for(settings)
        site = _site_wishes(settings)
        elsewhere = _proven_by_the_account(settings, site)
        wishes = [*(wish for wish in site if wish not in elsewhere), *mail_wishes(settings, keys)]
        warnings: list[str] = []
        refusal = "\n".join(patiently(lambda: _looked(settings, wishes, warnings), patience))
    except Exception as error:
        refusal = in_words(error)
    if refusal:
        yield from refuse(refusal)
        return
    for warning in dict.fromkeys(warnings):
        host.log(f"Warning: {warning}", logger.warning)
    host.noop(f"the name servers answer with all {len(wishes)} records")


def _proven_by_the_account(settings: ProvisionSettings, wishes: Sequence[Wish]) -> list[Wish]:
    if settings.dns_provider not in PROXIES:
        return []
    lookup = Lookup(settings.dns_resolvers)
    provider = dns_provider(settings, keys_for(settings), lookup)
    return proven_by_the_account(wishes, provider, lookup, settings.dns_zone)


def _looked(settings: ProvisionSettings, wishes: Sequence[Wish], warnings: list[str]) -> list[str]:
    """
    Each time with new eyes: what was found before is not remembered. `warnings` becomes what is not in the way.
    """
    lookup = Lookup(settings.dns_resolvers)
    found = shortcomings(wishes, lookup)
    warnings.clear()
    if settings.acme_directory == LETS_ENCRYPT:
        for name in settings.site_names:
            owner, values = lookup.caa(name)
            found += filter(None, [caa_refusal(owner, values)])
            warnings += filter(None, [caa_warning(owner, values)])
    warnings += [
        f"the name server {server} gave no answer to this computer. Nothing was proven there, and visitors who ask it "
        "may not find the site."
        for server in sorted(lookup.silent)
    ]
    return list(dict.fromkeys(found))
