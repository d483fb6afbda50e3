"""
mastodon_environment: any variable of Mastodon may be set there, except the dead ones and those with an owner.

Sources: docs.joinmastodon.org/admin/config, and Mastodon's own release notes for the removals.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from mstdn.app.variables import STORES, owners
from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.kinds.text import one_line, refuse
from mstdn.secrets.table import MADE_ON_THE_SERVER, OPERATOR_SECRETS

# Variables of old guides that Mastodon no longer reads, or no longer boots with: why, and what to do instead.
DEAD_VARIABLES = {
    "OTP_SECRET": ("it is not read since 4.4, but for a database from before 4.3", "remove it"),
    "PAPERCLIP_SECRET": ("it is not read since 2019", "remove it"),
    "LOCAL_HTTPS": ("production does not read it since 2017: there Mastodon always speaks HTTPS", "remove it"),
    "STREAMING_CLUSTER_NUM": ("it is not read since 4.2", "remove it"),
    "REDIS_NAMESPACE": ("Mastodon refuses to boot with it since 4.4", "remove it"),
    "ENABLE_SIDEKIQ_UNIQUE_JOBS_UI": ("no text ever turned it on, and it is not read since 4.6", "remove it"),
    "WHITELIST_MODE": ("it was renamed", "LIMITED_FEDERATION_MODE"),
    "EMAIL_DOMAIN_WHITELIST": ("it was renamed", "EMAIL_DOMAIN_ALLOWLIST"),
    "EMAIL_DOMAIN_BLACKLIST": ("it was renamed", "EMAIL_DOMAIN_DENYLIST"),
    "SMTP_ENABLE_STARTTLS_AUTO": ("it was replaced", "the setting smtp_starttls"),
    "S3_CLOUDFRONT_HOST": ("it was renamed", "the setting s3_alias_host"),
    "DB_SSLMODE": ("the suite's own database speaks no TLS, and is reached by no network but its own", "remove it"),
}
DEAD_PREFIXES = {
    "STATSD_": ("it is not read since 4.3", "remove it, or see MASTODON_PROMETHEUS_EXPORTER_ENABLED"),
    "PGSSL": ("the suite's own database speaks no TLS, and is reached by no network but its own", "remove it"),
}
# Variables, by the beginning of their names, that older releases still read: the first one that does not.
READ_BEFORE = {"FETCH_REPLIES_": (4, 5), "MASTODON_USE_LIBVIPS": (4, 6)}

OWNED_BY_SETTINGS = owners()
WIRED_BY_THE_SUITE = frozenset(
    {
        *STORES,
        "BIND",
        "DATABASE_URL",
        "MASTODON_SIDEKIQ_READY_FILENAME",
        "NODE_ENV",
        "PAPERCLIP_ROOT_PATH",
        "PAPERCLIP_ROOT_URL",
        "PORT",
        "PROXY_PROTO_V1",
        "RAILS_ENV",
        "RAILS_SERVE_STATIC_FILES",
        "REDIS_DB",
        "REDIS_SENTINELS",
        "REDIS_SENTINEL_MASTER",
        "REDIS_SENTINEL_PASSWORD",
        "REDIS_SENTINEL_PORT",
        "REDIS_SENTINEL_USERNAME",
        "REDIS_URL",
        "REDIS_USER",
        # It replaces the instance's encryption keys by random ones: whatever is then written is lost.
        "SECRET_KEY_BASE_DUMMY",
        "SKIP_POST_DEPLOYMENT_MIGRATIONS",
        "SOCKET",
    }
)


def variable_name(value: str) -> str:
    """A variable that the operator may set."""
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*|https?_proxy|http_hidden_proxy|no_proxy", value):
        raise refuse("a variable is written in capitals, digits and underscores", re.sub(r"\W", "_", value).upper())
    for prefix, (wrong, remedy) in DEAD_PREFIXES.items():
        if value.startswith(prefix):
            raise refuse(wrong, remedy)
    if value in DEAD_VARIABLES:
        raise refuse(*DEAD_VARIABLES[value])
    if value in OWNED_BY_SETTINGS:
        raise refuse("it has a setting of its own", f"the setting {OWNED_BY_SETTINGS[value]}")
    if value in OPERATOR_SECRETS and not OPERATOR_SECRETS[value].a_url:
        raise refuse("it is a secret", "put it in secrets.env, see secrets.example.env")
    if value in PROVIDER_KEYS:
        raise refuse("it is a provider's key, which never reaches a server", "put it in secrets.env; remove it here")
    if value in MADE_ON_THE_SERVER:
        raise refuse("it is made on the server and never leaves it", "remove it")
    if value in WIRED_BY_THE_SUITE:
        raise refuse("the suite decides it, because its other parts depend on it", "remove it")
    return value


VariableName = Annotated[str, AfterValidator(variable_name)]
VariableValue = Annotated[str, AfterValidator(one_line)]
MastodonEnvironment = Annotated[dict[VariableName, VariableValue], Field(title="variables by name")]
