"""docs/settings.md, made from the settings: `python -m mstdn.settings` prints it, `make docs` writes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mstdn.app.environment import DEAD_PREFIXES, DEAD_VARIABLES, OWNED_BY_SETTINGS
from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.secrets.table import OPERATOR_SECRETS
from mstdn.settings.group_data import required
from mstdn.settings.model import PARTS, Settings
from mstdn.settings.provision import ProvisionSettings
from mstdn.settings.telling import literal
from mstdn.versions import MASTODON

INTRODUCTION = f"""\
# Settings

Made from `mstdn/*/settings.py` by `make docs`; change it there.

These settings must be set; everything else may stay as it is:
{{required}}.

Every setting stands with its default in `group_data/all.py`, which belongs to the suite. What you want otherwise stands
in `group_data/mastodon.py` (a copy of `group_data/mastodon.example.py`), for several servers in
`instances/<name>/group_data/all.py` ([updating.md](updating.md)), for one host beside its name in `inventory.py`, or
for one run in `--data`: `--data single_user_mode=true`, and text that looks like a number with quotes inside quotes:
`--data 'mastodon_version="{MASTODON}"'`.

All settings are checked before the server is contacted; whatever is wrong is reported at once, with what to write
instead. A relative path of a file on your own machine begins at the directory of the inventory, or, where the file is
not there, at that of `deploy.py`.
"""

SECRETS = """\
## Secrets

They never stand in `group_data` but in `secrets.env` (a copy of `secrets.example.env`, mode 0600, not in git), beside
the inventory or, where there is none, beside `deploy.py`; `secrets_file` names another one. {from_environment} may also
come from the environment of pyinfra; the `AWS_` keys go to the server only with `s3_enabled = True`.

| name | meaning |
| --- | --- |
"""

KEYS = """\
## Keys of providers

Only provision.py reads them, and none of them ever reaches a server. They stand in the same `secrets.env`, or in the
environment of pyinfra.

| name | meaning |
| --- | --- |
"""

ENVIRONMENT = """\
## Variables that `mastodon_environment` refuses

Because they have a setting, are secrets, are made on the server, or tie the suite's parts together; and these, which
old guides still name. Of the others it takes only values that Mastodon reads as they are meant: `"true"` and `"false"`
where something is turned on or off, digits where it counts, and the words that it knows (`mstdn/app/forms.py`).

| variable | why | instead |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page, as Markdown."""
    # A setting that both have is told as deploy.py takes it.
    properties = ProvisionSettings.model_json_schema()["properties"] | Settings.model_json_schema()["properties"]
    parts = [INTRODUCTION.format(required=_listed(required()))]
    for part in PARTS:
        parts.append(f"\n## {part.title}\n\n| name | value | default | meaning |\n| --- | --- | --- | --- |\n")
        for name, field in part.model_fields.items():
            default = "**must be set**" if field.is_required() else f"`{literal(field.default)}`"
            parts.append(f"| `{name}` | {kind(name, properties[name])} | {default} | {field.description} |\n")
    from_environment = _listed(name for name, secret in OPERATOR_SECRETS.items() if secret.from_environment)
    secrets = (f"| `{secret.name}` | {secret.meaning} |\n" for secret in OPERATOR_SECRETS.values())
    keys = (f"| `{key.name}` | {key.meaning} |\n" for key in PROVIDER_KEYS.values())
    dead = [*DEAD_VARIABLES.items(), *((f"{prefix}*", why) for prefix, why in DEAD_PREFIXES.items())]
    refused = (f"| `{name}` | {wrong} | {remedy} |\n" for name, (wrong, remedy) in dead)
    owned = (
        f"| `{name}` | it has a setting of its own | `{setting}` |\n" for name, setting in OWNED_BY_SETTINGS.items()
    )
    tables = [
        *(SECRETS.format(from_environment=from_environment), *secrets, "\n"),
        *(KEYS, *keys, "\n"),
        *(ENVIRONMENT, *refused, *owned),
    ]
    return "".join([*parts, "\n", *tables])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


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
