"""The records of the sending domain, as wishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from mstdn.dns.rules import record_set
from mstdn.dns.wishes import Among, Exactly, IfNone, Wish
from mstdn.mail_domain.provider import MailProvider, mail_provider
from mstdn.settings.provision import ProvisionSettings

DMARC = "v=DMARC1; p=none"


def mail_wishes(settings: ProvisionSettings, keys: Mapping[str, SecretStr]) -> list[Wish]:
    """
    What shall be in the DNS for the mail; nothing without a mail provider. Asks the provider.

    Raises ProvisionError.
    """
    if not settings.mail_domain_provider:
        return []
    return wishes_of(settings.sending_domain, mail_provider(settings, keys), settings.dns_ttl_seconds)


def wishes_of(domain: str, provider: MailProvider, ttl: int) -> list[Wish]:
    """
    What the provider wants, and a DMARC policy where the domain has none: large receivers expect one.

    Asks the provider. Raises ProvisionError.
    """
    wishes: list[Wish] = []
    found = provider.look()
    if found is None:
        unknown = record_set(f"<selector>._domainkey.{domain}", "TXT", [], ttl)
        wishes.append(Exactly(unknown, "known when the domain is registered"))
    records = provider.foreseen if found is None else found.records
    wishes += [_wish(name, kind, values, ttl) for (name, kind), values in _sets(records).items()]
    if f"_dmarc.{domain}" not in [wish.name for wish in wishes]:
        wishes.append(IfNone(record_set(f"_dmarc.{domain}", "TXT", [DMARC], ttl)))
    return wishes


def _sets(records: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str], list[str]]:
    sets: dict[tuple[str, str], list[str]] = {}
    for name, kind, value in records:
        sets.setdefault((name, kind), []).append(value)
    return sets


def _wish(name: str, kind: str, values: list[str], ttl: int) -> Wish:
    wanted = record_set(name, kind, values, ttl)
    if kind == "TXT" and name.startswith("_dmarc."):
        return IfNone(wanted)
    if kind == "TXT" and "._domainkey." not in name:
        return Among(wanted)
    return Exactly(wanted)
