"""The settings of the proxy and its certificates."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.kinds.mail import MailAddressOrEmpty
from mstdn.kinds.network import AddressRanges, HttpsUrl
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.paths import CertificatesOrEmpty, ServerPath
from mstdn.proxy.rules import (
    LETS_ENCRYPT,
    LETS_ENCRYPT_STAGING,
    TRUSTED_BY_DEFAULT,
    roots_are_apart,
    staging_is_lets_encrypts,
    trusted_proxies_include_our_own,
)


class ProxySettings(Part):
    """What visitors meet first: nginx on ports 80 and 443, and where its certificates come from."""

    title: ClassVar[str] = "Proxy and certificates"
    relations: ClassVar[tuple[Relation, ...]] = (
        roots_are_apart,
        staging_is_lets_encrypts,
        trusted_proxies_include_our_own,
    )

    acme_email: MailAddressOrEmpty = Field(
        "",
        examples=["admin@example.org"],
        description="The contact of your account at the ACME authority, if you want to give one. Let's Encrypt writes "
        "to nobody since 2025; other authorities may. A later change makes another account, which asks for every "
        "certificate anew.",
    )
    acme_directory: HttpsUrl = Field(LETS_ENCRYPT, description="The ACME authority that issues the certificates.")
    acme_staging: bool = Field(
        False,
        description="Ask Let's Encrypt's staging authority: no rate limits, but no browser trusts the certificate.",
    )
    acme_ca_bundle: CertificatesOrEmpty = Field(
        "",
        examples=["private-authority.pem"],
        description="A file on this machine with the roots (PEM) of a private authority, for acme_directory "
        "and for tasks/verify.py.",
    )
    proxy_root: ServerPath = Field("/srv/proxy", description="The proxy's files, certificates and ACME account.")
    proxy_downstream_addresses: AddressRanges = Field(
        (),
        examples=[["203.0.113.0/24", "2001:db8::/32"]],
        description="The addresses of a load balancer or CDN in front of the server, if there is one: "
        '["203.0.113.0/24", "2001:db8::/32"]. What they say of their visitors (X-Forwarded-For) is then believed; '
        "without them, all of their visitors would share one address, with its limits and its blocks.",
    )
    proxy_body_size_mib: Annotated[int, Field(ge=1, le=10240)] = Field(
        100,
        description="The largest upload. Mastodon takes videos of up to 99 MB, and the form around one adds a little.",
    )
    proxy_read_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        120, description="How long the proxy waits for an answer of Mastodon."
    )

    @property
    def acme_directory_url(self) -> str:
        """The authority to ask, staging included. Source: letsencrypt.org/docs/staging-environment."""
        return LETS_ENCRYPT_STAGING if self.acme_staging else self.acme_directory

    @property
    def trusted_proxy_addresses(self) -> tuple[str, ...]:
        """
        TRUSTED_PROXY_IP of web, Sidekiq and streaming; empty where nobody stands in front of the proxy.

        In ranges that Rails and the streaming server both read: Express' words (loopback, uniquelocal) mean nothing to
        Rails. Source: config/environments/production.rb; streaming/index.js.
        """
        downstream = self.proxy_downstream_addresses
        return (*TRUSTED_BY_DEFAULT, *downstream) if downstream else ()

    @property
    def certificate_prefix(self) -> str:
        """What acme-companion puts before the names of the directories of certificates that no browser trusts."""
        return "_test_" if self.acme_directory_url == LETS_ENCRYPT_STAGING else ""
