"""secrets.example.env, made from the table of secrets; `make docs` writes it."""

from __future__ import annotations

from mstdn.secrets.table import OPERATOR_SECRETS

HEAD = """\
# What others gave you and your server therefore cannot make itself. Everything else is made on the server.
# Made from mstdn/secrets/table.py by `make docs`.
#
#   cp secrets.example.env secrets.env && chmod 600 secrets.env
#
# secrets.env is in .gitignore; it is refused when others may read it or git keeps it. {from_environment}
# may also be environment variables of pyinfra. Values stand in single quotes and cannot contain
# one. Empty means: not used. Mastodon's variables that are no secrets go into the setting mastodon_environment.
"""


def example() -> str:
    """The whole file, with every secret of the operator empty."""
    names = [secret.name for secret in OPERATOR_SECRETS.values() if secret.from_environment]
    head = HEAD.format(from_environment=", ".join(names))
    return head + "".join(f"\n# {secret.meaning}\n{secret.name}=''\n" for secret in OPERATOR_SECRETS.values())
