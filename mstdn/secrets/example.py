"""secrets.example.env, made from the table of secrets; `make docs` writes it."""

from __future__ import annotations

from mstdn.cloud.keys import PROVIDER_KEYS, ProviderKey
from mstdn.secrets.table import OPERATOR_SECRETS, Secret

HEAD = """\
# What others gave you and your server therefore cannot make itself. Everything else is made on the server.
# Made from mstdn/secrets/table.py and mstdn/cloud/keys.py by `make docs`.
#
#   cp secrets.example.env secrets.env && chmod 600 secrets.env
#
# secrets.env is in .gitignore; it is refused when others may read it or git keeps it. {from_environment}
# may also be environment variables of pyinfra. Values stand in single quotes and cannot contain
# one. Empty means: not used. Mastodon's variables that are no secrets go into the setting mastodon_environment.
"""


KEYS_HEAD = """
# --- What provision.py needs, for the providers that you chose ---
# None of these ever reaches a server. Each may also be an environment variable of pyinfra.
"""


def example() -> str:
    """The whole file, with every secret of the operator and every key of a provider empty."""
    names = [secret.name for secret in OPERATOR_SECRETS.values() if secret.from_environment]
    head = HEAD.format(from_environment=", ".join(names))
    return "".join([head, *map(_empty, OPERATOR_SECRETS.values()), KEYS_HEAD, *map(_empty, PROVIDER_KEYS.values())])


def _empty(secret: Secret | ProviderKey) -> str:
    return f"\n# {secret.meaning}\n{secret.name}=''\n"
