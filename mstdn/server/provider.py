"""What every server provider's module offers, and which module a setting means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from mstdn.cloud.errors import ProvisionError
from mstdn.server.rules import Action, Address, Found, Wanted
from mstdn.server.settings import is_public_key, ssh_public_key
from mstdn.settings.provision import ProvisionSettings


class ServerProvider(Protocol):
    """
    Somebody who lends servers. Every method raises ProvisionError.

    tests/provision/test_server_providers.py is the contract that each module passes.
    """

    # The account and place, for the heading of a plan: "google  project my-project, us-west1-b".
    heading: str
    # The account on the server that the key is for.
    user: str
    # The server knows a private address only; the public one is translated. It cannot find out by itself.
    behind_nat: bool

    def wanted(self) -> Wanted:
        """What the settings ask for, with this provider's defaults."""

    def look(self) -> Found:
        """What there is."""

    def describe(self, action: Action) -> str:
        """The details of an action, for its line in the plan."""

    def do(self, action: Action) -> None:
        """Do it and wait until it is done, after another look at what it depends on. Nothing where it is done."""


def server_provider(settings: ProvisionSettings, keys: Mapping[str, SecretStr]) -> ServerProvider:
    """The provider of `server_provider`, with its key. Raises ProvisionError for a missing package or login."""
    public_key = ssh_public_key(settings.server_ssh_key, Path.home())
    if public_key is None:
        raise ProvisionError(
            "There is no public SSH key to let you in: neither ~/.ssh/id_ed25519.pub nor ~/.ssh/id_rsa.pub. Make "
            "one with "
            "ssh-keygen -t ed25519, or name its file: server_ssh_key."
        )
    if not is_public_key(public_key[1]):
        raise ProvisionError(
            f"{public_key[0]} does not hold one public SSH key (one line that begins with ssh-ed25519, say). Make one "
            "with ssh-keygen -t ed25519, or name another file: server_ssh_key."
        )
    if settings.server_provider == "hetzner":
        from mstdn.server.hetzner import HetznerServer

        return HetznerServer(settings, keys["HCLOUD_TOKEN"], public_key[1])
    from mstdn.server.google import GoogleServer

    return GoogleServer(settings, public_key[1])


@dataclass(frozen=True)
class SiteAddresses:
    """Where the names shall lead. None: there is no such address. "": it will be known when `pending` is made."""

    ipv4: str | None
    ipv6: str | None
    pending: str = ""


def site_addresses(settings: ProvisionSettings, keys: Mapping[str, SecretStr]) -> SiteAddresses:
    """
    public_ipv4 and public_ipv6 where they are set, or else those of the provider's server. With public_ipv4 alone there
    is no IPv6 address; public_ipv6 alone is one beside the server's.

    Asked for anew each time, never handed on: a run may be killed between any two steps. Raises ProvisionError.
    """
    if settings.public_ipv4 or not settings.server_provider:
        return SiteAddresses(settings.public_ipv4 or None, settings.public_ipv6 or None)
    provider = server_provider(settings, keys)
    found, wanted = provider.look(), provider.wanted()
    pending = f"the address of {wanted.name}, known when it is made"

    def address(found_one: Address | None, family: str) -> str | None:
        if found_one:
            return found_one.value
        known = found.machine is not None and found.machine.running
        return "" if family in wanted.families and not known else None

    ipv4, ipv6 = address(found.ipv4, "ipv4"), settings.public_ipv6 or address(found.ipv6, "ipv6")
    if ipv4 is None and ipv6 is None:
        raise no_address(wanted)
    return SiteAddresses(ipv4, ipv6, pending)


def no_address(wanted: Wanted) -> ProvisionError:
    """Of a server that somebody made, or changed, by hand."""
    return ProvisionError(
        f"The server {wanted.name} at {wanted.provider} has no public address. Give it one in the console, and run "
        "again."
    )
