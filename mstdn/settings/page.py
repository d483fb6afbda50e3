"""docs/settings.md, made from the settings: `python -m mstdn.settings` prints it, `make docs` writes it."""

from __future__ import annotations

from typing import Any

from mstdn.app.environment import DEAD_PREFIXES, DEAD_VARIABLES, OWNED_BY_SETTINGS
from mstdn.cloud import settings as provision
from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.secrets.operator import OPERATOR_SECRETS
from mstdn.settings.loading import literal
from mstdn.settings.model import SECTIONS, Settings

INTRODUCTION = """\
# Settings

Made from `mstdn/settings/` by `make docs`; change it there.

Every setting stands with its default in `group_data/all.py`. Change it there, for one host beside its name in
`inventory.py`, or for one run with `--data`: `--data single_user_mode=true`, and text that looks like a number with
quotes inside quotes: `--data 'mastodon_version="v4.7.6"'`. All settings are checked before the server is contacted;
whatever is wrong is reported at once, with what to write instead.
"""

SECRETS = """\
## Secrets

They never stand in `group_data/all.py` but in `secrets.env` (a copy of `secrets.example.env`, mode 0600, not in git).
The first three may also come from the environment of pyinfra, which wins; the `AWS_` keys go to the server only with
`s3_enabled = True`.

| name | meaning |
| --- | --- |
"""

KEYS = """\
## Keys of providers

Only provision.py reads them, and none of them ever reaches a server. They stand in the same `secrets.env`, or in the
environment, which wins.

| name | meaning |
| --- | --- |
"""

ENVIRONMENT = """\
## Variables that `mastodon_environment` refuses

Because they have a setting, are secrets, are made on the server, or tie the suite's parts together; and these, which
old guides still name:

| variable | why | instead |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page, as Markdown."""
    properties = Settings.model_json_schema()["properties"]
    properties |= provision.ProvisionSettings.model_json_schema()["properties"]
    sections = SECTIONS | provision.SECTIONS
    parts = [INTRODUCTION]
    for name, field in (Settings.model_fields | provision.own_fields()).items():
        if name in sections:
            parts.append(f"\n## {sections[name]}\n\n| name | value | default | meaning |\n| --- | --- | --- | --- |\n")
        default = "must be set" if field.is_required() else f"`{literal(field.default)}`"
        parts.append(f"| `{name}` | {kind(name, properties[name])} | {default} | {field.description} |\n")
    secrets = (f"| `{name}` | {meaning} |\n" for name, meaning in OPERATOR_SECRETS.items())
    keys = (f"| `{name}` | {meaning} |\n" for name, meaning in PROVIDER_KEYS.items())
    dead = [*DEAD_VARIABLES.items(), *((f"{prefix}*", why) for prefix, why in DEAD_PREFIXES.items())]
    refused = (f"| `{name}` | {wrong} | {remedy} |\n" for name, (wrong, remedy) in dead)
    owned = (
        f"| `{name}` | it has a setting of its own | `{setting}` |\n" for name, setting in OWNED_BY_SETTINGS.items()
    )
    return "".join([*parts, "\n", SECRETS, *secrets, "\n", KEYS, *keys, "\n", ENVIRONMENT, *refused, *owned])


def kind(name: str, schema: dict[str, Any]) -> str:
    """What a value may be, with its unit: "whole number of MiB, 64 to 1048576, or None"."""
    if "anyOf" in schema:
        return f"{kind(name, schema['anyOf'][0])}, or `None`"
    if "enum" in schema:
        return ", ".join(f"`{literal(value)}`" for value in schema["enum"])
    if schema["type"] == "boolean":
        return "`True` or `False`"
    if schema["type"] == "integer":
        unit = next((text for suffix, text in UNITS.items() if name.endswith(suffix)), "")
        return f"whole number{unit}, {schema['minimum']} to {schema['maximum']}"
    return str(schema["title"])


UNITS = {"_mib": " of MiB", "_gib": " of GiB", "_seconds": " of seconds"}
