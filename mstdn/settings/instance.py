"""
The settings of the Mastodon itself: its names, its release, its mail, its media. The server's are in model.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mstdn.app.environment import MastodonEnvironment
from mstdn.kinds.network import (
    HostAndPathOrEmpty,
    HostName,
    HostNameOrEmpty,
    MailAddress,
    MailSender,
    MailServer,
    Port,
    WebUrlOrEmpty,
)
from mstdn.kinds.values import ImageRepository, Locale, OneLine, Release, ServerPath

HostNames = Annotated[tuple[HostName, ...], Field(strict=False, title="list of host names")]


class InstanceSettings(BaseModel):
    """The first part of Settings, in the order of group_data/all.py."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    local_domain: HostName = Field(
        examples=["social.example.org"],
        description="The name after the @ of every account, for ever: it can never change once people have posted.",
    )
    acme_email: MailAddress = Field(
        examples=["admin@example.org"],
        description="Let's Encrypt writes here if a certificate is about to expire and could not be renewed.",
    )
    smtp_server: MailServer = Field(
        examples=["smtp.example.org"],
        description="The mail server that takes Mastodon's mail (sign-up, password reset, log-in from a new place).",
    )
    smtp_from_address: MailSender = Field(
        examples=["Mastodon <notifications@social.example.org>"],
        description="The sender of Mastodon's mail.",
    )

    mastodon_version: Release = Field(
        "v4.7.6",
        description="Exactly one release, with its v. Upgrading is: change this line, deploy.",
    )
    mastodon_image_source: Literal["official", "source"] = Field(
        "official",
        description='"official" pulls the images below at mastodon_version; "source" builds both from the '
        "checkout and your patches.",
    )
    mastodon_image: ImageRepository = Field(
        "ghcr.io/mastodon/mastodon", description="The image of web and Sidekiq, without its tag."
    )
    mastodon_streaming_image: ImageRepository = Field(
        "ghcr.io/mastodon/mastodon-streaming",
        description="The image of the streaming server, without its tag.",
    )
    mastodon_root: ServerPath = Field(
        "/srv/mastodon", description="All state of the instance lies under this directory of the server."
    )
    web_domain: HostNameOrEmpty = Field(
        "",
        examples=["social.example.org"],
        description="The site's own host name, only when it differs from local_domain (handles at "
        "example.org, site at social.example.org). The web server of local_domain must then "
        "redirect /.well-known/webfinger to it.",
    )
    alternate_domains: HostNames = Field(
        (), examples=[["example.net"]], description='Further names under which the site answers: ["example.net"].'
    )
    single_user_mode: bool = Field(False, description="True turns the front page into the profile of the only account.")
    default_locale: Locale = Field(
        "en", description='The language for visitors whose own is unknown: "en", "pt-BR", "sr-Latn".'
    )
    mastodon_log_level: Literal["debug", "info", "warn", "error", "fatal"] = Field(
        "info", description='How much web and Sidekiq write to their logs: "debug", "info", "warn", "error" or "fatal".'
    )
    mastodon_environment: MastodonEnvironment = Field(
        {},
        examples=[{"AUTHORIZED_FETCH": "true"}],
        description="Any other variable of Mastodon's environment by its upstream name, every value as text: "
        '{"AUTHORIZED_FETCH": "true"}.',
    )

    smtp_port: Port = Field(
        587, description="587 with STARTTLS is what most providers want; 465 needs smtp_tls = True."
    )
    smtp_login: OneLine = Field(
        "",
        examples=["mastodon"],
        description="The account at the mail server. Its password is SMTP_PASSWORD in secrets.env.",
    )
    smtp_tls: bool = Field(False, description="TLS from the first byte, as port 465 wants it; STARTTLS is then off.")
    smtp_starttls: Literal["auto", "always", "never"] = Field(
        "always",
        description='"always" refuses a mail server without STARTTLS, "auto" then sends without TLS, "never" '
        "does not ask for it.",
    )
    smtp_authentication: Literal["plain", "login", "cram_md5", "none"] = Field(
        "plain",
        description='How to log in: "plain", "login", "cram_md5" or "none". Without smtp_login it is always "none".',
    )
    smtp_verify: Literal["peer", "none"] = Field(
        "peer", description='"peer" verifies the certificate of the mail server, "none" accepts any.'
    )

    s3_enabled: bool = Field(
        False,
        description="Keep uploads in an object store instead of on the server. The keys are AWS_ACCESS_KEY_ID"
        " and AWS_SECRET_ACCESS_KEY in secrets.env.",
    )
    s3_bucket: OneLine = Field("", examples=["mastodon-media"], description="The bucket's name.")
    s3_region: OneLine = Field("", examples=["eu-central-1"], description="The bucket's region.")
    s3_endpoint: WebUrlOrEmpty = Field(
        "",
        examples=["https://s3.example.org"],
        description='The address of the store when it is not Amazon: "https://s3.example.org".',
    )
    s3_hostname: HostAndPathOrEmpty = Field(
        "",
        examples=["s3.example.org"],
        description="The host in the addresses of media when it is not Amazon's.",
    )
    s3_alias_host: HostAndPathOrEmpty = Field(
        "",
        examples=["media.example.org"],
        description="A CDN or proxy in front of the bucket, with its path if it has one.",
    )
    s3_permission: Literal["public-read", "private", ""] = Field(
        "public-read",
        description='The access list of each object: "public-read", "private", or "" for stores that know none.',
    )

    @property
    def site_domain(self) -> str:
        """The host name of the site: WEB_DOMAIN where it differs from LOCAL_DOMAIN."""
        return self.web_domain or self.local_domain

    @property
    def mastodon_image_reference(self) -> str:
        """The image of web and Sidekiq with its tag."""
        return f"{self.mastodon_image}:{self.mastodon_version}"

    @property
    def mastodon_streaming_image_reference(self) -> str:
        """The image of the streaming server with its tag."""
        return f"{self.mastodon_streaming_image}:{self.mastodon_version}"

    @property
    def smtp_enable_starttls(self) -> str:
        """
        SMTP_ENABLE_STARTTLS: "never" under TLS, where any other value makes every delivery fail.

        Source: gem mail 2.8 raises ArgumentError when :tls meets :enable_starttls or :enable_starttls_auto.
        """
        return "never" if self.smtp_tls else self.smtp_starttls

    @property
    def smtp_auth_method(self) -> str:
        """SMTP_AUTH_METHOD: "none" without a login, as a relay in one's own network wants it."""
        return self.smtp_authentication if self.smtp_login else "none"
