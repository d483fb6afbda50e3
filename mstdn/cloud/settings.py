"""
The settings of provision.py, put together from its components', and the few that it shares with deploy.py.

All of them may stand in the same group_data: each side knows the other's names and leaves them alone.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from mstdn.cloud_firewall.settings import CloudFirewallSettings
from mstdn.dns.settings import DnsSettings
from mstdn.kinds.network import (
    HostName,
    HostNameOrEmpty,
    Ipv4AddressOrEmpty,
    Ipv6AddressOrEmpty,
    mail_sender,
)
from mstdn.kinds.values import OneLine, or_empty
from mstdn.mail_domain.settings import MailDomainSettings
from mstdn.server.settings import ServerSettings

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
# The first setting of each section of group_data/all.py and docs/settings.md, after those of deploy.py.
SECTIONS = {
    "server_provider": "Provisioning: a server",
    "cloud_firewall_ports": "Provisioning: the provider's firewall",
    "dns_provider": "Provisioning: DNS",
    "mail_domain_provider": "Provisioning: the sending domain",
}
SHARED = "the same setting as deploy.py's"


class SharedSettings(BaseModel):
    """What deploy.py has as well. Nothing of it must be set before there is a server, except the domain."""

    local_domain: HostNameOrEmpty = Field("", examples=["social.example.org"], description=SHARED)
    web_domain: HostNameOrEmpty = Field("", description=SHARED)
    alternate_domains: Annotated[tuple[HostName, ...], Field(strict=False)] = Field((), description=SHARED)
    public_ipv4: Ipv4AddressOrEmpty = Field("", examples=["198.51.100.7"], description=SHARED)
    public_ipv6: Ipv6AddressOrEmpty = Field("", description=SHARED)
    acme_directory: str = Field(LETS_ENCRYPT, description=SHARED)
    smtp_server: str = Field("", description=SHARED)
    smtp_from_address: Annotated[str, or_empty(mail_sender)] = Field(
        "", examples=["Mastodon <notifications@social.example.org>"], description=SHARED
    )
    smtp_login: OneLine = Field("", description=SHARED)
    smtp_authentication: str = Field("plain", description=SHARED)


class ProvisionSettings(MailDomainSettings, DnsSettings, CloudFirewallSettings, ServerSettings, SharedSettings):
    """The validated settings of provision.py."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    @property
    def site_names(self) -> tuple[str, ...]:
        """The names that shall lead to the server: the site's and its alternates. Empty if no domain is set."""
        site = self.web_domain or self.local_domain
        return tuple(dict.fromkeys([*filter(None, [site]), *self.alternate_domains]))

    @property
    def from_domain(self) -> str:
        """The domain of smtp_from_address, or ""."""
        return self.smtp_from_address.rpartition("@")[2].rstrip("> ").lower()

    @property
    def sending_domain(self) -> str:
        """The domain to register and publish, or "" if nothing says one."""
        return self.mail_domain or self.from_domain


def own_fields() -> dict[str, FieldInfo]:
    """The settings that only provision.py has, in the order of group_data/all.py."""
    fields = ProvisionSettings.model_fields
    return {name: fields[name] for name in fields if name not in SharedSettings.model_fields}
