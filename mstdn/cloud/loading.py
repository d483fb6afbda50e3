"""Host data in, one frozen ProvisionSettings out, or one DeployError that lists everything there is to put right."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import SecretStr
from pyinfra.api.exceptions import DeployError
from pyinfra.api.host import Host

from mstdn.cloud.settings import ProvisionSettings
from mstdn.connection import THIS_COMPUTER
from mstdn.problems import Problem, report
from mstdn.secrets.operator import provider_keys
from mstdn.settings.loading import validated

# The group of inventory.py. This computer is not in it but works for it, so the operator's values count here too.
GROUP = "mastodon"

KEYS_NEEDED = {
    ("server_provider", "hetzner"): ("HCLOUD_TOKEN",),
    ("dns_provider", "hetzner"): ("HCLOUD_TOKEN",),
    ("dns_provider", "cloudflare"): ("CLOUDFLARE_API_TOKEN",),
    ("mail_domain_provider", "sparkpost"): ("SPARKPOST_API_KEY",),
}


def provision_settings_for(host: Host) -> ProvisionSettings:
    """
    The settings of provision.py. This is the only place where provisioning reads host.data.

    Raises DeployError on any other host than this computer, and with every problem of the settings and of the
    providers' keys: what is wrong, the value seen, what to type instead.
    """
    if host.name != THIS_COMPUTER:
        raise DeployError(
            f"Provisioning runs on this computer and not on {host.name}; nothing was changed. Type: pyinfra @local "
            "provision.py (or one of its tasks)"
        )
    if GROUP not in host.groups:
        host.groups.append(GROUP)
    settings, problems = examine(host.data.dict())  # type: ignore[no-untyped-call]
    if settings is None:
        raise DeployError(report("The settings need correction; nothing was changed.", problems))
    return settings


def examine(data: Mapping[str, Any]) -> tuple[ProvisionSettings | None, list[Problem]]:
    """The settings in this host data and no problem, or None and every problem."""
    settings, invalid, problems = validated(ProvisionSettings, data)
    keys, key_problems = provider_keys()
    problems = [*problems, *(each for each in _relations(settings, keys) if each.subject not in invalid), *key_problems]
    return (None, problems) if problems else (settings, [])


def _relations(settings: ProvisionSettings, keys: Mapping[str, SecretStr]) -> Iterator[Problem]:
    yield from _missing_keys(settings, keys)
    yield from _names_and_addresses(settings)
    yield from _mail(settings)


def _missing_keys(settings: ProvisionSettings, keys: Collection[str]) -> Iterator[Problem]:
    needed: dict[str, str] = {}
    for (setting, provider), names in KEYS_NEEDED.items():
        if getattr(settings, setting) == provider:
            for name in names:
                needed.setdefault(name, f'{setting} = "{provider}"')
    for name, reason in needed.items():
        if name not in keys:
            yield Problem(name, f"{reason} needs this key, and it is not set", f"{name}='...' in secrets.env")
    pair = ("ROUTE53_ACCESS_KEY_ID", "ROUTE53_SECRET_ACCESS_KEY")
    for name, other in (pair, pair[::-1]):
        if name in keys and other not in keys:
            yield Problem(other, f"{name} is set but not the key that belongs to it", f"{other}='...' in secrets.env")


def _names_and_addresses(settings: ProvisionSettings) -> Iterator[Problem]:
    if not settings.dns_provider:
        return
    if not settings.site_names:
        yield Problem(
            "local_domain",
            "it is not set, so there is no name to point anywhere",
            'local_domain = "social.example.org"',
        )
    if not (settings.server_provider or settings.public_ipv4 or settings.public_ipv6):
        yield Problem(
            "public_ipv4",
            "neither the address of your server nor a provider to make one is set",
            'public_ipv4 = "198.51.100.7", or server_provider = "hetzner" or "google"',
        )


def _mail(settings: ProvisionSettings) -> Iterator[Problem]:
    provider, domain, sender = settings.mail_domain_provider, settings.sending_domain, settings.from_domain
    if not provider:
        return
    if not domain:
        yield Problem(
            "mail_domain", "neither it nor smtp_from_address says which domain sends", 'mail_domain = "example.org"'
        )
        return
    if sender and sender != domain and not sender.endswith(f".{domain}"):
        # Receivers compare the two (DMARC alignment; mastodon#15895).
        yield Problem(
            "mail_domain",
            f"smtp_from_address is at {sender}, which is not {domain} nor under it: such mail is refused or marked "
            "as junk",
            f'mail_domain = "{sender}", or another smtp_from_address',
            f'"{domain}"',
        )
    if provider == "manual" and not settings.mail_domain_records:
        yield Problem(
            "mail_domain_records",
            'mail_domain_provider = "manual" publishes and proves these records, and there are none',
            "the records that your mail provider's console shows, each as one line of a zone file",
        )
    bounce = settings.mail_domain_bounce
    if bounce and not bounce.endswith(f".{domain}"):
        yield Problem("mail_domain_bounce", f"it is not under {domain}", f'mail_domain_bounce = "bounce.{domain}"')
    if provider == "sparkpost" and settings.smtp_server:
        yield from _sparkpost_smtp(settings)


def _sparkpost_smtp(settings: ProvisionSettings) -> Iterator[Problem]:
    """Source: developers.sparkpost.com/api/smtp."""
    right = {"us": "smtp.sparkpostmail.com", "eu": "smtp.eu.sparkpostmail.com"}[settings.mail_domain_region]
    for name, value, instead in (
        ("smtp_server", settings.smtp_server, right),
        ("smtp_login", settings.smtp_login, "SMTP_Injection"),
        ("smtp_authentication", settings.smtp_authentication, "login"),
    ):
        if value != instead:
            wrong = f"SparkPost ({settings.mail_domain_region}) takes mail another way"
            yield Problem(name, wrong, f'{name} = "{instead}"', f'"{value}"')
