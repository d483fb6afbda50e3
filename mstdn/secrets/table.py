"""
Every secret, once: what it looks like, who makes it, what it belongs together with, and who reads it.

What is asked of the operator, what is made on the server, what a container gets, which variables mastodon_environment
refuses and what secrets.example.env holds all follow from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Maker = Literal["operator", "mastodon", "random"]
# "backup" and "alerts" are no services: the programs that make and check backups, and the one that tells what is wrong.
Reader = Literal["web", "sidekiq", "streaming", "db", "redis", "postgres-exporter", "backup", "alerts"]

# They run the same program and read the same secrets.
MASTODON: tuple[Reader, ...] = ("web", "sidekiq")


@dataclass(frozen=True)
class Secret:
    """
    `maker`: "operator" (others know it too, so the server cannot make it), "mastodon" (a command of its image) or
    "random" (32 random bytes in hexadecimal digits). `readers`: the services that get it.

    `form`: an extended regular expression (POSIX, and Python's too) for the whole value; "" for what has no form of
    its own. `group`: those of one group are made together and useless apart; "" for one that belongs to none.
    `replaceable`: a new one may be made although the instance has data, for nothing was encrypted or stored with it.
    `from_environment`: the environment of pyinfra may hold it; only few, because others may be there for other ends.
    `needed_by`: variables of mastodon_environment that make no sense without it, unless `unless` is set there too.
    `a_url`: an address that may hold a password, and is no secret where it holds none: mastodon_environment may have it
    then. `only_with`: the setting without which it is neither made nor kept.
    """

    name: str
    maker: Maker
    readers: tuple[Reader, ...]
    meaning: str
    form: str = ""
    group: str = ""
    replaceable: bool = False
    from_environment: bool = False
    needed_by: tuple[str, ...] = ()
    unless: str = ""
    a_url: bool = False
    only_with: str = ""


def _made(name: str, group: str, form: str, meaning: str) -> Secret:
    return Secret(name, "mastodon", MASTODON, meaning, form, group)


def _for_backups(name: str, meaning: str) -> Secret:
    return Secret(name, "operator", ("backup",), meaning, from_environment=True)


def _for_alerts(name: str, meaning: str) -> Secret:
    return Secret(name, "operator", ("alerts",), meaning, from_environment=True)


def _brought(name: str, meaning: str, *needed_by: str, from_environment: bool = False, unless: str = "") -> Secret:
    return Secret(
        name, "operator", MASTODON, meaning, from_environment=from_environment, needed_by=needed_by, unless=unless
    )


def _url(name: str, meaning: str) -> Secret:
    return Secret(name, "operator", MASTODON, f"{meaning}, where the URL holds a password.", a_url=True)


RANDOM_FORM = "[0-9a-f]{64}"
ENCRYPTION_FORM = "[A-Za-z0-9]{32}"
# A number in base64 without its leading zero bytes: of 256 keys one has 31 bytes instead of 32.
VAPID_PRIVATE_FORM = "[A-Za-z0-9_-]{43}=|[A-Za-z0-9_-]{42}==|[A-Za-z0-9_-]{40}"

SECRETS = (
    _made("SECRET_KEY_BASE", "", "[0-9a-f]{128}", "Signs sessions and links."),
    _made("ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY", "encryption", ENCRYPTION_FORM, "Encrypts in the database."),
    _made("ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT", "encryption", ENCRYPTION_FORM, "Encrypts in the database."),
    _made("ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY", "encryption", ENCRYPTION_FORM, "Encrypts in the database."),
    _made("VAPID_PRIVATE_KEY", "vapid", VAPID_PRIVATE_FORM, "Signs push messages to browsers."),
    _made("VAPID_PUBLIC_KEY", "vapid", "[A-Za-z0-9_-]{87}=", "Its other half, which browsers know."),
    Secret("POSTGRES_PASSWORD", "random", ("db",), "PostgreSQL's own administrator.", RANDOM_FORM, replaceable=True),
    Secret("DB_PASS", "random", (*MASTODON, "streaming", "db"), "Mastodon's account in PostgreSQL.", RANDOM_FORM),
    Secret("REDIS_PASSWORD", "random", (*MASTODON, "streaming", "redis"), "Redis.", RANDOM_FORM, replaceable=True),
    Secret(
        "MONITORING_PASSWORD",
        "random",
        ("postgres-exporter",),
        "The account in PostgreSQL that reads nothing but statistics.",
        RANDOM_FORM,
        replaceable=True,
        only_with="monitoring_enabled",
    ),
    _brought("SMTP_PASSWORD", "The password of smtp_login at the mail server.", from_environment=True),
    _brought("AWS_ACCESS_KEY_ID", "The access key of the object store, for s3_enabled = True.", from_environment=True),
    _brought(
        "AWS_SECRET_ACCESS_KEY", "The secret key of the object store, for s3_enabled = True.", from_environment=True
    ),
    _brought("ES_PASS", "Elasticsearch: the password of ES_USER.", "ES_USER"),
    # A client with PKCE may be a public one, which has no secret.
    _brought("OIDC_CLIENT_SECRET", "Single sign-on with OpenID Connect.", "OIDC_ENABLED", unless="OIDC_USE_PKCE"),
    _brought(
        "SAML_PRIVATE_KEY",
        "Single sign-on with SAML: the key of SAML_CERT.",
        "SAML_CERT",
        "SAML_SECURITY_WANT_ASSERTION_ENCRYPTED",
    ),
    _brought("LDAP_PASSWORD", "The password of LDAP_BIND_DN.", "LDAP_ENABLED", "LDAP_BIND_DN"),
    _brought("HCAPTCHA_SECRET_KEY", "The captcha at sign-up, with HCAPTCHA_SITE_KEY.", "HCAPTCHA_SITE_KEY"),
    _brought("DEEPL_API_KEY", "Translations by DeepL.", "DEEPL_PLAN"),
    _brought("LIBRE_TRANSLATE_API_KEY", "Translations by LibreTranslate."),
    _brought("BULK_SMTP_PASSWORD", "The password of BULK_SMTP_LOGIN.", "BULK_SMTP_LOGIN"),
    _brought(
        "CACHE_BUSTER_SECRET", "The cache buster's, with CACHE_BUSTER_SECRET_HEADER.", "CACHE_BUSTER_SECRET_HEADER"
    ),
    _brought("SWIFT_PASSWORD", "OpenStack Swift: the password of SWIFT_USERNAME.", "SWIFT_ENABLED", "SWIFT_USERNAME"),
    _brought("SWIFT_TEMP_URL_KEY", "OpenStack Swift: the key of temporary addresses."),
    _brought("AZURE_STORAGE_ACCESS_KEY", "The key of AZURE_STORAGE_ACCOUNT.", "AZURE_ENABLED", "AZURE_STORAGE_ACCOUNT"),
    _brought(
        "REPLICA_DB_PASS", "A read-only copy of the database: the password of REPLICA_DB_USER.", "REPLICA_DB_USER"
    ),
    _brought("CACHE_REDIS_PASSWORD", "A Redis of its own for the cache: the password of CACHE_REDIS_HOST."),
    _brought("SIDEKIQ_REDIS_PASSWORD", "A Redis of its own for Sidekiq: the password of SIDEKIQ_REDIS_HOST."),
    _brought("CACHE_REDIS_SENTINEL_PASSWORD", "The same for its sentinels (CACHE_REDIS_SENTINELS)."),
    _brought("SIDEKIQ_REDIS_SENTINEL_PASSWORD", "The same for its sentinels (SIDEKIQ_REDIS_SENTINELS)."),
    _brought("OTEL_EXPORTER_OTLP_HEADERS", "OpenTelemetry: what OTEL_EXPORTER_OTLP_ENDPOINT wants to be shown."),
    _for_backups(
        "BACKUP_PASSPHRASE",
        "Encrypts the backups, at least 16 characters. Keep it somewhere else too: without it no backup can be read.",
    ),
    _for_backups("BACKUP_AWS_ACCESS_KEY_ID", "The access key of the store of backup_repository, for s3:."),
    _for_backups("BACKUP_AWS_SECRET_ACCESS_KEY", "The secret key of the store of backup_repository, for s3:."),
    _for_backups(
        "BACKUP_SSH_KEY",
        "The private key for backup_repository, for sftp:, without a passphrase, in one line: base64 -w0 the-key-file.",
    ),
    _for_alerts(
        "ALERTS_WEBHOOK_URL",
        "Where alerts are posted as plain text, as ntfy takes them: https://ntfy.sh/a-name-nobody-guesses.",
    ),
    *(
        _brought(f"OTEL_EXPORTER_OTLP_{signal}_HEADERS", f"The same for OTEL_EXPORTER_OTLP_{signal}_ENDPOINT.")
        for signal in ("TRACES", "METRICS", "LOGS")
    ),
    _url("http_proxy", "The proxy through which Mastodon visits others"),
    _url("http_hidden_proxy", "The same for hidden services"),
    _url("REPLICA_DATABASE_URL", "A read-only copy of the database"),
    _url("CACHE_REDIS_URL", "A Redis of its own for the cache"),
    _url("SIDEKIQ_REDIS_URL", "A Redis of its own for Sidekiq"),
)

# Mastodon itself gets none of these.
OF_BACKUPS = tuple(secret.name for secret in SECRETS if secret.readers == ("backup",))
OF_ALERTS = tuple(secret.name for secret in SECRETS if secret.readers == ("alerts",))
OPERATOR_SECRETS = {secret.name: secret for secret in SECRETS if secret.maker == "operator"}
MADE_ON_THE_SERVER = {secret.name: secret for secret in SECRETS if secret.maker != "operator"}
# What every server makes; some secrets it makes only with a setting.
ALWAYS_MADE = tuple(name for name, secret in MADE_ON_THE_SERVER.items() if not secret.only_with)
REPLACEABLE = frozenset(secret.name for secret in SECRETS if secret.replaceable)


def groups() -> tuple[tuple[str, ...], ...]:
    """The names of the secrets that are made on the server, those that are useless apart together."""
    found: dict[str, list[str]] = {}
    for secret in MADE_ON_THE_SERVER.values():
        found.setdefault(secret.group or secret.name, []).append(secret.name)
    return tuple(map(tuple, found.values()))


def read_by(service: Reader) -> tuple[str, ...]:
    """The names of the secrets that a service gets."""
    return tuple(secret.name for secret in SECRETS if service in secret.readers)
