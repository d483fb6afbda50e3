"""The settings that provision.py and deploy.py share."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.cloud.rules import an_access_key_has_its_secret
from mstdn.kinds.mail import mail_sender
from mstdn.kinds.network import (
    HostName,
    HostNameOrEmpty,
    Ipv4AddressOrEmpty,
    Ipv6AddressOrEmpty,
    in_the_public_dns,
)
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.paths import FileOrEmpty
from mstdn.kinds.text import OneLine, or_empty
from mstdn.proxy.rules import LETS_ENCRYPT

SHARED = "the same setting as deploy.py's"


class SharedSettings(Part):
    """What deploy.py has as well. Nothing of it must be set before there is a server, except the domain."""

    title: ClassVar[str] = "Provisioning: what is deploy.py's too"
    relations: ClassVar[tuple[Relation, ...]] = (an_access_key_has_its_secret,)

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
    secrets_file: FileOrEmpty = Field("", description=SHARED)

    @property
    def site_names(self) -> tuple[str, ...]:
        """The names that shall lead to the server: the site's and its alternates. Empty if no domain is set."""
        site = self.web_domain or self.local_domain
        return in_the_public_dns(*filter(None, [site]), *self.alternate_domains)
