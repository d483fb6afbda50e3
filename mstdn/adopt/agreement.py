"""Where the files of the operator do not say yet what the old instance was started with. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from mstdn.adopt.facts import Old
from mstdn.app.environment import variable_name
from mstdn.app.forms import SWITCHES
from mstdn.app.rules import BENEATH_PREFIXES, KNOWN
from mstdn.app.variables import MASTODON_VARIABLES, mastodon_variables
from mstdn.secrets.table import OPERATOR_SECRETS
from mstdn.sizing.rules import sizing_for

if TYPE_CHECKING:
    from mstdn.settings import Settings

# What the suite chooses for the server's size, and what only meant something among the old containers.
NOT_CARRIED = frozenset(
    ("WEB_CONCURRENCY", "MAX_THREADS", "MIN_THREADS", "SIDEKIQ_CONCURRENCY", "RAILS_LOG_LEVEL", "TRUSTED_PROXY_IP")
)
# Where it makes a difference that the old instance does not have it.
BOTH_WAYS = frozenset(("WEB_DOMAIN", "S3_ENABLED"))


def _is_unlike(name: str, was: str, now: str) -> bool:
    if "true" in (was, now) or "false" in (was, now):
        return (was == "true") != (now == "true")
    if name == "ALTERNATE_DOMAINS":
        return set(re.split(r"\s*,\s*", was.strip())) != set(now.split(","))
    return was != now


def settings_to_have(old: Old, settings: Settings) -> Iterator[str]:
    """The lines of group_data/mastodon.py that the operator has to write so that the site stays what it is."""
    was = dict(old.variables)
    if was.get("WEB_DOMAIN") == was.get("LOCAL_DOMAIN"):
        was.pop("WEB_DOMAIN", None)
    if was.get("SMTP_SSL") == "true":
        was["SMTP_TLS"] = "true"
    if was.get("SMTP_TLS") == "true" or was.get("SMTP_ENABLE_STARTTLS") not in ("auto", "always", "never"):
        was.pop("SMTP_ENABLE_STARTTLS", None)
    if not was.get("SMTP_LOGIN"):
        was.pop("SMTP_AUTH_METHOD", None)
    if was.get("SMTP_OPENSSL_VERIFY_MODE") not in ("peer", "none"):
        was.pop("SMTP_OPENSSL_VERIFY_MODE", None)
    now = mastodon_variables(settings, sizing_for(1024, settings))
    for name, variable in MASTODON_VARIABLES.items():
        if name in NOT_CARRIED or name == "LOCAL_DOMAIN" or not (name in was or name in BOTH_WAYS):
            continue
        if variable.only_with and was.get("S3_ENABLED") != "true":
            continue
        if _is_unlike(name, was.get(name, ""), now.get(name, "")):
            yield f"{variable.setting} = {_in_python(was.get(name, ''), getattr(settings, variable.setting))}"
    if missing := dict(_environment_to_have(old, settings)):
        yield f"mastodon_environment = {json.dumps({**settings.mastodon_environment, **missing}, ensure_ascii=False)}"


def _environment_to_have(old: Old, settings: Settings) -> Iterator[tuple[str, str]]:
    for name, value in sorted(old.variables.items()):
        if name in NOT_CARRIED or not (name in KNOWN or name.startswith(BENEATH_PREFIXES)):
            continue
        if name.startswith("ES_") and own_search(old):
            continue
        try:
            variable_name(name)
        except PydanticCustomError:
            continue
        # Whatever is not "true" is false for Mastodon.
        meant = value if name not in SWITCHES or value in ("true", "false") else "false"
        if settings.mastodon_environment.get(name) != meant:
            yield name, meant


def _in_python(value: str, present: object) -> str:
    if isinstance(present, bool):
        return str(value == "true")
    if isinstance(present, int):
        return value
    if isinstance(present, tuple):
        return json.dumps([each for each in re.split(r"\s*,\s*", value.strip()) if each])
    return json.dumps(value, ensure_ascii=False)


def secrets_to_have(old: Old, settings: Settings, secrets: Collection[str]) -> Iterator[str]:
    """The names that secrets.env has to have. secrets: those that are set."""
    for name in sorted(old.brought & OPERATOR_SECRETS.keys()):
        if name in secrets or name in settings.mastodon_environment:
            continue
        if name.startswith("AWS_") and old.variables.get("S3_ENABLED") != "true":
            continue
        if name.startswith("ES_") and own_search(old):
            continue
        yield name


def env_file(old: Old) -> str:
    return f"{old.directory or 'the old directory'}/.env.production"


def own_search(old: Old) -> bool:
    """Whether Elasticsearch is one of the old project's containers, which are retired."""
    return old.variables.get("ES_ENABLED") == "true" and old.variables.get("ES_HOST") in {
        name for each in old.containers for name in (each.service, each.name)
    }
