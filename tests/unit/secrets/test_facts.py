"""The state of the secrets, as the script prints it."""

from __future__ import annotations

from mstdn.secrets.facts import Secrets, SecretStates
from tests.harness import read


def test_every_kind_of_line_is_read() -> None:
    output = """\
database
exists
complete
access 0600 0:0
good SECRET_KEY_BASE
good DB_PASS
damaged VAPID_PRIVATE_KEY
damaged
operator 9f86d081 0600 0:0
brought SMTP_PASSWORD
brought DEEPL_API_KEY
differs mastodon.env
"""
    assert read(SecretStates, output) == Secrets(
        database=True,
        exists=True,
        complete=True,
        access="0600 0:0",
        good={"SECRET_KEY_BASE", "DB_PASS"},
        damaged=["VAPID_PRIVATE_KEY", "a line that is none of the suite's"],
        operator={"SMTP_PASSWORD", "DEEPL_API_KEY"},
        operator_sha256="9f86d081",
        operator_access="0600 0:0",
        differing=("mastodon.env",),
    )


def test_a_file_and_nothing_else_is_read() -> None:
    assert read(SecretStates, "exists\n") == Secrets(exists=True)
