"""What is wrong with the ways of alerts, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mstdn.fact import Lines
from mstdn.finding import Finding
from mstdn.mail.delivery import Way, refusal, sent

if TYPE_CHECKING:
    from pydantic import SecretStr

NOBODY = (
    "Nobody is told: set alerts_mail_to, or ALERTS_WEBHOOK_URL in secrets.env, and deploy: pyinfra inventory.py "
    "deploy.py"
)
# Of curl: no such host, nobody there, too slow, no TLS, a certificate that nobody vouches for (curl(1)).
UNKNOWN_HOST, NO_CONNECTION, SLOW, HANDSHAKE, UNTRUSTED = 6, 7, 28, 35, 60


def webhook_findings(secrets: Mapping[str, SecretStr]) -> Iterator[Finding]:
    """What is wrong with the address of the webhook, of which nothing is shown."""
    if "ALERTS_WEBHOOK_URL" not in secrets:
        return
    address = secrets["ALERTS_WEBHOOK_URL"].get_secret_value()
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(character.isspace() for character in address):
        yield Finding(
            "error", "ALERTS_WEBHOOK_URL is not the address of a webhook, such as https://ntfy.sh/a-name-nobody-guesses"
        )


def outcome(output: str, way: Way) -> tuple[list[str], list[str]]:
    """What became of a test by every channel: what went well and what did not, in words. output: of alerts/round.sh."""
    good: list[str] = []
    bad: list[str] = []
    for part in output.split("channel ")[1:]:
        channel, _, text = part.partition("\n")
        if channel == "mail":
            said = refusal(sent(text), way)
            by = "the container of web" if "by container" in text.splitlines() else "the server itself"
            if said:
                bad.append(f"Mail: {said}")
            else:
                good.append(f'{way.server} took the mail for {way.to}, sent by {by}: "{sent(text).took}".')
        elif channel == "webhook":
            said = _webhook(text)
            if said:
                bad.append(f"Webhook: {said}")
            else:
                good.append("The webhook took the message.")
    return good, bad


def _webhook(text: str) -> str:
    """Why a webhook did not take a message, "" if it did."""
    lines = Lines(text.splitlines())
    code, status = (int(word) for word in lines.get("webhook", "-1 0").split())
    words = f' It says: "{lines.get("answered")}".' if lines.get("answered") else ""
    if code == 0 and 200 <= status < 300:
        return ""
    reasons = {
        UNKNOWN_HOST: "There is no server of that name: is ALERTS_WEBHOOK_URL (secrets.env) spelt right?",
        NO_CONNECTION: "Nobody listens there: is the port in ALERTS_WEBHOOK_URL right, and may this server go out?",
        SLOW: "It did not answer in time.",
        HANDSHAKE: "TLS does not begin there: is it http:// by any chance?",
        UNTRUSTED: "Its certificate is not trusted by this server.",
    }
    if code == 0 and status in (401, 403):
        return f"It refuses the message (HTTP {status}): is the token in ALERTS_WEBHOOK_URL right?{words}"
    if code == 0 and status == 404:
        return f"There is nothing at that address (HTTP 404): look at the path in ALERTS_WEBHOOK_URL.{words}"
    if code == 0 and 300 <= status < 400:
        return f"It leads elsewhere (HTTP {status}): put the address that it leads to into ALERTS_WEBHOOK_URL."
    if code == 0:
        return f"It refuses the message (HTTP {status}): it has to take a POST of plain text, as ntfy does.{words}"
    return f"{reasons.get(code, f'curl failed with {code}.')}{words}"
