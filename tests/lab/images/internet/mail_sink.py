"""
A mail server that takes mail from one user and keeps it.

587 wants STARTTLS first, 465 speaks TLS from the start, both want a log-in. Each mail becomes one line of JSON in
MAILS: {"sender": address, "recipients": [address, ...], "content": the message as it came}.
"""

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword  # type: ignore[import-not-found]

MAILS = Path("/var/mail/mails.jsonl")
USER = LoginPassword(b"mastodon", b"lab-smtp-password")
HOST_NAME = "mail.example.net"


def authenticate(server: object, session: object, envelope: object, mechanism: str, data: object) -> Any:
    """Let exactly one user in."""
    return AuthResult(success=data == USER, handled=False)


class Keeper:
    """What to do with a mail: keep it."""

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Append the mail to MAILS."""
        mail = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "content": envelope.content.decode(errors="replace"),
        }
        with MAILS.open("a") as mails:
            mails.write(json.dumps(mail) + "\n")
        return "250 2.0.0 Kept"


async def main() -> None:
    """Listen on both ports for ever."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/identity/tls.crt", "/identity/tls.key")
    MAILS.touch()

    def submission() -> Any:
        return SMTP(
            Keeper(),
            hostname=HOST_NAME,
            tls_context=context,
            require_starttls=True,
            authenticator=authenticate,
            auth_required=True,
        )

    def submissions() -> Any:
        # The library counts only its own STARTTLS as TLS.
        return SMTP(
            Keeper(),
            hostname=HOST_NAME,
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=False,
        )

    loop = asyncio.get_running_loop()
    await loop.create_server(submission, port=587)
    await loop.create_server(submissions, port=465, ssl=context)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
