"""
Mail over SMTP, by the variables that Mastodon gives to Action Mailer.
"""

from __future__ import annotations

import os
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import make_msgid

from .sender import envelope_sender

_TIMEOUT_SECONDS = 20


def send(recipient: str, subject: str, text: str) -> None:
    """Deliver one mail. Raises OSError (smtplib and ssl errors are among them) when the server does not take it."""
    sender = os.environ.get("SMTP_FROM_ADDRESS") or "notifications@localhost"
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = subject
    address = envelope_sender(sender)
    message["Message-ID"] = make_msgid(domain=address.partition("@")[2])
    if reply_to := os.environ.get("SMTP_REPLY_TO"):
        message["Reply-To"] = reply_to
    message.set_content(text)
    with _connected() as server:
        _log_in(server)
        server.send_message(message, from_addr=address)


def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=os.environ.get("SMTP_CA_FILE") or "/etc/ssl/certs/ca-certificates.crt")
    if os.environ.get("SMTP_OPENSSL_VERIFY_MODE") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _connected() -> smtplib.SMTP:
    host, port = os.environ.get("SMTP_SERVER") or "localhost", int(os.environ.get("SMTP_PORT") or 25)
    name = os.environ.get("SMTP_DOMAIN") or os.environ.get("LOCAL_DOMAIN")
    if "true" in (os.environ.get("SMTP_TLS"), os.environ.get("SMTP_SSL")):
        return smtplib.SMTP_SSL(host, port, name, timeout=_TIMEOUT_SECONDS, context=_tls_context())
    server = smtplib.SMTP(host, port, name, timeout=_TIMEOUT_SECONDS)
    server.ehlo_or_helo_if_needed()
    mode = os.environ.get("SMTP_ENABLE_STARTTLS") or "auto"
    if mode == "always" or (mode == "auto" and server.has_extn("starttls")):
        server.starttls(context=_tls_context())
    return server


def _log_in(server: smtplib.SMTP) -> None:
    """With exactly the method that is asked for, even where the server offers others."""
    method = os.environ.get("SMTP_AUTH_METHOD") or "plain"
    login = os.environ.get("SMTP_LOGIN")
    if method == "none" or not login:
        return
    server.ehlo_or_helo_if_needed()
    server.user, server.password = login, os.environ.get("SMTP_PASSWORD", "")
    server.auth(method.upper().replace("_", "-"), getattr(server, f"auth_{method}"))
