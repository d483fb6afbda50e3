"""What the DNS says of the site's names, as the server sees it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mstdn.finding import Finding, Level

if TYPE_CHECKING:
    from mstdn.preflight.facts import ServerReport
    from mstdn.settings import Settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def names_to_look_up(settings: Settings) -> tuple[str, ...]:
    """The names whose answers findings() needs, each once."""
    if settings.preflight_dns == "skip":
        return ()
    return tuple(dict.fromkeys((*settings.public_domains, settings.local_domain)))


def well_known_name(settings: Settings) -> str:
    """A name that the DNS knows, and that the server needs: of the certificate authority."""
    return urlsplit(settings.acme_directory_url).hostname or ""


def findings(report: ServerReport, settings: Settings) -> Iterator[Finding]:
    """
    One for each name that does not lead to this server, with IPv4 or with IPv6; none if DNS is skipped, and only one
    where the server gets no answers.
    """
    if settings.preflight_dns == "skip":
        return
    level: Level = "error" if settings.preflight_dns == "require" else "warning"
    if not any(report.answers.values()):
        known = well_known_name(settings)
        yield Finding(
            level,
            f"This server gets no answers from the DNS, not even for {known}, where its certificate comes from. On the "
            f"server: cat /etc/resolv.conf (or resolvectl status) names whom it asks, and getent ahosts {known} asks.",
        )
        return
    expected = _expected(report, settings)
    for name in settings.public_domains:
        for text in _astray(name, _addresses(report.answers.get(name, ())), expected):
            yield Finding(level, text)
    if settings.local_domain not in settings.public_domains:
        yield from _local_domain(report, settings)


def leads_here(name: str, report: ServerReport, settings: Settings) -> bool:
    """Whether the DNS leads a name that was looked up to this server."""
    return bool(_addresses(report.answers.get(name, ())) & _expected(report, settings))


def leads_somewhere_by_ipv6(name: str, report: ServerReport) -> bool:
    """Whether a name that was looked up has an AAAA record."""
    return any(address.version == 6 for address in _addresses(report.answers.get(name, ())))


def _expected(report: ServerReport, settings: Settings) -> set[Address]:
    return _addresses((*report.addresses, settings.public_ipv4, settings.public_ipv6))


def _astray(name: str, answers: set[Address], expected: set[Address]) -> Iterator[str]:
    ours = _listed({address for address in expected if address.is_global} or expected)
    if not answers:
        yield (
            f"{name} has no address in the DNS, as this server sees it. Make an A record for it that leads here "
            f"({ours}), and wait until older answers have expired."
        )
    old = {address for address in answers - expected if address.version == 4}
    if old:
        outside = _reached_by_somebody(old)
        behind = f'behind NAT, set public_ipv4 = "{outside}"; or, ' if outside else ""
        yield (
            f"{name} leads to {_listed(old)}, but this server has {ours}. Correct the A record; or, {behind}with a CDN "
            "or load balancer in front, name its addresses in proxy_downstream_addresses and set preflight_dns = "
            '"warn".'
        )
    new = {address for address in answers - expected if address.version == 6}
    if new:
        has_ipv6 = any(address.version == 6 and not address.is_private for address in expected)
        outside = _reached_by_somebody(new)
        here = f'; or, if it does lead here, set public_ipv6 = "{outside}".' if outside else "."
        yield (
            f"{name} has an AAAA record ({_listed(new)}), but this server has "
            f"{'another IPv6 address' if has_ipv6 else 'no IPv6 address'}, and visitors and the certificate "
            f"authority try IPv6 first. {'Correct' if has_ipv6 else 'Remove'} the record{here}"
        )


def _local_domain(report: ServerReport, settings: Settings) -> Iterator[Finding]:
    """Where web_domain is the site, somebody has to lead questions for the accounts at local_domain to it."""
    if not report.answers.get(settings.local_domain):
        yield Finding(
            "warning",
            f"{settings.local_domain}, which is in the name of every account, has no address in the DNS. Nobody "
            "elsewhere finds the accounts until a web server there redirects /.well-known/webfinger to "
            f"https://{settings.site_domain}",
        )


# A DNS64 makes such addresses of IPv4 ones, for servers without IPv4 (RFC 6052).
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def _addresses(texts: Iterable[str]) -> set[Address]:
    return {_plain(ipaddress.ip_address(text)) for text in texts if text}


def _plain(address: Address) -> Address:
    """The address of IPv4 that this one of IPv6 only stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in TRANSLATED else address.ipv4_mapped
        return inner or address
    return address


def _reached_by_somebody(addresses: Iterable[Address]) -> str:
    """The first of the addresses that public_ipv4 or public_ipv6 takes; "" if none."""
    taken = (
        str(each)
        for each in addresses
        if not (each.is_loopback or each.is_unspecified or each.is_link_local or each.is_multicast)
    )
    return min(taken, default="")


def _listed(addresses: Iterable[Address]) -> str:
    return ", ".join(sorted(map(str, addresses))) or "none"
