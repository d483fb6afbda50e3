"""The settings of the Mastodon itself: its names, its release, its environment."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mstdn import versions
from mstdn.app.environment import MastodonEnvironment
from mstdn.app.locales import Locale, the_release_has_the_locale
from mstdn.app.rules import (
    address_lists_can_be_read,
    addresses_can_be_read,
    domains_are_named_once,
    names_are_spelt_right,
    numbers_and_words_are_known,
    passwords_are_secrets,
    switches_are_true_or_false,
    urls_and_hosts_lead_somewhere,
    variables_are_read,
    variables_have_their_secrets,
)
from mstdn.kinds.images import ImageRepository, Release
from mstdn.kinds.network import HostName, HostNameOrEmpty
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.paths import ServerPath

HostNames = Annotated[tuple[HostName, ...], Field(strict=False, title="list of host names")]


class AppSettings(Part):
    """Names, release and behaviour of the instance."""

    title: ClassVar[str] = "Mastodon"
    relations: ClassVar[tuple[Relation, ...]] = (
        domains_are_named_once,
        the_release_has_the_locale,
        variables_are_read,
        names_are_spelt_right,
        switches_are_true_or_false,
        numbers_and_words_are_known,
        urls_and_hosts_lead_somewhere,
        variables_have_their_secrets,
        passwords_are_secrets,
        address_lists_can_be_read,
        addresses_can_be_read,
    )

    local_domain: HostName = Field(
        examples=["social.example.org"],
        description="The name after the @ of every account, for ever: it can never change once people have posted.",
    )
    web_domain: HostNameOrEmpty = Field(
        "",
        examples=["social.example.org"],
        description="The site's own host name, only when it differs from local_domain (handles at "
        "example.org, site at social.example.org). Others then ask local_domain for the accounts: where it leads to "
        "this server too, the proxy leads them to the site; otherwise its web server must redirect "
        "/.well-known/webfinger to it.",
    )
    alternate_domains: HostNames = Field(
        (), examples=[["example.net"]], description='Further names under which the site answers: ["example.net"].'
    )
    mastodon_version: Release = Field(
        versions.MASTODON,
        description="Exactly one release, with its v. Upgrading is: set the new one, deploy.",
    )
    mastodon_image_source: Literal["official", "source"] = Field(
        "official",
        description='"official" pulls the images below at mastodon_version; "source" builds both from the '
        "checkout and your patches. The AGPL then asks you to offer your source: name it in mastodon_environment, in "
        "GITHUB_REPOSITORY or SOURCE_BASE_URL.",
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
    app_start_timeout_seconds: Annotated[int, Field(ge=10, le=7200)] | None = Field(
        None,
        description="How long a container may take to become healthy before the run fails and shows its last "
        "log lines; None is 300, and 600 on a server of 1 GB.",
    )

    app_stop_timeout_seconds: Annotated[int, Field(ge=10, le=3600)] = Field(
        60,
        description="How long Sidekiq gets for the jobs it works on when it has to stop; what it cannot finish, such "
        "as converting a long film, the next one begins anew. A deployment waits for it.",
    )

    @property
    def site_domain(self) -> str:
        """The host name of the site: WEB_DOMAIN where it differs from LOCAL_DOMAIN."""
        return self.web_domain or self.local_domain

    @property
    def public_domains(self) -> tuple[str, ...]:
        """
        The names for which the proxy answers and asks for certificates.

        Not local_domain where web_domain differs, because another server may have it; and no onion or I2P name, because
        no public authority certifies those.
        """
        hidden = (".onion", ".i2p")
        names = (self.site_domain, *self.alternate_domains)
        return tuple(dict.fromkeys(name for name in names if not name.endswith(hidden)))

    @property
    def mastodon_image_reference(self) -> str:
        """The image of web and Sidekiq with its tag."""
        return f"{self.mastodon_image}:{self.mastodon_version}"

    @property
    def mastodon_streaming_image_reference(self) -> str:
        """The image of the streaming server with its tag."""
        return f"{self.mastodon_streaming_image}:{self.mastodon_version}"
