"""What the mail server made of a test mail, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mstdn.fact import Lines
from mstdn.mail.facts import GoingOut
from mstdn.mail.way_out import DENIED, mail_warning

# Of curl: the server said no to a command, or ended the connection (curl(1)).
SAID_NO = (8, 55, 56)


@dataclass(frozen=True)
class Sent:
    """
    `code`: curl's exit code, None where it did not run. `step`: the last command of SMTP that was begun, "" before the
    first. `said`: the server's words where it said no, or else curl's. `took`: its last word that was a yes.
    """

    code: int | None = None
    step: str = ""
    said: str = ""
    took: str = ""


def sent(output: str) -> Sent:
    """What mstdn/mail/hand_over.sh printed."""
    lines = Lines(output.splitlines())
    code = lines.get("mail")
    steps = [each for each in lines.all("step") if each != "QUIT"]
    took = [each for each in lines.all("took") if not each.startswith("221")]
    return Sent(int(code) if code.isdecimal() else None, (steps or [""])[-1], lines.get("said"), (took or [""])[-1])


@dataclass(frozen=True)
class Way:
    """The settings by which it went."""

    server: str
    port: int
    sender: str
    login: str
    to: str


def refusal(found: Sent, way: Way) -> str:
    """Why the mail server did not take the mail, in its own words, with what to do; "" if it took it."""
    if found.code == 0:
        return ""
    if found.code is None:
        return "curl did not run in the container of web. Run it again with -vvv to see why."
    words = f' It says: "{found.said}".' if found.said else ""
    begin = f"{way.server}, port {way.port}, did not take the mail.{words} "
    if found.said.startswith("4") and found.step in ("MAIL", "RCPT", "DATA"):
        return (
            f"{begin}That is for now only (greylisting, or too many mails at a time): try again in some minutes. "
            "Mastodon does so by itself."
        )
    if found.step == "MAIL" and found.code != DENIED:
        if way.login and not _asks_for_log_in(found.said):
            return (
                f"{begin}It refuses the sender {way.sender}: smtp_from_address has to be an address or a domain that "
                f"your mail provider has verified for the account {way.login}."
            )
        return (
            f"{begin}It refuses the sender {way.sender} without a log-in: set smtp_login, and SMTP_PASSWORD in "
            "secrets.env; or let it take mail from this server's address."
        )
    if found.step == "RCPT":
        return (
            f"{begin}It refuses to pass mail on to {way.to}: is the address right? Where it speaks of relaying, it "
            "does so only after a log-in (smtp_login, SMTP_PASSWORD), or while the account is on trial for verified "
            "addresses."
        )
    if found.step == "DATA":
        return (
            f"{begin}It refuses the mail itself: as a rule the domain of {way.sender} is not verified at your mail "
            "provider, or what the DNS says of it forbids the mail (SPF, DKIM, DMARC: see above)."
        )
    if _asks_for_log_in(found.said):
        return f"{begin}Are smtp_login, SMTP_PASSWORD (secrets.env) and smtp_authentication right?"
    return mail_warning(GoingOut(found.code, found.said), way.server, way.port) or begin


def _asks_for_log_in(said: str) -> bool:
    """Source: RFC 4954, section 6."""
    return said[:3] in ("530", "534", "535", "538")
