"""mstdn/secrets/table.py: each secret once, and what follows from it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from mstdn.app.project import mastodon_project
from mstdn.secrets.parts import PARTS
from mstdn.secrets.table import (
    MADE_ON_THE_SERVER,
    OF_ALERTS,
    OF_BACKUPS,
    OPERATOR_SECRETS,
    REPLACEABLE,
    SECRETS,
    groups,
    read_by,
)
from tests.harness import settings_with

FORMS = [
    ("SECRET_KEY_BASE", "0a" * 64, True),
    ("SECRET_KEY_BASE", "0a" * 63, False),
    ("SECRET_KEY_BASE", "0A" * 64, False),
    ("ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY", "aB3" * 10 + "zZ", True),
    ("ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY", "aB3" * 10 + "z", False),
    ("VAPID_PRIVATE_KEY", "a" * 43 + "=", True),
    ("VAPID_PRIVATE_KEY", "a" * 42 + "==", True),
    ("VAPID_PRIVATE_KEY", "a" * 40, True),
    ("VAPID_PRIVATE_KEY", "a" * 44, False),
    ("VAPID_PUBLIC_KEY", "B" * 87 + "=", True),
    ("VAPID_PUBLIC_KEY", "B" * 87, False),
    ("DB_PASS", "0f" * 32, True),
    ("DB_PASS", "it is a secret", False),
    ("MONITORING_PASSWORD", "0f" * 32, True),
    ("MONITORING_PASSWORD", "'; DROP ROLE x; '", False),
]


@pytest.mark.parametrize(("name", "value", "sound"), FORMS)
def test_a_secret_that_lost_a_character_does_not_have_its_form(name: str, value: str, sound: bool) -> None:
    assert bool(re.fullmatch(MADE_ON_THE_SERVER[name].form, value)) == sound


def test_every_secret_has_one_row_and_a_meaning() -> None:
    assert len({secret.name for secret in SECRETS}) == len(SECRETS)
    assert all(secret.meaning.endswith(".") and secret.readers for secret in SECRETS)


def test_what_is_made_on_the_server_has_a_form_and_what_is_brought_has_none() -> None:
    assert all(secret.form for secret in MADE_ON_THE_SERVER.values())
    assert not any(secret.form or secret.group or secret.replaceable for secret in OPERATOR_SECRETS.values())


def test_what_is_made_together_is_one_group() -> None:
    assert groups() == (
        ("SECRET_KEY_BASE",),
        (
            "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY",
            "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT",
            "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY",
        ),
        ("VAPID_PRIVATE_KEY", "VAPID_PUBLIC_KEY"),
        ("POSTGRES_PASSWORD",),
        ("DB_PASS",),
        ("REDIS_PASSWORD",),
        ("MONITORING_PASSWORD",),
    )


def test_only_what_nothing_is_stored_with_may_be_made_anew() -> None:
    assert {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "MONITORING_PASSWORD"} == REPLACEABLE


def test_each_service_gets_its_part_and_no_more() -> None:
    assert set(read_by("streaming")) == {"DB_PASS", "REDIS_PASSWORD"}
    assert set(read_by("db")) == {"POSTGRES_PASSWORD", "DB_PASS"}
    assert set(read_by("redis")) == {"REDIS_PASSWORD"}
    assert set(read_by("postgres-exporter")) == {"MONITORING_PASSWORD"}
    assert set(read_by("web")) == {secret.name for secret in SECRETS} - {
        "POSTGRES_PASSWORD",
        *read_by("postgres-exporter"),
        *read_by("backup"),
        *read_by("alerts"),
    }
    assert read_by("backup") == OF_BACKUPS
    assert read_by("alerts") == OF_ALERTS
    assert read_by("web") == read_by("sidekiq")


# --- What Compose mounts ---------------------------------------------------------------------------


@pytest.fixture(name="compose", scope="module")
def _compose() -> dict[str, Any]:
    project = mastodon_project(settings_with(), 4096, ipv6=False)
    (text,) = (file.text for file in project.files if file.path.endswith("/compose.yaml"))
    found = yaml.load(text, yaml.CSafeLoader)
    assert isinstance(found, dict)
    return found


def files_of(compose: dict[str, Any], service: str) -> set[str]:
    """The files of secrets that a service mounts."""
    names = [
        each if isinstance(each, str) else each["source"] for each in compose["services"][service].get("secrets", ())
    ]
    return {compose["secrets"][name]["file"].removeprefix("./secrets/") for name in names}


# The same program as web, run by hand.
TOOLS = {"migrate": "web"}


def test_compose_mounts_each_part_for_its_readers_and_for_nobody_else(compose: dict[str, Any]) -> None:
    assert {each["file"] for each in compose["secrets"].values()} == {f"./secrets/{part.file}" for part in PARTS}
    for service in compose["services"]:
        parts = {part.file for part in PARTS if TOOLS.get(service, service) in part.services}
        assert files_of(compose, service) == parts, service
        assert not [part for part in PARTS if part.file in parts and part.owner != compose["services"][service]["user"]]


def test_a_container_is_made_anew_when_its_part_changes_and_only_then(compose: dict[str, Any]) -> None:
    for service, found in compose["services"].items():
        revisions = {part.revision for part in PARTS if TOOLS.get(service, service) in part.services} - {""}
        label = found.get("labels", {}).get("org.mstdn.secrets", "")
        assert set(re.findall(r"\$\{(\w+):\?", label)) == revisions, service
        assert len(revisions) <= 1, f"{service} has one label for its secrets"
