"""The domain that Mastodon's mail is sent from."""

from __future__ import annotations

from functools import partial

from pyinfra import state

from mstdn.cloud.errors import ProvisionError
from mstdn.cloud.steps import Plan, Step, carry_out
from mstdn.cloud.waiting import patiently
from mstdn.dns.lookup import Lookup
from mstdn.dns.provider import dns_provider
from mstdn.dns.publish import plan_to_publish
from mstdn.dns.rules import zone_lines
from mstdn.dns.wishes import NoIpv6, Wish
from mstdn.mail_domain.provider import MailProvider, mail_provider
from mstdn.mail_domain.wishes import wishes_of
from mstdn.operation import operation
from mstdn.secrets.operator import keys_for
from mstdn.settings.provision import ProvisionSettings
from mstdn.shell import Commands

TASK = "tasks/mail_domain.py"
NO_PROVIDER = 'mail_domain_provider = "": the mail is yours'


@operation
def registered_domain(settings: ProvisionSettings) -> Commands:
    """
    Ensure that the sending domain is registered at the mail provider. A domain that is there is never changed.
    """
    yield from carry_out(lambda: _plan_to_register(settings))


def _plan_to_register(settings: ProvisionSettings) -> Plan:
    if not settings.mail_domain_provider:
        return Plan("", agrees=NO_PROVIDER)
    keys = keys_for(settings)
    provider = mail_provider(settings, keys)
    domain = settings.sending_domain
    found = provider.look()
    missing = provider.domains if found is None else found.missing
    steps = tuple(
        Step("+", "domain", name, provider.domains[name], partial(provider.register, name)) for name in missing
    )
    place = f"{settings.mail_domain_provider}   {settings.mail_domain_region}"
    return Plan(place, steps, agrees=f"{domain} is registered at {provider.title}")


@operation
def published_domain(settings: ProvisionSettings) -> Commands:
    """
    Ensure that the records of the sending domain are in the DNS: what the provider wants, and a DMARC policy.

    Without dns_provider, or with "manual", those that are missing are told.
    """
    yield from carry_out(lambda: _plan_to_publish(settings))


def _plan_to_publish(settings: ProvisionSettings) -> Plan:
    if not settings.mail_domain_provider:
        return Plan("", agrees=NO_PROVIDER)
    keys = keys_for(settings)
    wishes = wishes_of(settings.sending_domain, mail_provider(settings, keys), settings.dns_ttl_seconds)
    if not settings.dns_provider:
        place = f"records of {settings.sending_domain}"
        return Plan(place, notes=("! Enter these where you have your DNS:", *_lines(wishes)), agrees="they are yours")
    lookup = Lookup(settings.dns_resolvers)
    return plan_to_publish(
        wishes,
        dns_provider(settings, keys, lookup),
        lookup,
        dns_zone=settings.dns_zone,
        replace=settings.dns_replace,
        task=TASK,
        agrees=f"the records of {settings.sending_domain} are published",
    )


def _lines(wishes: list[Wish]) -> list[str]:
    lines: list[str] = []
    for wish in wishes:
        if not isinstance(wish, NoIpv6):
            lines += [f"    {line}" for line in zone_lines(wish.records)] or [f"    {wish.name} ({wish.pending})"]
    return lines


@operation
def verified_domain(settings: ProvisionSettings) -> Commands:
    """
    Ensure that the mail provider has seen the records and lets mail be sent from the domain.
    """
    yield from carry_out(lambda: _plan_to_verify(settings))


def _plan_to_verify(settings: ProvisionSettings) -> Plan:
    if not settings.mail_domain_provider:
        return Plan("", agrees=NO_PROVIDER)
    keys = keys_for(settings)
    provider = mail_provider(settings, keys)
    domain, found = settings.sending_domain, provider.look()
    if found is not None and found.verified:
        return Plan("", agrees=f"{provider.title} has verified {domain}")
    missing = (domain,) if found is None else found.missing
    if missing and state.is_executing:
        raise ProvisionError(f"{missing[0]} is not registered at {provider.title}. Run: pyinfra @local {TASK}")
    what = ", ".join(provider.verifies if found is None else found.unverified)
    step = Step("~", "domain", domain, f"have {what} verified", lambda: _verify(provider, settings))
    return Plan(f"{settings.mail_domain_provider}   {settings.mail_domain_region}", (step,))


def _verify(provider: MailProvider, settings: ProvisionSettings) -> None:
    """Raises ProvisionError for what the provider does not accept after dns_wait_seconds."""
    complaints = patiently(provider.verify, settings.dns_wait_seconds)
    if complaints:
        again = "pyinfra @local tasks/proof.py"
        raise ProvisionError(
            f"{provider.title} does not accept {'; nor '.join(complaints)}. "
            + (
                f"The name servers do answer with it, so this is a matter of minutes. Run again: {again}"
                if settings.dns_provider
                else f"Enter the records that tasks/mail_domain.py tells, then run: {again}"
            )
        )
