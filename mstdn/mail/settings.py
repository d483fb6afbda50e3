"""The settings of Mastodon's mail."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mstdn.kinds.mail import MailAddressOrEmpty, MailSender, MailServer
from mstdn.kinds.network import Port
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.text import OneLine
from mstdn.mail.rules import a_login_has_a_password, implicit_tls_goes_with_port_465


class MailSettings(Part):
    """The mail server that takes Mastodon's mail, and how to talk to it."""

    title: ClassVar[str] = "Mail"
    relations: ClassVar[tuple[Relation, ...]] = (implicit_tls_goes_with_port_465, a_login_has_a_password)

    smtp_server: MailServer = Field(
        examples=["smtp.example.org"],
        description="The mail server that takes Mastodon's mail (sign-up, password reset, log-in from a new place).",
    )
    smtp_from_address: MailSender = Field(
        examples=["Mastodon <notifications@social.example.org>"],
        description="The sender of Mastodon's mail.",
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
    mail_test_to: MailAddressOrEmpty = Field(
        "",
        examples=["you@example.org"],
        description="Where a test mail goes, for one run of tasks/mail_test.py: --data mail_test_to=you@example.org",
    )

    @property
    def smtp_enable_starttls(self) -> str:
        """
        SMTP_ENABLE_STARTTLS: "never" under TLS, where any other value makes every delivery fail.

        Source: gem mail 2.8 and 2.9 raise ArgumentError when :tls meets :enable_starttls or :enable_starttls_auto.
        """
        return "never" if self.smtp_tls else self.smtp_starttls

    @property
    def smtp_auth_method(self) -> str:
        """SMTP_AUTH_METHOD: "none" without a login, as a relay in one's own network wants it."""
        return self.smtp_authentication if self.smtp_login else "none"
