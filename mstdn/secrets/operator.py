"""
The operator's secrets: what others know too (a mail provider, an object store), so the server cannot make it.

They come from secrets.env beside the inventory or beside deploy.py (or the setting secrets_file), and a few also from
the environment of pyinfra.
"""

from __future__ import annotations

import difflib
import os
import stat
import subprocess
from collections.abc import Collection, Mapping
from functools import cache
from hashlib import scrypt
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from mstdn.app.variables import owners
from mstdn.cloud.keys import PROVIDER_KEYS, unfit_as_key
from mstdn.kinds.dotenv import Line, dotenv_lines, unfit_for_dotenv
from mstdn.operator_files import secrets_path
from mstdn.problems import Problem
from mstdn.secrets.table import MADE_ON_THE_SERVER, OF_ALERTS, OF_BACKUPS, OPERATOR_SECRETS

if TYPE_CHECKING:
    from mstdn.settings import Settings
    from mstdn.settings.provision import ProvisionSettings

# Beside the inventory, or else beside deploy.py.
SECRETS_FILE = Path("secrets.env")

# The file may hold both kinds. Only the first kind is read for a server.
KNOWN_NAMES = (*OPERATOR_SECRETS, *PROVIDER_KEYS)
ENVIRONMENT_SECRETS = tuple(secret.name for secret in OPERATOR_SECRETS.values() if secret.from_environment)


def operator_secrets(
    file: Path | None = None, environment: Mapping[str, str] = os.environ
) -> tuple[dict[str, SecretStr], list[Problem]]:
    """
    The secrets that are set, by name, and what is wrong with them. An empty value counts as not set.

    file: where to read KEY=value lines, by default SECRETS_FILE; it may be absent. Never raises.
    A SecretStr shows itself as asterisks; its value is get_secret_value().
    """
    values, problems = _values(file, environment, ENVIRONMENT_SECRETS)
    return {name: SecretStr(value) for name, value in values.items() if name in OPERATOR_SECRETS}, problems


def provider_keys(
    file: Path | None = None, environment: Mapping[str, str] = os.environ
) -> tuple[dict[str, SecretStr], list[Problem]]:
    """
    The keys of providers that are set, by name, and what is wrong with them; otherwise as operator_secrets.

    Nothing that reaches a server calls this.
    """
    values, problems = _values(file, environment, tuple(PROVIDER_KEYS))
    keys = {name: value for name, value in values.items() if name in PROVIDER_KEYS}
    problems += [
        Problem(name, wrong, "the key as its provider shows it")
        for name, value in keys.items()
        if (wrong := unfit_as_key(value))
    ]
    return {name: SecretStr(value) for name, value in keys.items()}, problems


def _values(
    file: Path | None, environment: Mapping[str, str], from_environment_too: Collection[str]
) -> tuple[dict[str, str], list[Problem]]:
    """Everything that is set in the file, and over it what these variables of the environment hold."""
    file = secrets_path(file or SECRETS_FILE)
    from_file, problems = _read(file) if file.exists() else ({}, [])
    from_environment = {name: environment[name] for name in from_environment_too if environment.get(name)}
    problems += [
        Problem(f"{name} in the environment", wrong, "a value without it")
        for name, value in from_environment.items()
        if (wrong := unfit_for_dotenv(value))
    ]
    problems += [
        Problem(
            f"{name} in the environment",
            f"{file} has another value for it, and nobody knows which one is right",
            f"unset {name}, or remove it from the file",
        )
        for name, value in from_environment.items()
        if from_file.get(name) not in (None, "", value)
    ]
    return {name: value for name, value in (from_file | from_environment).items() if value}, problems


def secrets_for(settings: Settings) -> dict[str, SecretStr]:
    """The secrets that go to Mastodon: AWS_* may be in the environment for other ends than an object store."""
    found, _ = operator_secrets(secrets_file_of(settings))
    mine = {name: value for name, value in found.items() if name not in (*OF_BACKUPS, *OF_ALERTS)}
    return {name: value for name, value in mine.items() if settings.s3_enabled or not name.startswith("AWS_")}


