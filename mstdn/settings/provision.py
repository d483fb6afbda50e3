"""
The settings of provision.py: the parts of its components, and the few that it shares with deploy.py.

All of them may stand in the same group_data: each side knows the other's names and ignores them.
"""

from __future__ import annotations

from mstdn.cloud.settings import SharedSettings
from mstdn.cloud_firewall.settings import CloudFirewallSettings
from mstdn.dns.settings import DnsSettings
from mstdn.kinds.part import Part
from mstdn.mail_domain.rules import domain_of
from mstdn.mail_domain.settings import MailDomainSettings
from mstdn.server.settings import ServerSettings


class ProvisionSettings(ServerSettings, CloudFirewallSettings, DnsSettings, MailDomainSettings, SharedSettings):
    """The validated settings of provision.py. Nothing is coerced, as in Settings."""

    @property
    def sending_domain(self) -> str:
        """The domain to register and publish, or "" if nothing says one."""
        return self.mail_domain or domain_of(self.smtp_from_address)


# Those that only provision.py has.
PROVISION_PARTS: tuple[type[Part], ...] = tuple(
    part for part in ProvisionSettings.__bases__ if issubclass(part, Part) and part is not SharedSettings
)
