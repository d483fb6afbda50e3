"""
What Mastodon can read of the variables in mastodon_environment; what it cannot, it misreads without a word.

Source: Mastodon's app, config, lib and streaming of 4.4 to 4.7, all of them.
"""

from __future__ import annotations

# Mastodon compares each with "true" (two with "false") and takes any other text for the opposite, or hands it to YAML,
# where "0" is a number, which Ruby takes for true.
SWITCHES = frozenset(
    {
        "ALLOW_ACCESS_TO_HIDDEN_SERVICE",
        "ALLOW_UNSAFE_AUTH_PROVIDER_REATTACH",
        "AUTHORIZED_FETCH",
        "AZURE_ENABLED",
        "BULK_SMTP_ENABLE_STARTTLS_AUTO",
        "BULK_SMTP_SSL",
        "BULK_SMTP_TLS",
        "CACHE_BUSTER_ENABLED",
        "CAS_DISABLE_SSL_VERIFICATION",
        "CAS_ENABLED",
        "CAS_SECURITY_ASSUME_EMAIL_IS_VERIFIED",
        "CAS_SSL",
        "DISABLE_AUTOMATIC_SWITCHING_TO_APPROVED_REGISTRATIONS",
        "DISABLE_EMAIL_SUBSCRIPTIONS",
        "DISABLE_FOLLOWERS_SYNCHRONIZATION",
        "DISALLOW_UNAUTHENTICATED_API_ACCESS",
        "EMAIL_DOMAIN_LISTS_APPLY_AFTER_CONFIRMATION",
        "ES_ENABLED",
        "FETCH_REPLIES_ENABLED",
        "FORCE_DEFAULT_LOCALE",
        "IGNORE_ALREADY_SET_SECRETS",
        "LDAP_ENABLED",
        "LDAP_TLS_NO_VERIFY",
        "LDAP_UID_CONVERSION_ENABLED",
        "LIMITED_FEDERATION_MODE",
        "MASTODON_PROMETHEUS_EXPORTER_ENABLED",
        "MASTODON_PROMETHEUS_EXPORTER_LOCAL",
        "MASTODON_PROMETHEUS_EXPORTER_SIDEKIQ_DETAILED_METRICS",
        "MASTODON_PROMETHEUS_EXPORTER_WEB_DETAILED_METRICS",
        "MASTODON_USE_LIBVIPS",
        "OIDC_DISCOVERY",
        "OIDC_ENABLED",
        "OIDC_SECURITY_ASSUME_EMAIL_IS_VERIFIED",
        "OIDC_SEND_NONCE",
        "OIDC_SEND_SCOPE_TO_TOKEN_ENDPOINT",
        "OIDC_USE_PKCE",
        "OMNIAUTH_ONLY",
        "ONE_CLICK_SSO_LOGIN",
        "PAM_ENABLED",
        "PREPARED_STATEMENTS",
        "QUERY_LOG_TAGS_ENABLED",
        "RACK_COMPRESS",
        "REPLICA_DB_TASKS",
        "REPLICA_PREPARED_STATEMENTS",
        "S3_ENABLE_CHECKSUM_MODE",
        "S3_FORCE_SINGLE_REQUEST",
        "S3_OVERRIDE_PATH_STYLE",
        "SAML_ENABLED",
        "SAML_SECURITY_ASSUME_EMAIL_IS_VERIFIED",
        "SAML_SECURITY_WANT_ASSERTION_ENCRYPTED",
        "SAML_SECURITY_WANT_ASSERTION_SIGNED",
        "SWIFT_ENABLED",
    }
)
MEANS_TRUE = frozenset({"true", "t", "yes", "y", "on", "1", "enabled", "enable"})
MEANS_FALSE = frozenset({"false", "f", "no", "n", "off", "0", "disabled", "disable", "none", "null", "nil", ""})

# Ruby's to_i reads the digits at the beginning and takes the rest for nothing: a retention period of "1.year" is one
# second, "a week" none. Periods and timeouts are in seconds.
NUMBERS = frozenset(
    {
        "IP_RETENTION_PERIOD",
        "LDAP_PORT",
        "MASTODON_PROMETHEUS_EXPORTER_PORT",
        "MAX_FOLLOWS_THRESHOLD",
        "MAX_REQUEST_POOL_SIZE",
        "MAX_SESSION_ACTIVATIONS",
        "PERSISTENT_TIMEOUT",
        "S3_BATCH_DELETE_LIMIT",
        "S3_BATCH_DELETE_RETRY",
        "S3_MULTIPART_THRESHOLD",
        "S3_OPEN_TIMEOUT",
        "S3_READ_TIMEOUT",
        "S3_RETRY_LIMIT",
        "SESSION_RETENTION_PERIOD",
        "USER_ACTIVE_DAYS",
    }
)

# Any other word is another one than was meant: with LDAP_METHOD "starttls", passwords go unencrypted.
WORDS = {
    "BULK_SMTP_AUTH_METHOD": ("plain", "login", "cram_md5", "none"),
    "BULK_SMTP_ENABLE_STARTTLS": ("auto", "always", "never"),
    "DEEPL_PLAN": ("free", "pro"),
    "ES_PRESET": ("single_node_cluster", "small_cluster", "large_cluster"),
    "LDAP_METHOD": ("simple_tls", "start_tls", "plain"),
    "LOG_LEVEL": ("trace", "debug", "info", "warn", "error", "fatal"),
}
