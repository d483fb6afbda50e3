"""The settings of the proxy and its certificates."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.kinds.mail import MailAddress
from mstdn.kinds.network import HttpsUrl
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.paths import CertificatesOrEmpty, ServerPath
from mstdn.proxy.rules import LETS_ENCRYPT, LETS_ENCRYPT_STAGING, roots_are_apart, staging_is_lets_encrypts


class ProxySettings(Part):
    """What visitors meet first: nginx on ports 80 and 443, and where its certificates come from."""

    title: ClassVar[str] = "Proxy and certificates"
    relations: ClassVar[tuple[Relation, ...]] = (roots_are_apart, staging_is_lets_encrypts)

    acme_email: MailAddress = Field(
        examples=["admin@example.org"],
        description="Let's Encrypt writes here if a certificate is about to expire and could not be renewed.",
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
    proxy_trust_downstream: bool = Field(
        False,
        description="True only when a load balancer or CDN stands in front: its X-Forwarded-* headers are "
        "then believed.",
    )
    proxy_body_size_mib: Annotated[int, Field(ge=1, le=10240)] = Field(
        99, description="The largest upload. Mastodon itself takes videos of up to 99 MB."
    )
    proxy_read_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        120, description="How long the proxy waits for an answer of Mastodon."
    )

    @property
    def acme_directory_url(self) -> str:
        """The authority to ask, staging included. Source: letsencrypt.org/docs/staging-environment."""
        return LETS_ENCRYPT_STAGING if self.acme_staging else self.acme_directory