def backup_secrets_for(settings: Settings) -> dict[str, SecretStr]:
    """The secrets that go to the programs of backups, and to nobody else on the server."""
    found, _ = operator_secrets(secrets_file_of(settings))
    return {name: value for name, value in found.items() if name in OF_BACKUPS}


def alert_secrets_for(settings: Settings) -> dict[str, SecretStr]:
    """The secrets that go to the watcher, and to nobody else on the server."""
    found, _ = operator_secrets(secrets_file_of(settings))
    return {name: value for name, value in found.items() if name in OF_ALERTS}


def keys_for(settings: ProvisionSettings) -> dict[str, SecretStr]:
    """The keys of providers, for provision.py with these settings."""
    found, _ = provider_keys(secrets_file_of(settings))
    return found


def secrets_file_of(settings: Settings | ProvisionSettings) -> Path:
    """The file that holds the operator's secrets for a host, or for provisioning, with these settings."""
    return Path(settings.secrets_file) if settings.secrets_file else SECRETS_FILE


def fingerprint_of(secrets: Mapping[str, SecretStr]) -> str:
    """
    A word that differs when a secret does. It lies on the server where others may read it, so guessing has to be slow.
    """
    return _slow_checksum("".join(f"{name}={value.get_secret_value()}\n" for name, value in sorted(secrets.items())))


@cache
def _slow_checksum(text: str) -> str:
    """Once for each text: it takes 30 ms on purpose, and several tasks of a run need it."""
    return scrypt(text.encode(), salt=b"mstdn operator secrets", n=2**14, r=8, p=1, dklen=16).hex()


def _read(file: Path) -> tuple[dict[str, str], list[Problem]]:
    if not file.is_file():
        return {}, [Problem(str(file), "it is not a file", "a text file with mode 0600: see secrets.example.env")]
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & ~0o600:
        return {}, [Problem(str(file), "others may read it", f"chmod 600 {file}", seen=f"mode {mode:04o}")]
    if _tracked_by_git(file):
        remedy = f"git rm --cached {file.name}, then change the secrets: they stay in git's history"
        return {}, [Problem(str(file), "git keeps it, and whoever has a clone has the secrets", remedy)]
    try:
        # Some editors begin a file with a mark of the byte order.
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return {}, [Problem(str(file), f"it cannot be read: {type(error).__name__}", "a text file in UTF-8")]
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for line in dotenv_lines(text):
        where = f"{file}, line {line.number}"
        if problem := _wrong(line, where):
            problems.append(problem)
        elif values.get(line.name, line.value) != line.value:
            problems.append(Problem(where, f"{line.name} has another value further up", "remove one of the two lines"))
        else:
            values[line.name] = line.value
    return values, problems


def _wrong(line: Line, where: str) -> Problem | None:
    """What is wrong with a line, which itself is never quoted."""
    if not line.name:
        return Problem(where, line.wrong, "SMTP_PASSWORD='the password'")
    if line.name in MADE_ON_THE_SERVER:
        return Problem(where, f"{line.name} is made on the server, and never leaves it", "remove the line")
    if setting := owners().get(line.name):
        return Problem(where, f"{line.name} is no secret", f"the setting {setting}; remove the line")
    if line.name not in KNOWN_NAMES:
        return Problem(where, f"no secret is called {line.name}", _nearest(line.name))
    if line.wrong:
        return Problem(where, f"{line.name}: {line.wrong}", f"{line.name}='a value that has none of it'")
    return None


def _nearest(name: str) -> str:
    by_capitals = {known.upper(): known for known in KNOWN_NAMES}
    near = difflib.get_close_matches(name.upper(), by_capitals, n=1)
    return f"{by_capitals[near[0]]}=..." if near else "one of " + ", ".join(KNOWN_NAMES)


@cache
def _tracked_by_git(file: Path) -> bool:
    """Once per run, for it starts a process. Where there is no git there is nothing to leak into."""
    command = ["git", "-C", str(file.parent), "ls-files", "--error-unmatch", file.name]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
