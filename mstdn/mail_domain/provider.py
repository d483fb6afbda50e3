"""What every mail provider's module offers, and which module a setting means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from mstdn.settings.provision import ProvisionSettings


@dataclass(frozen=True)
class SendingDomain:
    """
    The domain as its provider shows it. `records`: (name, type, value) that it wants, TXT values as plain text.

    `verified`: mail may be sent from it. `unverified`: what is not verified yet, for a line of the plan.
    `missing`: names beside the domain itself that are still to be registered.
    """

    records: tuple[tuple[str, str, str], ...]
    verified: bool
    unverified: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class MailProvider(Protocol):
    """
    Somebody who sends mail for a domain. Every method raises ProvisionError.

    tests/provision/test_mail_providers.py is the contract that each module passes.
    """

    title: str
    # What is registered, the domain itself first: each name, and how, for a line of the plan.
    domains: Mapping[str, str]
    # What is then to be verified, and those of its records that are known before: both for a plan of the first run.
    verifies: tuple[str, ...]
    foreseen: tuple[tuple[str, str, str], ...]

    def look(self) -> SendingDomain | None:
        """The domain, or None where it is not registered. Raises ProvisionError for one that may not send."""

    def register(self, domain: str) -> None:
        """Register one of `domains`; nothing happens where it is registered."""

    def verify(self) -> Sequence[str]:
        """Have its records looked at, and say what the provider does not accept, in its words. Empty: nothing."""


def mail_provider(settings: ProvisionSettings, keys: Mapping[str, SecretStr]) -> MailProvider:
    """The provider of `mail_domain_provider`, with its key."""
    if settings.mail_domain_provider == "sparkpost":
        from mstdn.mail_domain.sparkpost import SparkPost

        return SparkPost(settings, keys["SPARKPOST_API_KEY"])
    from mstdn.mail_domain.manual import ManualMail

    return ManualMail(settings)
