"""What must hold between the settings of Mastodon's mail."""

from __future__ import annotations

from collections.abc import Container, Iterator

from mstdn.problems import Problem


def implicit_tls_goes_with_port_465(smtp_port: int, smtp_tls: bool) -> Iterator[Problem]:
    """Source: RFC 8314 section 3.3; mastodon/mastodon#23180."""
    if smtp_port == 465 and not smtp_tls:
        yield Problem("smtp_tls", "port 465 speaks TLS from the first byte", "smtp_tls = True", "smtp_port = 465")
    if smtp_port in (25, 587) and smtp_tls:
        yield Problem(
            "smtp_tls",
            f"port {smtp_port} starts without TLS and is upgraded with STARTTLS",
            "smtp_tls = False, or smtp_port = 465",
            "smtp_tls = True",
        )


def a_login_has_a_password(smtp_login: str, smtp_authentication: str, secrets: Container[str]) -> Iterator[Problem]:
    if smtp_login and smtp_authentication == "none":
        yield Problem(
            "smtp_authentication",
            "with smtp_login there must be a way to log in",
            'smtp_authentication = "plain", or smtp_login = ""',
            'smtp_authentication = "none"',
        )
    if smtp_login and "SMTP_PASSWORD" not in secrets:
        yield Problem(
            "SMTP_PASSWORD", "smtp_login is set but its password is not", "SMTP_PASSWORD='...' in secrets.env"
        )
    if not smtp_login and "SMTP_PASSWORD" in secrets:
        yield Problem(
            "smtp_login",
            "SMTP_PASSWORD is set but not the login it belongs to",
            'smtp_login = "..." (often the mail address), or remove SMTP_PASSWORD',
        )
