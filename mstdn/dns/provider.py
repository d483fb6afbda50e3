"""What every DNS provider's module offers, and which module a setting means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import SecretStr

from mstdn.dns.lookup import Lookup
from mstdn.dns.rules import Change, RecordSet, Zone
from mstdn.secrets.operator import operator_secrets, secrets_file_of
from mstdn.settings.provision import ProvisionSettings

# Values of dns_provider whose name servers may answer with addresses of their own, in place of those in the account.
PROXIES = ("cloudflare",)


class DnsProvider(Protocol):
    """
    Somebody who has zones. Every method raises ProvisionError.

    tests/provision/test_dns_providers.py is the contract that each module passes.
    """

    # As the operator knows it.
    title: str
    # True where records can only be told to the operator.
    by_hand: bool

    def zones(self, name: str) -> Sequence[Zone]:
        """The public zones of the account that are the name or above it."""

    def records(self, zone: Zone, name: str) -> Sequence[RecordSet]:
        """All record sets at the name."""

    def change(self, zone: Zone, change: Change) -> None:
        """
        Carry out the change and wait until the provider has published it. Nothing is overwritten that was not in
        `change.remove`: what somebody else changed meanwhile is refused.
        """


def dns_provider(settings: ProvisionSettings, keys: Mapping[str, SecretStr], lookup: Lookup) -> DnsProvider:
    """The provider of `dns_provider`, with its key. Raises ProvisionError for a missing package."""
    # Each module is imported only where it is used: some need packages that others do not.
    if settings.dns_provider == "hetzner":
        from mstdn.dns.hetzner import HetznerDns

        return HetznerDns(keys["HCLOUD_TOKEN"])
    if settings.dns_provider == "cloudflare":
        from mstdn.dns.cloudflare import CloudflareDns

        return CloudflareDns(keys["CLOUDFLARE_API_TOKEN"])
    if settings.dns_provider == "route53":
        from mstdn.dns.route53 import Route53

        on_the_server, _ = operator_secrets(secrets_file_of(settings))
        return Route53.logged_in(settings.dns_aws_profile, keys, on_the_server.get("AWS_ACCESS_KEY_ID"))
    from mstdn.dns.manual import ManualDns

    return ManualDns(lookup)
