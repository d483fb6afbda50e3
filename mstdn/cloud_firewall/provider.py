"""What every cloud firewall's module offers, and which module a setting means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import SecretStr

from mstdn.cloud_firewall.rules import FoundFirewall, Part
from mstdn.settings.provision import ProvisionSettings


class CloudFirewall(Protocol):
    """
    A provider's firewall. Every method raises ProvisionError.

    tests/provision/test_server_providers.py is the contract that each module passes.
    """

    heading: str
    # The tag or label that ties it to servers, for a line of the plan.
    tag: str

    def parts(self) -> Sequence[Part]:
        """What shall be there."""

    def look(self, part: Part) -> FoundFirewall | None:
        """What is there by this name."""

    def do(self, part: Part, what: str) -> None:
        """One of the differences of rules.differences, made good."""

    def rules_of_others(self) -> Sequence[str]:
        """Rules of others that let more through to the server, or keep visitors out, each in words for a warning."""


def cloud_firewall(settings: ProvisionSettings, keys: Mapping[str, SecretStr]) -> CloudFirewall:
    """The firewall of `server_provider`, with its key. Raises ProvisionError for a missing package or login."""
    if settings.server_provider == "hetzner":
        from mstdn.cloud_firewall.hetzner import HetznerFirewall

        return HetznerFirewall(settings, keys["HCLOUD_TOKEN"])
    from mstdn.cloud_firewall.google import GoogleFirewall

    return GoogleFirewall(settings)
