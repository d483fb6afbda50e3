"""Mastodon's own variables, from the settings. Pure. Source: docs.joinmastodon.org/admin/config."""

from mstdn.settings import Settings
from mstdn.sizing.rules import Sizing


def mastodon_variables(settings: Settings, sizing: Sizing) -> dict[str, str]:
    """Mastodon's environment but for its secrets, by upstream name. Source: docs.joinmastodon.org/admin/config."""
    variables = {
        "LOCAL_DOMAIN": settings.local_domain,
        "WEB_DOMAIN": settings.web_domain,
        "ALTERNATE_DOMAINS": ",".join(settings.alternate_domains),
        "SINGLE_USER_MODE": _flag(settings.single_user_mode),
        "DEFAULT_LOCALE": settings.default_locale,
        "RAILS_LOG_LEVEL": settings.mastodon_log_level,
        "DB_HOST": "db",
        "DB_PORT": "5432",
        "DB_NAME": "mastodon_production",
        "DB_USER": "mastodon",
        "REDIS_HOST": "redis",
        "REDIS_PORT": "6379",
        "WEB_CONCURRENCY": str(sizing.web_processes),
        "MAX_THREADS": str(sizing.web_threads),
        "SIDEKIQ_CONCURRENCY": str(sizing.sidekiq_threads),
        "MASTODON_SIDEKIQ_READY_FILENAME": "sidekiq_process_has_started_and_will_begin_processing_jobs",
        "SMTP_SERVER": settings.smtp_server,
        "SMTP_PORT": str(settings.smtp_port),
        "SMTP_LOGIN": settings.smtp_login,
        "SMTP_FROM_ADDRESS": settings.smtp_from_address,
        "SMTP_AUTH_METHOD": settings.smtp_auth_method,
        "SMTP_ENABLE_STARTTLS": settings.smtp_enable_starttls,
        "SMTP_TLS": _flag(settings.smtp_tls),
        "SMTP_OPENSSL_VERIFY_MODE": settings.smtp_verify,
        "S3_ENABLED": _flag(settings.s3_enabled),
    }
    if settings.s3_enabled:
        variables |= {
            "S3_BUCKET": settings.s3_bucket,
            "S3_REGION": settings.s3_region,
            "S3_ENDPOINT": settings.s3_endpoint,
            "S3_HOSTNAME": settings.s3_hostname,
            "S3_ALIAS_HOST": settings.s3_alias_host,
        }
    # An empty variable is not an absent one for Mastodon; S3_PERMISSION is the one that may be empty on purpose.
    present = {name: value for name, value in variables.items() if value}
    if settings.s3_enabled:
        present["S3_PERMISSION"] = settings.s3_permission
    return present | settings.mastodon_environment


def streaming_variables(settings: Settings, sizing: Sizing) -> dict[str, str]:
    """The environment of the streaming server: it needs the database and Redis, and nothing else of the instance."""
    wiring = ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "REDIS_HOST", "REDIS_PORT")
    shared = (*wiring, "TRUSTED_PROXY_IP", "LOG_LEVEL")
    variables = mastodon_variables(settings, sizing)
    return {
        **{name: variables[name] for name in shared if name in variables},
        "DB_POOL": str(sizing.streaming_database_pool),
    }


def _flag(value: bool) -> str:
    return "true" if value else "false"
