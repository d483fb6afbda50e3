"""
Which variable of Mastodon's environment says what a setting says.

The variables that are written and the names that mastodon_environment refuses follow from these tables.
Source: docs.joinmastodon.org/admin/config.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mstdn.settings import Settings
    from mstdn.sizing.rules import Sizing


@dataclass(frozen=True)
class Variable:
    """
    `setting`: what decides it. `value`: the attribute of Sizing or Settings that has it, "" for that of the setting's
    name. `only_with`: a setting without which it is not written. `may_be_empty`: an empty variable is not an absent one
    for Mastodon, so only such a variable is written empty.
    """

    setting: str
    value: str = ""
    only_with: str = ""
    may_be_empty: bool = False


MASTODON_VARIABLES = {
    "LOCAL_DOMAIN": Variable("local_domain"),
    "WEB_DOMAIN": Variable("web_domain"),
    "ALTERNATE_DOMAINS": Variable("alternate_domains"),
    "SINGLE_USER_MODE": Variable("single_user_mode"),
    "DEFAULT_LOCALE": Variable("default_locale"),
    "RAILS_LOG_LEVEL": Variable("mastodon_log_level"),
    "WEB_CONCURRENCY": Variable("web_processes"),
    "MAX_THREADS": Variable("web_threads"),
    "SIDEKIQ_CONCURRENCY": Variable("sidekiq_threads"),
    "SMTP_SERVER": Variable("smtp_server"),
    "SMTP_PORT": Variable("smtp_port"),
    "SMTP_LOGIN": Variable("smtp_login"),
    "SMTP_FROM_ADDRESS": Variable("smtp_from_address"),
    "SMTP_AUTH_METHOD": Variable("smtp_authentication", "smtp_auth_method"),
    "SMTP_ENABLE_STARTTLS": Variable("smtp_starttls", "smtp_enable_starttls"),
    "SMTP_TLS": Variable("smtp_tls"),
    "SMTP_OPENSSL_VERIFY_MODE": Variable("smtp_verify"),
    "S3_ENABLED": Variable("s3_enabled"),
    "S3_BUCKET": Variable("s3_bucket", only_with="s3_enabled"),
    "S3_REGION": Variable("s3_region", only_with="s3_enabled"),
    "S3_ENDPOINT": Variable("s3_endpoint", only_with="s3_enabled"),
    "S3_HOSTNAME": Variable("s3_hostname", only_with="s3_enabled"),
    "S3_ALIAS_HOST": Variable("s3_alias_host", only_with="s3_enabled"),
    # Empty on purpose for stores that know no access lists.
    "S3_PERMISSION": Variable("s3_permission", only_with="s3_enabled", may_be_empty=True),
}
# What settings say as well, but mastodon_environment may say otherwise.
SUGGESTED_VARIABLES = {
    "TRUSTED_PROXY_IP": Variable("proxy_downstream_addresses", "trusted_proxy_addresses"),
    "MASTODON_PROMETHEUS_EXPORTER_ENABLED": Variable("monitoring_enabled", only_with="monitoring_enabled"),
    "MASTODON_PROMETHEUS_EXPORTER_WEB_DETAILED_METRICS": Variable("monitoring_details", only_with="monitoring_enabled"),
    "MASTODON_PROMETHEUS_EXPORTER_SIDEKIQ_DETAILED_METRICS": Variable(
        "monitoring_details", only_with="monitoring_enabled"
    ),
    # Without _LOCAL, web and Sidekiq tell everything to the gem's own server, which is the exporter.
    "PROMETHEUS_EXPORTER_HOST": Variable("monitoring_enabled", "mastodon_exporter", only_with="monitoring_enabled"),
}
# The streaming server's own; Rails takes its pool from its threads.
STREAMING_VARIABLES = {"DB_POOL": Variable("streaming_database_pool")}
# Other ways to say what a setting says.
SYNONYMS = {"SMTP_SSL": "smtp_tls", "MIN_THREADS": "web_threads"}

# How the suite's parts find each other: the same for every program that talks to the database and to Redis.
STORES = {
    "DB_HOST": "db",
    "DB_PORT": "5432",
    "DB_NAME": "mastodon_production",
    "DB_USER": "mastodon",
    "REDIS_HOST": "redis",
    "REDIS_PORT": "6379",
}

FILE_COMMENT = "Mastodon's settings without its secrets. Written by the suite: change settings instead, and deploy."

# What else of mastodon_environment the streaming server reads.
SHARED_WITH_STREAMING = ("TRUSTED_PROXY_IP", "LOG_LEVEL")


def owners() -> dict[str, str]:
    """The setting that decides each variable which has one."""
    tables = {**MASTODON_VARIABLES, **STREAMING_VARIABLES}
    return {name: variable.setting for name, variable in tables.items()} | SYNONYMS


def mastodon_variables(settings: Settings, sizing: Sizing) -> dict[str, str]:
    """The environment of web and Sidekiq but for its secrets, by upstream name."""
    tables = {**MASTODON_VARIABLES, **SUGGESTED_VARIABLES}
    return _values(tables, settings, sizing) | STORES | settings.mastodon_environment


def streaming_variables(settings: Settings, sizing: Sizing) -> dict[str, str]:
    """The environment of the streaming server: it needs the database and Redis, and nothing else of the instance."""
    all_variables = mastodon_variables(settings, sizing)
    shared = {name: all_variables[name] for name in SHARED_WITH_STREAMING if name in all_variables}
    return {**STORES, **shared, **_values(STREAMING_VARIABLES, settings, sizing)}


def _values(table: dict[str, Variable], settings: Settings, sizing: Sizing) -> dict[str, str]:
    found = {}
    for name, variable in table.items():
        attribute = variable.value or variable.setting
        text = _text(getattr(sizing if hasattr(sizing, attribute) else settings, attribute))
        present = not variable.only_with or getattr(settings, variable.only_with)
        if present and (text or variable.may_be_empty):
            found[name] = text
    return found


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, tuple) else str(value)
