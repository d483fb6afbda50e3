"""
What the DNS has, what it shall have, and what is therefore to be changed. Pure.

A record that says something else than it shall belongs to somebody: it is refused and shown, unless dns_replace.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mstdn.cloud.errors import ProvisionError
from mstdn.cloud.rules import missing_keys
from mstdn.dns.zone_file import legible, line
from mstdn.mail_domain.rules import domain_of
from mstdn.problems import Problem

LETS_ENCRYPT_CAA = "letsencrypt.org"
PROTECTED = "protected against changes"
# What a record set may be beside plain, and still say what its values say.
HARMLESS = ("", "proxied", PROTECTED)


@dataclass(frozen=True)
class RecordSet:
    """
    All records of one name and type. `name`: lower case, without final dot. `values`: in canonical form, sorted.

    `special`: what makes it more than plain records ("proxied", "an alias of …"), or "". `raw`: the provider's own.
    """

    name: str
    type: str
    values: tuple[str, ...]
    ttl: int
    special: str = ""
    raw: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Zone:
    """A zone in the account. `id`: the provider's. `name_servers`: lower case, without final dot."""

    id: str
    name: str
    name_servers: tuple[str, ...]

    def __str__(self) -> str:
        return self.name if self.id == self.name else f"{self.name} ({self.id})"


@dataclass(frozen=True)
class Change:
    """One change of a zone, all or nothing: `remove` exactly what was found, `add` what shall be there."""

    remove: tuple[RecordSet, ...]
    add: RecordSet | None


def record_set(
    name: str, kind: str, values: Iterable[str], ttl: int, special: str = "", raw: object = None
) -> RecordSet:
    """A RecordSet in canonical form."""
    canonical_values = tuple(sorted({canonical(kind, value) for value in values}))
    return RecordSet(name.rstrip(".").lower(), kind, canonical_values, ttl, special, raw)


def canonical(kind: str, value: str) -> str:
    """A value in the one form in which equal records are equal text. TXT values are text without quotes."""
    if kind in ("A", "AAAA"):
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            return value
    if kind in ("CNAME", "NS", "MX"):
        return " ".join(value.split()).rstrip(".").lower()
    if kind == "CAA":
        flags, tag, text = (*value.split(None, 2), "", "")[:3]
        return f'{flags} {tag.lower()} "{text.strip(chr(34))}"'
    return value


