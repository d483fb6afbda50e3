"""What stands between Mastodon and the servers that it talks to, in words. Pure."""

from __future__ import annotations

from mstdn.mail.facts import GoingOut

# Exit codes of curl. Source: curl(1).
NO_ADDRESS, NO_CONNECTION, SLOW, NO_TLS, HANDSHAKE, DENIED, UNTRUSTED, TLS_OF_ANOTHER = 6, 7, 28, 64, 35, 67, 60, 51
UNREACHABLE = (NO_ADDRESS, NO_CONNECTION, SLOW)


def mail_warning(found: GoingOut, server: str, port: int) -> str | None:
    """What is wrong with the mail server, in its own words, with the usual reason; None if it let Mastodon in."""
    if not found.mail:
        return None
    reasons = {
        NO_ADDRESS: f'There is no server of that name: is smtp_server = "{server}" spelt right?',
        NO_CONNECTION: _blocked(port),
        SLOW: _blocked(port),
        NO_TLS: "It offers no STARTTLS: use port 465 with smtp_tls = True, or in a network of your own "
        'smtp_starttls = "auto".',
        HANDSHAKE: "TLS does not begin: port 465 wants smtp_tls = True, 587 and 25 want smtp_tls = False.",
        DENIED: "Are smtp_login and SMTP_PASSWORD (secrets.env) right? Some providers want a password for programs.",
        UNTRUSTED: 'Its certificate is not trusted: use the right name in smtp_server, or smtp_verify = "none".',
        TLS_OF_ANOTHER: "Its certificate is for another name: which name does your provider say?",
    }
    reason = reasons.get(found.mail, "Look at smtp_server, smtp_port, smtp_tls and smtp_starttls.")
    said = f' It says: "{found.said}".' if found.said else ""
    return (
        f"Mastodon cannot hand over mail to {server}, port {port}, so nobody can sign up or get a new password.{said} "
        f"{reason}"
    )


def _blocked(port: int) -> str:
    others = " or ".join(str(each) for each in (2525, 465, 587) if each != port)
    return (
        f"Nothing answers there. Many providers of servers block port {port}: try {others} if your mail provider can."
    )


def outside_warning(found: GoingOut, elsewhere: str) -> str | None:
    """Why others are not reached although the mail server is: it may be in the provider's own network."""
    if not found.outside or outside_problem(found):
        return None
    what = "is not reached" if found.outside in UNREACHABLE else f"breaks off (curl: {found.outside})"
    return (
        f"A visit of Mastodon's containers to {elsewhere} {what}. If others are not reached either, nothing federates. "
        "Does a firewall of the server or of its provider stop what is forwarded (iptables -S DOCKER-USER), or is a "
        "proxy needed (http_proxy)?"
    )


def outside_problem(found: GoingOut) -> str | None:
    """Why nothing gets out, if nothing does: neither to the mail server nor elsewhere."""
    if found.outside in UNREACHABLE and (found.mail is None or found.mail in UNREACHABLE):
        return (
            "Mastodon's containers reach nobody outside: nothing federates, and no mail leaves. Does a firewall of the "
            "server or of its provider stop what is forwarded (iptables -S DOCKER-USER), and does the DNS answer?"
        )
    return None
