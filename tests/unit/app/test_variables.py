"""mstdn/app/variables.py: which variables of Mastodon follow from which settings."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.app.environment import OWNED_BY_SETTINGS, WIRED_BY_THE_SUITE
from mstdn.app.variables import STORES, SYNONYMS, mastodon_variables, streaming_variables
from mstdn.settings.model import FIELDS
from mstdn.sizing.rules import sizing_for
from tests.harness import settings_with


def variables(**values: Any) -> dict[str, str]:
    settings = settings_with(**values)
    return mastodon_variables(settings, sizing_for(4096, settings))


def test_the_environment_has_what_mastodon_requires_and_no_secret() -> None:
    present = variables(smtp_login="mastodon")
    assert {"LOCAL_DOMAIN", "DB_HOST", "DB_NAME", "DB_USER", "REDIS_HOST", "SMTP_SERVER", "SMTP_LOGIN"} <= set(present)
    assert not {"SECRET_KEY_BASE", "DB_PASS", "REDIS_PASSWORD", "SMTP_PASSWORD", "VAPID_PRIVATE_KEY"} & set(present)
    assert not [name for name in present if name.startswith("ACTIVE_RECORD_ENCRYPTION_")]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"smtp_port": 465, "smtp_tls": True}, {"SMTP_TLS": "true", "SMTP_ENABLE_STARTTLS": "never"}),
        ({"smtp_login": ""}, {"SMTP_AUTH_METHOD": "none", "SMTP_LOGIN": None}),
        ({"smtp_login": "mastodon"}, {"SMTP_AUTH_METHOD": "plain", "SMTP_LOGIN": "mastodon"}),
        ({"web_domain": ""}, {"WEB_DOMAIN": None, "ALTERNATE_DOMAINS": None}),
        (
            {"alternate_domains": ["a.example.org", "b.example.org"]},
            {"ALTERNATE_DOMAINS": "a.example.org,b.example.org"},
        ),
        ({"s3_bucket": "media"}, {"S3_ENABLED": "false", "S3_BUCKET": None, "S3_PERMISSION": None}),
        ({"s3_enabled": True, "s3_bucket": "media", "s3_permission": ""}, {"S3_BUCKET": "media", "S3_PERMISSION": ""}),
        ({"mastodon_environment": {"AUTHORIZED_FETCH": "true"}}, {"AUTHORIZED_FETCH": "true"}),
        ({"mastodon_environment": {"UPDATE_CHECK_URL": ""}}, {"UPDATE_CHECK_URL": ""}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_settings_become_upstreams_variables(values: dict[str, Any], expected: dict[str, str | None]) -> None:
    present = variables(**values)
    assert {name: present.get(name) for name in expected} == expected


def test_the_streaming_server_gets_database_and_redis_and_nothing_else_of_the_instance() -> None:
    settings = settings_with(
        smtp_login="mastodon", mastodon_environment={"TRUSTED_PROXY_IP": "192.0.2.1", "OIDC_ENABLED": "true"}
    )
    assert set(streaming_variables(settings, sizing_for(4096, settings))) == {
        *("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_POOL", "REDIS_HOST", "REDIS_PORT", "TRUSTED_PROXY_IP"),
    }


def test_the_streaming_server_gets_its_log_level() -> None:
    settings = settings_with(mastodon_environment={"LOG_LEVEL": "silly"})
    assert streaming_variables(settings, sizing_for(4096, settings))["LOG_LEVEL"] == "silly"


def test_whatever_is_written_is_refused_in_mastodon_environment() -> None:
    settings = settings_with(
        web_domain="www.example.org",
        alternate_domains=["example.net"],
        smtp_login="mastodon",
        s3_enabled=True,
        s3_bucket="media",
        s3_region="eu",
        s3_endpoint="https://s3.example.org",
        s3_hostname="s3.example.org",
        s3_alias_host="media.example.org",
    )
    sizing = sizing_for(4096, settings)
    written = mastodon_variables(settings, sizing).keys() | streaming_variables(settings, sizing).keys()
    assert written == (OWNED_BY_SETTINGS.keys() - SYNONYMS.keys()) | STORES.keys()
    assert {*STORES, "MASTODON_SIDEKIQ_READY_FILENAME"} <= WIRED_BY_THE_SUITE


def test_every_setting_that_owns_a_variable_exists() -> None:
    assert set(OWNED_BY_SETTINGS.values()) <= FIELDS.keys()