def suffixes(name: str) -> list[str]:
    """The name and the names above it that can be zones of somebody, longest first; never a top-level domain."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def zone_for(name: str, zones: Sequence[Zone], dns_zone: str, delegated: Sequence[str] | None, provider: str) -> Zone:
    """
    The zone that the name belongs to. `delegated`: the name servers that the world asks, None where nobody could look.

    Raises ProvisionError where there is none, where several have its name, or where the world asks another one.
    """
    fitting = [zone for zone in zones if name == zone.name or name.endswith(f".{zone.name}")]
    # dns_zone chooses where there is a choice; an alternate or sending domain may well lie in another zone.
    fitting = [zone for zone in fitting if dns_zone in (zone.id, zone.name)] or fitting
    if not fitting:
        raise ProvisionError(
            f"The account at {provider} has no zone for {name}. Add the zone there and delegate the domain to it at "
            "your registrar, or correct dns_provider."
        )
    longest = max(len(zone.name) for zone in fitting)
    best = [zone for zone in fitting if len(zone.name) == longest]
    if len(best) > 1 and delegated is not None:
        best = [zone for zone in best if set(zone.name_servers) & set(delegated)] or best
    if len(best) > 1:
        raise ProvisionError(
            f"The account at {provider} has {len(best)} zones called {best[0].name}, and the delegation does not say "
            "which one the world asks. Say it: dns_zone = "
            f"{' or '.join(f'{chr(34)}{zone.id}{chr(34)}' for zone in best)}."
        )
    zone = best[0]
    if delegated is not None and zone.name_servers and not set(zone.name_servers) & set(delegated):
        asked = ", ".join(sorted(delegated)) or "no name server at all"
        raise ProvisionError(
            f"The zone {zone} in this account is not the one the world asks: {zone.name} is delegated to {asked}, this "
            f"zone has {', '.join(zone.name_servers)}. Set these name servers at your registrar, or use the account "
            f"that has {asked}."
        )
    return zone


def change_of(wanted: RecordSet, found: Sequence[RecordSet], replace: bool, task: str) -> Change | None:
    """
    What to change so that `wanted` is there, with these record sets at its name; None if it is. TTL alone is no drift.

    Raises ProvisionError for a value, CNAME or alias that is somebody's, unless `replace`. `task`: that could be told
    so.
    """
    same = [each for each in found if each.type == wanted.type]
    in_the_way = [each for each in found if each.type == "CNAME" and wanted.type != "CNAME"]
    if wanted.type == "CNAME":
        in_the_way = [each for each in found if each.type != "CNAME"]
    if same and not in_the_way and same[0].values == wanted.values and same[0].special in HARMLESS:
        return None
    others = [*same, *in_the_way]
    if others and not replace:
        raise ProvisionError("\n".join(occupied(each, wanted, task) for each in others))
    return Change(tuple(others), wanted)


def leftover_aaaa(found: Sequence[RecordSet], replace: bool, task: str) -> Change | None:
    """
    What to do about IPv6 addresses of a name whose server has none: browsers and authorities try them first.

    Raises ProvisionError unless `replace`.
    """
    left = [each for each in found if each.type == "AAAA"]
    if not left:
        return None
    if not replace:
        each = left[0]
        here = (
            f'If it does lead here, set public_ipv6 = "{each.values[0]}"; to remove it'
            if each.values
            else "To remove it"
        )
        raise ProvisionError(
            f"{each.name} has an AAAA record ({meaning(each)}), but this server has no IPv6 address that is known "
            f"here. Visitors and Let's Encrypt try IPv6 first. It was not touched. {here}: pyinfra @local {task} "
            "--data dns_replace=true"
        )
    return Change(tuple(left), None)


def occupied(found: RecordSet, wanted: RecordSet, task: str) -> str:
    """The sentence about a record that says something else."""
    what = f"{'an' if found.type in ('A', 'AAAA', 'MX', 'NS') else 'a'} {found.type} record"
    aim = f"If the name shall have {wanted.type} {shown(wanted)} instead"
    if wanted.type in ("A", "AAAA"):
        aim = "If the name shall lead to this server"
    return (
        f"{found.name} has {what} already: {meaning(found)} ({found.ttl} s). It was not touched. {aim}, run: "
        f"pyinfra @local {task} --data dns_replace=true  Visitors then follow within {found.ttl} s."
    )


def meaning(found: RecordSet) -> str:
    """What a record set says: its values, or what stands there instead of them."""
    return shown(found) if found.special in HARMLESS else found.special


def shown(records: RecordSet) -> str:
    """The values in a line, long ones cut."""
    values = map(legible, records.values)
    return ", ".join(value if len(value) <= 60 else f"{value[:57]}…" for value in values) or "(not made yet)"


def zone_lines(records: RecordSet) -> list[str]:
    """The record set as lines of a zone file."""
    return [line(records.name, records.type, value, records.ttl) for value in records.values]


def caa_refusal(owner: str, values: Sequence[str]) -> str | None:
    """
    Why this CAA record set keeps Let's Encrypt from issuing over HTTP; None if it does not. Source: RFC 8659, RFC 8657.

    `owner`: the name that has them, the nearest at or above the site's.
    """
    parsed = [re.fullmatch(r'(\d+) (\S+) "(.*)"', canonical("CAA", value)) for value in values]
    issuers = [each[3].strip() for each in parsed if each is not None and each[2] == "issue"]
    if not issuers:
        return None
    add = f'Add: {owner}. CAA 0 issue "{LETS_ENCRYPT_CAA}"'
    ours = [issuer for issuer in issuers if issuer.split(";")[0].strip().lower() == LETS_ENCRYPT_CAA]
    if not ours:
        allowed = " and ".join(f'"{issuer}"' for issuer in issuers if issuer.split(";")[0].strip()) or "nobody"
        return (
            f"The CAA record of {owner} lets only {allowed} issue certificates, and Let's Encrypt would refuse. {add}"
        )
    methods = [match[1] for issuer in ours if (match := re.search(r"validationmethods=([^;\s]+)", issuer))]
    if len(methods) == len(ours) and not any("http-01" in method.split(",") for method in methods):
        return (
            f"The CAA record of {owner} lets Let's Encrypt issue only with validationmethods={methods[0]}, and this "
            f"suite proves the name over HTTP. Add http-01 to the list, or: {add}"
        )
    return None


def caa_warning(owner: str, values: Sequence[str]) -> str | None:
    """
    That this CAA record set lets Let's Encrypt issue for certain accounts only; None if it does not. Source: RFC 8657.

    Whether the server's is among them cannot be known from here: its account is made at the first start.
    """
    parsed = [re.fullmatch(r'\d+ issue "(.*)"', canonical("CAA", value)) for value in values]
    ours = [match[1] for match in parsed if match and match[1].split(";")[0].strip().lower() == LETS_ENCRYPT_CAA]
    accounts = [match[1] for issuer in ours if (match := re.search(r"accounturi=([^;\s]+)", issuer))]
    if not ours or len(accounts) < len(ours):
        return None
    return (
        f"The CAA record of {owner} lets Let's Encrypt issue for the account {' and '.join(accounts)} only. A new "
        "server makes an account of its own, for which it would refuse. Leave accounturi out until the site has its "
        "certificate."
    )


def the_dns_provider_has_its_key(dns_provider: str, server_provider: str, secrets: Container[str]) -> Iterator[Problem]:
    """Said once where both settings name the same provider."""
    if dns_provider != server_provider:
        yield from missing_keys("dns_provider", dns_provider, secrets)


def there_are_names_to_point(
    dns_provider: str, local_domain: str, web_domain: str, alternate_domains: Sequence[str]
) -> Iterator[Problem]:
    if dns_provider and not (local_domain or web_domain or alternate_domains):
        yield Problem(
            "local_domain",
            "it is not set, so there is no name to point anywhere",
            'local_domain = "social.example.org"',
        )


def names_have_somewhere_to_lead(
    dns_provider: str, server_provider: str, public_ipv4: str, public_ipv6: str
) -> Iterator[Problem]:
    if dns_provider and not (server_provider or public_ipv4 or public_ipv6):
        yield Problem(
            "public_ipv4",
            "neither the address of your server nor a provider to make one is set",
            'public_ipv4 = "198.51.100.7", or server_provider = "hetzner" or "google"',
        )


def the_zone_has_a_name_in_it(
    dns_zone: str,
    local_domain: str,
    web_domain: str,
    alternate_domains: Sequence[str],
    mail_domain: str,
    smtp_from_address: str,
) -> Iterator[Problem]:
    """A zone's ID says nothing; its name does."""
    sender = domain_of(smtp_from_address)
    names = [*filter(None, (local_domain, web_domain, mail_domain, sender)), *alternate_domains]
    if "." in dns_zone and names and not any(f".{name}".endswith(f".{dns_zone}") for name in names):
        yield Problem(
            "dns_zone",
            f"neither the site's names nor the sending domain lie in it: {', '.join(dict.fromkeys(names))}",
            "the zone that has them, or leave it out: it is found",
            f'"{dns_zone}"',
        )
