"""
The operator's secrets: what others know too (a mail provider, an object store), so the server cannot make it.

They come from secrets.env beside deploy.py; a few also from the environment of pyinfra, which wins.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.problems import Problem

if TYPE_CHECKING:
    from mstdn.settings import Settings

SECRETS_FILE = Path(__file__).resolve().parents[2] / "secrets.env"

OPERATOR_SECRETS = {
    "SMTP_PASSWORD": "The password of smtp_login at the mail server.",
    "AWS_ACCESS_KEY_ID": "The access key of the object store, for s3_enabled = True.",
    "AWS_SECRET_ACCESS_KEY": "The secret key of the object store, for s3_enabled = True.",
    "ES_PASS": "Elasticsearch: the password of ES_USER.",
    "OIDC_CLIENT_SECRET": "Single sign-on with OpenID Connect.",
    "SAML_PRIVATE_KEY": "Single sign-on with SAML.",
    "LDAP_PASSWORD": "The password of LDAP_BIND_DN.",
    "HCAPTCHA_SECRET_KEY": "The captcha at sign-up, with HCAPTCHA_SITE_KEY.",
    "DEEPL_API_KEY": "Translations by DeepL.",
    "LIBRE_TRANSLATE_API_KEY": "Translations by LibreTranslate.",
    "BULK_SMTP_PASSWORD": "The password of BULK_SMTP_LOGIN.",
    "CACHE_BUSTER_SECRET": "The cache buster's, with CACHE_BUSTER_SECRET_HEADER.",
    "SWIFT_PASSWORD": "OpenStack Swift: the password of SWIFT_USERNAME.",
    "SWIFT_TEMP_URL_KEY": "OpenStack Swift: the key of temporary addresses.",
    "AZURE_STORAGE_ACCESS_KEY": "The key of AZURE_STORAGE_ACCOUNT.",
}
# secrets.env may hold both kinds. What is read for a server is the first kind alone.
KNOWN_NAMES = (*OPERATOR_SECRETS, *PROVIDER_KEYS)
# Only these, because others (DEEPL_API_KEY, say) may be in somebody's environment for something else.
ENVIRONMENT_SECRETS = ("SMTP_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def operator_secrets(
    file: Path | None = None, environment: Mapping[str, str] = os.environ
) -> tuple[dict[str, SecretStr], list[Problem]]:
    """
    The secrets that are set, by name, and what is wrong with them. An empty value counts as not set.

    file: where to read KEY=value lines, by default SECRETS_FILE; it may be absent. Never raises.
    A SecretStr shows itself as asterisks; its value is get_secret_value().
    """
    values, problems = _values(file, environment, ENVIRONMENT_SECRETS)
    return {name: SecretStr(value) for name, value in values.items() if value and name in OPERATOR_SECRETS}, problems


def provider_keys(
    file: Path | None = None, environment: Mapping[str, str] = os.environ
) -> tuple[dict[str, SecretStr], list[Problem]]:
    """
    The keys of providers that are set, by name, and what is wrong with them; otherwise as operator_secrets.

    Nothing that reaches a server calls this.
    """
    values, problems = _values(file, environment, tuple(PROVIDER_KEYS))
    return {name: SecretStr(value) for name, value in values.items() if value and name in PROVIDER_KEYS}, problems


def _values(
    file: Path | None, environment: Mapping[str, str], from_environment_too: tuple[str, ...]
) -> tuple[dict[str, str], list[Problem]]:
    """Everything in the file, and over it what these variables of the environment hold."""
    file = file or SECRETS_FILE
    from_file, problems = _read(file) if file.exists() else ({}, [])
    from_environment = {name: environment[name] for name in from_environment_too if environment.get(name)}
    problems += [
        Problem(f"{name} in the environment", wrong, "a value without it")
        for name, value in from_environment.items()
        if (wrong := unfit_for_dotenv(value))
    ]
    return from_file | from_environment, problems


def secrets_for(settings: Settings) -> dict[str, SecretStr]:
    """The secrets that go to the server: AWS_* may be in the environment for other ends than an object store."""
    found, _ = operator_secrets()
    return {name: value for name, value in found.items() if settings.s3_enabled or not name.startswith("AWS_")}


def unfit_for_dotenv(value: str) -> str | None:
    """
    Why sh, Ruby's dotenv or Node's dotenv would not read NAME='value' as value; None if all three do.

    Both dotenv end a quoted value at the first quote without a backslash before it; sh ends it at any quote.
    """
    if "'" in value:
        return "it has a single quote, which Mastodon's settings file cannot hold"
    if value.endswith("\\"):
        return "it ends in a backslash, which Mastodon's settings file cannot hold"
    if re.search(r"[\x00\r\n]", value):
        return "it has a line break or NUL, which Mastodon's settings file cannot hold"
    return None


def _read(file: Path) -> tuple[dict[str, str], list[Problem]]:
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & ~0o600:
        return {}, [Problem(str(file), "others may read it", f"chmod 600 {file}", seen=f"mode {mode:04o}")]
    if _tracked_by_git(file):
        remedy = f"git rm --cached {file.name}, then change the secrets: they stay in git's history"
        return {}, [Problem(str(file), "git keeps it, and whoever has a clone has the secrets", remedy)]
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        return {}, [Problem(str(file), f"it cannot be read: {type(error).__name__}", "a text file in UTF-8")]
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith("#"):
            continue
        parsed = _parse(line, f"{file}, line {number}")
        if isinstance(parsed, Problem):
            problems.append(parsed)
        else:
            values.update([parsed])
    return values, problems


def _parse(line: str, where: str) -> tuple[str, str] | Problem:
    """The name and value of KEY=value or KEY='value'. The line itself is never quoted in a Problem."""
    name, equals, written = line.partition("=")
    if not equals or not re.fullmatch(r"\w+", name):
        return Problem(where, "it is not of the form NAME=value", "SMTP_PASSWORD='the password'")
    if name not in KNOWN_NAMES:
        return Problem(where, f"no secret is called {name}", _nearest(name))
    quoted = re.fullmatch(r"'(.*)'", written)
    value = quoted[1] if quoted else written
    if not quoted and re.search(r"[\s'\"]", written):
        return Problem(where, f"the value of {name} needs single quotes around it", f"{name}='the value'")
    if wrong := unfit_for_dotenv(value):
        return Problem(where, f"{name}: {wrong}", f"{name}='a value without it'")
    return name, value


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name.upper(), KNOWN_NAMES, n=1)
    return f"{near[0]}=..." if near else "one of " + ", ".join(KNOWN_NAMES)


@cache
def _tracked_by_git(file: Path) -> bool:
    """Once per run, for it starts a process. Where there is no git there is nothing to leak into."""
    command = ["git", "-C", str(file.parent), "ls-files", "--error-unmatch", file.name]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
