"""What the operations on the instance decide: its secrets, its database, its containers."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest
from pydantic import SecretStr

from mstdn.compose.operations import compose_project
from mstdn.database.operations import finished_migrations, prepared_database
from mstdn.files.tree import ConfigFile
from mstdn.secrets.operations import GROUPS, REPLACEABLE, secrets
from mstdn.stack import Stack
from tests.harness import Command, commands_of, refusal_of

# --- Secrets ------------------------------------------------------------------------------------

DIRECTORY = "/srv/mastodon/secrets"
IMAGE = "ghcr.io/mastodon/mastodon:v4.7.6"
NAMES = tuple(name for group in GROUPS for name in group)
IRREPLACEABLE = [name for name in NAMES if name not in REPLACEABLE]
ALL_GOOD = "exists\ncomplete\naccess 0600 0:0\n" + "".join(f"good {name}\n" for name in NAMES)
HAND_OUT = Command("secrets/distribute", (DIRECTORY, "write"))


SECRET_ARGUMENTS: dict[str, Any] = {"directory": DIRECTORY, "database": "/srv/mastodon/database", "image": IMAGE}


def secret_commands(state: str, operator: Mapping[str, str] | None = None) -> list[Command]:
    brought = {name: SecretStr(value) for name, value in (operator or {}).items()}
    return commands_of(secrets, {"secrets/state": state}, operator=brought, **SECRET_ARGUMENTS)


def test_a_bare_server_makes_every_secret_of_the_instance() -> None:
    assert secret_commands("") == [Command("secrets/generate", (IMAGE, DIRECTORY, *NAMES)), HAND_OUT]


def test_secrets_that_are_there_and_handed_out_are_left_alone() -> None:
    assert secret_commands(ALL_GOOD) == []
    assert secret_commands("database\n" + ALL_GOOD) == []


def test_secrets_that_a_container_lacks_are_handed_out_again() -> None:
    assert secret_commands(ALL_GOOD + "differs\n") == [HAND_OUT]


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


@pytest.mark.parametrize("name", [name for group in GROUPS if len(group) > 1 for name in group])
def test_a_key_that_lost_its_companions_stops_the_run(name: str) -> None:
    assert name in secret_refusal(ALL_GOOD.replace(f"good {name}\n", ""))


@pytest.mark.parametrize("name", IRREPLACEABLE)
def test_a_missing_key_is_not_made_anew_once_there_is_a_database(name: str) -> None:
    assert name in secret_refusal("database\n" + ALL_GOOD.replace(f"good {name}\n", ""))


def test_a_lost_file_is_not_made_anew_once_there_is_a_database() -> None:
    secret_refusal("database\n")


@pytest.mark.parametrize("name", sorted(REPLACEABLE))
def test_a_missing_password_that_encrypts_nothing_is_made_anew(name: str) -> None:
    state = "database\n" + ALL_GOOD.replace(f"good {name}\n", "")
    assert secret_commands(state) == [Command("secrets/generate", (IMAGE, DIRECTORY, name)), HAND_OUT]


def test_before_there_is_a_database_only_what_is_missing_is_made() -> None:
    state = ALL_GOOD.replace("good SECRET_KEY_BASE\n", "")
    assert secret_commands(state) == [Command("secrets/generate", (IMAGE, DIRECTORY, "SECRET_KEY_BASE")), HAND_OUT]


BROUGHT = {"SMTP_PASSWORD": 'pass $word "#\\n', "AWS_ACCESS_KEY_ID": "key"}
BROUGHT_FILE = "AWS_ACCESS_KEY_ID='key'\nSMTP_PASSWORD='pass $word \"#\\n'\n"
BROUGHT_SUM = sha256(BROUGHT_FILE.encode()).hexdigest()


def test_the_operators_secrets_travel_on_standard_input_only() -> None:
    write, hand_out = secret_commands(ALL_GOOD, BROUGHT)
    assert write == Command("files/write", (f"{DIRECTORY}/operator.env", "0:0", "0600"), BROUGHT_FILE)
    assert hand_out == HAND_OUT


def test_the_operators_secrets_are_written_once() -> None:
    assert secret_commands(ALL_GOOD + f"operator {BROUGHT_SUM} 0600 0:0\n", BROUGHT) == []


@pytest.mark.parametrize(
    "state", [f"operator {BROUGHT_SUM} 0644 0:0\n", "operator 00 0600 0:0\n"], ids=["mode", "value"]
)
def test_the_operators_secrets_are_written_again_when_they_or_their_mode_differ(state: str) -> None:
    assert [command.script for command in secret_commands(ALL_GOOD + state, BROUGHT)] == [
        "files/write",
        "secrets/distribute",
    ]


def test_secrets_that_the_operator_took_back_leave_the_server() -> None:
    remove, hand_out = secret_commands(ALL_GOOD + f"operator {BROUGHT_SUM} 0600 0:0\n")
    assert remove.words == ("rm", "-f", f"{DIRECTORY}/operator.env")
    assert hand_out == HAND_OUT


# --- Database -----------------------------------------------------------------------------------

MARKER = "/srv/mastodon/state/installed.env"
DATABASE = "/srv/mastodon/database"
INSTALLED = "LOCAL_DOMAIN=social.example.org\nMASTODON_VERSION=v4.7.5\nDATABASE=present\n"
SETTLE = Command("database/wait_for_migration", ("mstdn",))
UNDER_WAY = INSTALLED + "NEXT_VERSION=v4.7.6\nMIGRATIONS=before\n"


PREPARATION: dict[str, Any] = {
    "project": "mstdn",
    "directory": "/srv/mastodon",
    "marker": MARKER,
    "database": DATABASE,
    "local_domain": "social.example.org",
    "services": ("db", "redis"),
    "timeout_seconds": 300,
}


def prepare_commands(state: str, release: str = "v4.7.6") -> list[Command]:
    return commands_of(prepared_database, {"database/state": state}, release=release, **PREPARATION)


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("", id="bare server"),
        pytest.param("DATABASE=present\n", id="a first installation was killed"),
        pytest.param(INSTALLED, id="another release"),
    ],
)
def test_the_database_is_prepared_for_a_release_that_is_not_installed(state: str) -> None:
    discard = [Command("database/discard", ("/srv/mastodon", DATABASE))] if state == "DATABASE=present\n" else []
    assert prepare_commands(state) == [
        SETTLE,
        *discard,
        Command("compose/up", ("mstdn", "/srv/mastodon", "300", "db", "redis")),
        Command("database/migrate", ("before", "/srv/mastodon", "v4.7.6", MARKER, "social.example.org")),
    ]


def test_the_database_of_the_installed_release_is_left_alone() -> None:
    assert prepare_commands(INSTALLED, "v4.7.5") == []


@pytest.mark.parametrize("release", ["v4.7.5", "v4.7.6"])
def test_a_lost_database_is_not_silently_replaced_by_an_empty_one(release: str) -> None:
    facts = {"database/state": INSTALLED.replace("DATABASE=present\n", "")}
    refusal = refusal_of(prepared_database, facts, release=release, **PREPARATION)
    assert DATABASE in refusal
    assert "backup" in refusal


def test_a_database_that_is_ready_for_the_next_release_is_left_alone() -> None:
    assert prepare_commands(UNDER_WAY, "v4.7.6") == []


def test_an_upgrade_that_did_not_come_up_may_be_given_up() -> None:
    assert prepare_commands(UNDER_WAY, "v4.7.5")[-1].words[0] == "before"


@pytest.mark.parametrize(
    ("state", "finishes"),
    [
        pytest.param(INSTALLED, False, id="done"),
        pytest.param(UNDER_WAY, True, id="some wait"),
        pytest.param(UNDER_WAY.replace("before", "none"), True, id="none came, not noted"),
        pytest.param(INSTALLED.replace("v4.7.5", "v4.7.0"), True, id="an upgrade is planned"),
        pytest.param("", False, id="bare server"),
    ],
)
def test_migrations_are_finished_when_some_may_be_left(state: str, finishes: bool) -> None:
    release = "v4.7.5" if state == INSTALLED else "v4.7.6"
    commands = commands_of(
        finished_migrations,
        {"database/state": state},
        project="mstdn",
        directory="/srv/mastodon",
        release=release,
        marker=MARKER,
        database=DATABASE,
    )
    migration = [SETTLE, Command("database/migrate", ("after", "/srv/mastodon", release, MARKER))]
    assert commands == (migration if finishes else [])


# --- Compose ------------------------------------------------------------------------------------

STACK = Stack(
    directories=(),
    files=(ConfigFile("/srv/mastodon/compose.yaml", "services"), ConfigFile("/srv/mastodon/nginx.conf", "events")),
    reloaded=(ConfigFile("/srv/mastodon/nginx.conf", "events"),),
    secrets="/srv/mastodon/.env",
)
LOADED = STACK.reload_revision
PROJECT: dict[str, Any] = {
    "project": "mstdn",
    "directory": "/srv/mastodon",
    "services": ("db", "web"),
    "stack": STACK,
    "revision": "aaaa",
    "reload": "app/reload",
    "timeout_seconds": 300,
}
WELL = "service db running healthy yes\nservice web running healthy yes\n"
UP = [
    Command("compose/up", ("mstdn", "/srv/mastodon", "300")),
    Command("files/write", ("/srv/mastodon/state/applied", "0:0", "0644"), "aaaa\n"),
]
RELOAD = [
    Command("app/reload", ("/srv/mastodon",)),
    Command("files/write", ("/srv/mastodon/state/loaded", "0:0", "0644"), f"{LOADED}\n"),
]


def compose_commands(state: str, **changed: Any) -> list[Command]:
    return commands_of(compose_project, {"compose/state": state}, **PROJECT | changed)


def test_a_project_that_runs_as_its_files_say_is_left_alone() -> None:
    assert compose_commands(f"stamp aaaa\nstamp {LOADED}\n" + WELL) == []


@pytest.mark.parametrize(
    "containers",
    [
        pytest.param("", id="nothing runs"),
        pytest.param("service db running healthy yes\n", id="one is missing"),
        pytest.param(WELL.replace("web running", "web exited"), id="one is stopped"),
        pytest.param(WELL.replace("web running healthy", "web running unhealthy"), id="one is ill"),
        pytest.param(WELL.replace("web running healthy yes", "web running healthy no"), id="one runs an old image"),
        pytest.param(WELL + "service worker running healthy yes\n", id="one is not wanted"),
        pytest.param(WELL + "service web exited none yes\n", id="an old one is left"),
    ],
)
def test_a_project_that_does_not_run_as_wanted_is_brought_up(containers: str) -> None:
    assert compose_commands(f"stamp aaaa\nstamp {LOADED}\n" + containers) == UP


def test_changed_files_bring_the_project_up() -> None:
    assert compose_commands(f"stamp cccc\nstamp {LOADED}\n" + WELL) == UP


def test_two_healthy_replicas_of_a_service_are_as_wanted() -> None:
    assert compose_commands(f"stamp aaaa\nstamp {LOADED}\n" + WELL + "service web running healthy yes\n") == []


def test_configuration_that_can_be_read_anew_is_only_reloaded() -> None:
    assert compose_commands("stamp aaaa\nstamp cccc\n" + WELL) == RELOAD


def test_containers_that_are_new_have_nothing_to_load_anew() -> None:
    assert compose_commands("") == [*UP, RELOAD[-1]]
