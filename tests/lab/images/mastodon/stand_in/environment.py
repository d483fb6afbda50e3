"""
What the application knows before it does anything: its files, its release, its variables, and what it refuses.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

from .rack import trusted_proxies
from .sender import SenderError, envelope_sender

ROOT = Path("/opt/mastodon")

ENCRYPTION_KEYS = (
    "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY",
    "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT",
    "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY",
)


class AbortError(Exception):
    """Ends the command with exit code 1 and this text on standard error."""


_LINE = re.compile(
    r"""^\s*(?:export\s+)?(?P<name>[\w.]+)\s*=\s*
        (?:'(?P<literal>[^']*)'|"(?P<double>(?:\\.|[^"\\])*)"|(?P<plain>[^\s\#'"](?:[^#\n]|(?<=\S)\#)*)?)
        \s*(?:\#.*)?$""",
    re.VERBOSE,
)


def read_dotenv(text: str, environment: MutableMapping[str, str]) -> None:
    """
    Set what a dotenv file sets and `environment` does not have yet, by the rules of the gem dotenv.

    Single quotes are literal; elsewhere `$NAME` and `${NAME}` are replaced. Raises AbortError for a line that is no
    assignment and for `$(command)`, which the gem would run.
    """
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise AbortError(f"Dotenv::FormatError: Line {line!r} does not match the form of an assignment")
        value = match["literal"]
        if value is None:
            value = _expanded(match["double"] or (match["plain"] or "").rstrip(), environment)
        environment.setdefault(match["name"], value)


def _expanded(value: str, environment: MutableMapping[str, str]) -> str:
    if "$(" in value.replace("\\$", ""):
        raise AbortError("The gem dotenv would run the command after $( here: quote the value with single quotes.")
    value = value.replace("\\n", "\n")
    value = re.sub(r"(?<!\\)\$\{?(\w+)\}?", lambda match: environment.get(match[1], ""), value)
    return re.sub(r"\\(.)", r"\1", value)


def load_dotenv() -> None:
    """Read /opt/mastodon/.env.production when it exists. Raises PermissionError when it cannot be read."""
    path = ROOT / f".env.{os.environ.get('RAILS_ENV', 'development')}"
    if path.exists():
        read_dotenv(path.read_text(), os.environ)


def check_environment(environment: MutableMapping[str, str]) -> None:
    """
    Refuse what Mastodon's initializers refuse. Raises AbortError with the reason.

    SECRET_KEY_BASE_DUMMY gives the process random keys: for building assets only.
    """
    if environment.get("SECRET_KEY_BASE_DUMMY"):
        for name in ("SECRET_KEY_BASE", *ENCRYPTION_KEYS):
            environment[name] = secrets.token_hex(64)
    if not environment.get("SECRET_KEY_BASE", "").strip():
        raise AbortError("ArgumentError: Missing `secret_key_base` for 'production' environment")
    if environment.get("REDIS_NAMESPACE"):
        raise AbortError("ERROR: REDIS_NAMESPACE is set, but namespaces in Redis are not supported since 4.4.")
    blank = [name for name in ENCRYPTION_KEYS if not environment.get(name, "").strip()]
    if blank:
        raise AbortError(f"Mastodon needs these variables, made by `bin/rails db:encryption:init`: {', '.join(blank)}")
    for name in ENCRYPTION_KEYS:
        if environment[name].endswith("DO_NOT_USE_IN_PRODUCTION"):
            raise AbortError(f"{name} has the value of the test environment: make a new one.")
    try:
        envelope_sender(environment.get("SMTP_FROM_ADDRESS", "notifications@localhost"))
        trusted_proxies(environment.get("TRUSTED_PROXY_IP", ""))
    except (SenderError, ValueError) as error:
        raise AbortError(str(error)) from error


@dataclass(frozen=True)
class Version:
    """The release in lib/mastodon/version.rb; `text` is without v and with prerelease and metadata."""

    numbers: tuple[int, ...]
    text: str


def version() -> Version:
    """The release of the files in /opt/mastodon, whoever put them there."""
    ruby = (ROOT / "lib/mastodon/version.rb").read_text()
    parts = dict(re.findall(r"def (major|minor|patch)\s+(\d+)", ruby))
    numbers = tuple(int(parts[name]) for name in ("major", "minor", "patch"))
    text = ".".join(map(str, numbers))
    if prerelease := os.environ.get("MASTODON_VERSION_PRERELEASE"):
        text += f"-{prerelease}"
    if metadata := os.environ.get("MASTODON_VERSION_METADATA"):
        text += f"+{metadata}"
    return Version(numbers, text)


@dataclass(frozen=True)
class Site:
    """The names the instance answers to."""

    local_domain: str
    web_domain: str
    alternate_domains: tuple[str, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host name that is not refused."""
        return (self.local_domain, self.web_domain, *self.alternate_domains)


def site() -> Site:
    """The names, from LOCAL_DOMAIN, WEB_DOMAIN and ALTERNATE_DOMAINS."""
    local_domain = os.environ.get("LOCAL_DOMAIN") or f"localhost:{os.environ.get('PORT', '3000')}"
    alternates = re.split(r"\s*,\s*", os.environ.get("ALTERNATE_DOMAINS", ""))
    return Site(local_domain, os.environ.get("WEB_DOMAIN") or local_domain, tuple(name for name in alternates if name))


def is_true(name: str) -> bool:
    """Whether a switch is on: Mastodon compares with exactly this word, so that "True", "yes" and "1" are off."""
    return os.environ.get(name) == "true"


def limited_federation() -> bool:
    """Whether the instance speaks only with those that it allows; the older name of the variable counts still."""
    return (os.environ.get("LIMITED_FEDERATION_MODE") or os.environ.get("WHITELIST_MODE")) == "true"


def authorized_fetch() -> bool:
    """Whether documents are only for those who sign their requests."""
    return is_true("AUTHORIZED_FETCH") or limited_federation()


def integer(name: str, default: int) -> int:
    """A variable as a number; the default when it is unset or empty."""
    return int(os.environ.get(name) or default)
