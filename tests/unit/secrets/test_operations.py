"""What the operation on secrets decides."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest
from pydantic import SecretStr

from mstdn.secrets.operations import secrets
from mstdn.secrets.parts import WORDS
from mstdn.secrets.table import ALWAYS_MADE, MADE_ON_THE_SERVER, REPLACEABLE, groups
from tests.harness import Command, commands_of, refusal_of

DIRECTORY = "/srv/mastodon/secrets"
IMAGE = "ghcr.io/mastodon/mastodon:v4.7.60"
NAMES = ALWAYS_MADE
IRREPLACEABLE = [name for name in NAMES if name not in REPLACEABLE]
ALL_GOOD = "exists\ncomplete\naccess 0600 0:0\n" + "".join(f"good {name}\n" for name in NAMES)
DISTRIBUTE = Command("secrets/distribute", (DIRECTORY, *WORDS))


def made(name: str) -> str:
    """A secret and its maker, as the script takes them."""
    return f"{name}={MADE_ON_THE_SERVER[name].maker}"


SECRET_ARGUMENTS: dict[str, Any] = {"directory": DIRECTORY, "database": "/srv/mastodon/database", "image": IMAGE}


def secret_commands(state: str, operator: Mapping[str, str] | None = None) -> list[Command]:
    brought = {name: SecretStr(value) for name, value in (operator or {}).items()}
    return commands_of(secrets, {"secrets/state": state}, operator=brought, **SECRET_ARGUMENTS)


def test_a_bare_server_makes_every_secret_of_the_instance() -> None:
    assert secret_commands("") == [Command("secrets/generate", (IMAGE, DIRECTORY, *map(made, NAMES))), DISTRIBUTE]


def test_secrets_that_are_there_and_distributed_are_left_alone() -> None:
    assert secret_commands(ALL_GOOD) == []
    assert secret_commands("database\n" + ALL_GOOD) == []


def test_secrets_that_a_container_lacks_are_distributed_again() -> None:
    assert secret_commands(ALL_GOOD + "differs redis.conf\n") == [DISTRIBUTE]


def test_a_secrets_file_that_others_may_read_is_closed() -> None:
    (command,) = secret_commands(ALL_GOOD.replace("0600", "0644"))
    file = f"{DIRECTORY}/instance.env"
    assert command.words == ("chown", "0:0", file, "&&", "chmod", "0600", file)


def secret_refusal(state: str) -> str:
    refusal = refusal_of(secrets, {"secrets/state": state}, operator={}, **SECRET_ARGUMENTS)
    assert f"{DIRECTORY}/instance.env" in refusal
    assert "backup" in refusal
    return refusal


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_key_stops_the_run_with_instructions(name: str) -> None:
    assert name in secret_refusal(ALL_GOOD.replace(f"good {name}\n", f"damaged {name}\n"))


@pytest.mark.parametrize("database", ["", "database\n"], ids=["before the database", "with a database"])
def test_a_half_written_file_stops_the_run_with_instructions(database: str) -> None:
    assert "half" in secret_refusal(database + ALL_GOOD.replace("complete\n", ""))


def test_an_empty_file_stops_the_run_with_instructions() -> None:
    assert "half" in secret_refusal("exists\naccess 0600 0:0\n")


@pytest.mark.parametrize("name", [name for group in groups() if len(group) > 1 for name in group])
def test_a_key_that_lost_its_companions_stops_the_run(name: str) -> None:
    assert name in secret_refusal(ALL_GOOD.replace(f"good {name}\n", ""))


@pytest.mark.parametrize("name", IRREPLACEABLE)
def test_a_missing_key_is_not_made_anew_once_there_is_a_database(name: str) -> None:
    assert name in secret_refusal("database\n" + ALL_GOOD.replace(f"good {name}\n", ""))


def test_a_lost_file_is_not_made_anew_once_there_is_a_database() -> None:
    secret_refusal("database\n")


@pytest.mark.parametrize("name", sorted(REPLACEABLE.intersection(NAMES)))
def test_a_missing_password_that_encrypts_nothing_is_made_anew(name: str) -> None:
    state = "database\n" + ALL_GOOD.replace(f"good {name}\n", "")
    assert secret_commands(state) == [Command("secrets/generate", (IMAGE, DIRECTORY, f"{name}=random")), DISTRIBUTE]


def test_before_there_is_a_database_only_what_is_missing_is_made() -> None:
    state = ALL_GOOD.replace("good SECRET_KEY_BASE\n", "")
    assert secret_commands(state) == [
        Command("secrets/generate", (IMAGE, DIRECTORY, "SECRET_KEY_BASE=mastodon")),
        DISTRIBUTE,
    ]


BROUGHT = {"SMTP_PASSWORD": 'pass $word "#\\n', "AWS_ACCESS_KEY_ID": "key"}
BROUGHT_FILE = "AWS_ACCESS_KEY_ID=key\nSMTP_PASSWORD='pass $word \"#\\n'\n"
BROUGHT_SUM = sha256(BROUGHT_FILE.encode()).hexdigest()


def test_the_operators_secrets_travel_on_standard_input_only() -> None:
    write, distribute = secret_commands(ALL_GOOD, BROUGHT)
    assert write == Command("files/put", ("file", "0:0", "0600", f"{DIRECTORY}/operator.env"), BROUGHT_FILE)
    assert distribute == DISTRIBUTE


def test_the_operators_secrets_are_written_once() -> None:
    assert secret_commands(ALL_GOOD + f"operator {BROUGHT_SUM} 0600 0:0\n", BROUGHT) == []


@pytest.mark.parametrize(
    "state", [f"operator {BROUGHT_SUM} 0644 0:0\n", "operator 00 0600 0:0\n"], ids=["mode", "value"]
)
def test_the_operators_secrets_are_written_again_when_they_or_their_mode_differ(state: str) -> None:
    assert [command.script for command in secret_commands(ALL_GOOD + state, BROUGHT)] == [
        "files/put",
        "secrets/distribute",
    ]


def test_secrets_that_the_operator_took_back_leave_the_server() -> None:
    remove, distribute = secret_commands(ALL_GOOD + f"operator {BROUGHT_SUM} 0600 0:0\n")
    assert remove.words == ("rm", "-f", f"{DIRECTORY}/operator.env")
    assert distribute == DISTRIBUTE


def test_a_secret_that_leaves_the_server_is_named_with_what_is_known_of_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With s3_enabled turned off, AWS_… may still be in secrets.env."""
    with caplog.at_level(logging.INFO, "pyinfra"):
        secret_commands(ALL_GOOD + f"operator {BROUGHT_SUM} 0600 0:0\nbrought AWS_ACCESS_KEY_ID\n")
    (told,) = (record.getMessage() for record in caplog.records if "takes" in record.getMessage())
    assert "takes AWS_ACCESS_KEY_ID away from the server, because this run has no use for it" in told
    assert "turned off" in told
