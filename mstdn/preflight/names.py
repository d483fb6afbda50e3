"""What the DNS says of the site's names, as the server sees it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mstdn.preflight.finding import Finding, Level
from mstdn.stack import public_domains

if TYPE_CHECKING:
    from mstdn.preflight.facts import ServerReport
    from mstdn.settings import Settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def names_to_look_up(settings: Settings) -> tuple[str, ...]:
    """The names whose answers findings() needs, each once."""
    if settings.preflight_dns == "skip":
        return ()
    return tuple(dict.fromkeys((*public_domains(settings), settings.local_domain)))


def findings(report: ServerReport, settings: Settings) -> Iterator[Finding]:
    """One for each name that does not lead to this server, with IPv4 or with IPv6; none if DNS is skipped."""
    if settings.preflight_dns == "skip":
        return
    level: Level = "error" if settings.preflight_dns == "require" else "warning"
    expected = _addresses((*report.addresses, settings.public_ipv4, settings.public_ipv6))
    for name in public_domains(settings):
        for text in _astray(name, _addresses(report.answers.get(name, ())), expected):
            yield Finding(level, text)
    if settings.local_domain not in public_domains(settings):
        yield from _local_domain(report, settings, expected)


def _astray(name: str, answers: set[Address], expected: set[Address]) -> Iterator[str]:
    ours = _listed({address for address in expected if address.is_global} or expected)
    if not answers:
        yield (
            f"{name} has no address in the DNS, as this server sees it. Make an A record for it that leads here "
            f"({ours}), and wait until older answers have expired."
        )
    old = {address for address in answers - expected if address.version == 4}
    if old:
        yield (
            f"{name} leads to {_listed(old)}, but this server has {ours}. Correct the A record; or, behind NAT, set "
            f'public_ipv4 = "{min(map(str, old))}"; or, with a CDN or load balancer in front, preflight_dns = "warn".'
        )
    new = {address for address in answers - expected if address.version == 6}
    if new:
        has_ipv6 = any(address.version == 6 and not address.is_private for address in expected)
        yield (
            f"{name} has an AAAA record ({_listed(new)}), but this server has "
            f"{'another IPv6 address' if has_ipv6 else 'no IPv6 address'}, and visitors and the certificate "
            f"authority try IPv6 first. {'Correct' if has_ipv6 else 'Remove'} the record; or, if it does lead here, "
            f'set public_ipv6 = "{min(map(str, new))}".'
        )


def _local_domain(report: ServerReport, settings: Settings, expected: set[Address]) -> Iterator[Finding]:
    """Where web_domain is the site, another server usually has local_domain and redirects to the site."""
    answers = _addresses(report.answers.get(settings.local_domain, ()))
    if not answers:
        yield Finding(
            "warning",
            f"{settings.local_domain}, which is in the name of every account, has no address in the DNS. Nobody "
            "elsewhere finds the accounts until a web server there redirects /.well-known/webfinger to "
            f"https://{settings.site_domain}",
        )
    elif answers & expected:
        yield Finding(
            "warning",
            f"{settings.local_domain} leads to this server too, but its proxy does not answer for it. Name it in "
            "alternate_domains.",
        )


def _addresses(texts: Iterable[str]) -> set[Address]:
    return {ipaddress.ip_address(text) for text in texts if text}


def _listed(addresses: Iterable[Address]) -> str:
    return ", ".join(sorted(map(str, addresses))) or "none"
