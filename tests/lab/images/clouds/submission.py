"""
smtp.sparkpostmail.com: ports 587 and 2525, STARTTLS, and a log-in. It takes mail of verified domains only.

What it takes, it delivers to the lab's mail server.
"""

from __future__ import annotations

import asyncio
import email
import email.utils
import smtplib
import ssl
import threading
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword  # type: ignore[import-not-found]

from tests.stand_ins.sparkpost import SparkPostStandIn

PORTS = (587, 2525)
LAST_STOP = "mail.example.net"
LAST_STOP_LOGIN = ("mastodon", "lab-smtp-password")


class Submission:
    """`regions`: an account in each; who logs in belongs to one of them."""

    def __init__(self, accounts: tuple[SparkPostStandIn, ...]):
        self._accounts = accounts

    def authenticate(self, server: object, session: object, envelope: object, mechanism: str, data: Any) -> Any:
        """Let those in who have a key."""
        known = isinstance(data, LoginPassword) and any(
            each.lets_in(data.login.decode(), data.password.decode()) for each in self._accounts
        )
        return AuthResult(success=known, handled=False)

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Refuse a mail whose From is of no verified domain; pass the others on."""
        message = email.message_from_bytes(envelope.content)
        sender = email.utils.parseaddr(message["From"] or "")[1] or envelope.mail_from
        refusals = [each.refusal(sender) for each in self._accounts]
        if all(refusals):
            return refusals[0]
        await asyncio.get_running_loop().run_in_executor(None, _deliver, envelope)
        return "250 2.0.0 OK"


def _deliver(envelope: Any) -> None:
    with smtplib.SMTP_SSL(LAST_STOP, 465, context=ssl.create_default_context()) as server:
        server.login(*LAST_STOP_LOGIN)
        server.sendmail(envelope.mail_from, envelope.rcpt_tos, envelope.content)


def serve(accounts: tuple[SparkPostStandIn, ...], address: str, context: ssl.SSLContext) -> None:
    """Take mail for ever, in a thread of its own."""
    submission = Submission(accounts)

    def session() -> Any:
        return SMTP(
            submission,
            hostname="smtp.sparkpostmail.com",
            tls_context=context,
            require_starttls=True,
            authenticator=submission.authenticate,
            auth_required=True,
        )

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        for port in PORTS:
            await loop.create_server(session, address, port)
        await asyncio.Event().wait()

    threading.Thread(target=lambda: asyncio.run(listen()), daemon=True).start()
