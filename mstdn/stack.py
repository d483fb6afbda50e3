"""
What both Compose projects consist of, worked out from the settings: files, directories, images, environment.

Pure: the same settings and the same server give the same text, so that a task can tell what another one will write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import scrypt, sha256
from pathlib import Path

from pydantic import SecretStr

from mstdn.files.tree import ConfigDirectory, ConfigFile, revision_of
from mstdn.render import render
from mstdn.settings import Settings
from mstdn.sizing.rules import Sizing

STATIC_FILES = Path(__file__).parent.parent / "files"

# The numeric users of the official images.
MASTODON = "991:991"
POSTGRES = "999:999"
REDIS = "999:999"

MASTODON_SERVICES = ("db", "redis", "web", "streaming", "sidekiq", "nginx")
PROXY_SERVICES = ("nginx", "docker-gen", "acme-companion", "socket-proxy")
# The inner nginx comes up with the database already: the certificate is then on its way while Mastodon boots.
DATABASE_SERVICES = ("db", "redis", "nginx")


@dataclass(frozen=True)
class Stack:
    """
    A Compose project's files on the server.

    `reloaded`: those of `files` that running containers can read anew. `secrets`: path of the file that changes when
    the containers' secrets do, "" without any; it is written by tasks/secrets.py.
    """

    directories: tuple[ConfigDirectory, ...]
    files: tuple[ConfigFile, ...]
    reloaded: tuple[ConfigFile, ...]
    secrets: str = ""

    @property
    def made_from(self) -> tuple[ConfigFile, ...]:
        """The files that containers are made from."""
        return tuple(file for file in self.files if file not in self.reloaded)

    def revision(self, *extra: str) -> str:
        """Changes exactly when containers may have to be made anew."""
        return revision_of(self.made_from, *extra)

    @property
    def reload_revision(self) -> str:
        """Changes exactly when running containers have to read their configuration anew."""
        return revision_of(self.reloaded)


def mastodon_stack(settings: Settings, sizing: Sizing) -> Stack:
    """Mastodon's project under mastodon_root: settings and state of the instance, all of it in one place."""
    root = settings.mastodon_root
    nginx = (
        ConfigFile(f"{root}/nginx/nginx.conf", render("app/nginx.conf.j2", settings=settings)),
        ConfigFile(f"{root}/nginx/unavailable.html", _static("app/unavailable.html")),
    )
    return Stack(
        directories=(
            ConfigDirectory(root),
            ConfigDirectory(f"{root}/assets"),
            ConfigDirectory(f"{root}/database", "0700", POSTGRES),
            ConfigDirectory(f"{root}/media", "0755", MASTODON),
            ConfigDirectory(f"{root}/nginx", exclusive=True),
            ConfigDirectory(f"{root}/postgres", exclusive=True),
            ConfigDirectory(f"{root}/redis", "0700", REDIS),
            ConfigDirectory(f"{root}/secrets", "0700"),
            ConfigDirectory(f"{root}/state"),
            ConfigDirectory(f"{root}/scratch", "0700", MASTODON),
        ),
        files=(
            ConfigFile(
                f"{root}/compose.yaml",
                render(
                    "app/compose.yaml.j2",
                    settings=settings,
                    sizing=sizing,
                    web_image=web_image(settings),
                    streaming_image=streaming_image(settings),
                    public_domains=public_domains(settings),
                ),
            ),
            ConfigFile(f"{root}/mastodon.env", environment_file(mastodon_variables(settings, sizing))),
            ConfigFile(f"{root}/streaming.env", environment_file(streaming_variables(settings, sizing))),
            ConfigFile(f"{root}/postgres/10-mastodon.sh", _static("app/10-mastodon.sh")),
            *nginx,
        ),
        reloaded=nginx,
        secrets=f"{root}/.env",
    )


def proxy_stack(settings: Settings, ipv6: bool) -> Stack:
    """The proxy's project under proxy_root. `ipv6`: whether the server has an address to publish on."""
    root = settings.proxy_root
    bundle = (
        (ConfigFile(f"{root}/ca-bundle/acme-ca-bundle.pem", Path(settings.acme_ca_bundle).read_text()),)
        if settings.acme_ca_bundle
        else ()
    )
    vhosts = tuple(
        ConfigFile(f"{root}/vhost.d/{domain}", render("proxy/vhost.conf.j2", settings=settings, domain=domain))
        for domain in public_domains(settings)
    )
    return Stack(
        directories=(
            ConfigDirectory(root),
            ConfigDirectory(f"{root}/acme", "0700"),
            ConfigDirectory(f"{root}/ca-bundle", exclusive=True),
            ConfigDirectory(f"{root}/certs"),
            ConfigDirectory(f"{root}/conf.d"),
            ConfigDirectory(f"{root}/html"),
            ConfigDirectory(f"{root}/state"),
            ConfigDirectory(f"{root}/vhost.d", exclusive=True),
        ),
        files=(
            ConfigFile(f"{root}/compose.yaml", render("proxy/compose.yaml.j2", settings=settings, ipv6=ipv6)),
            *bundle,
            *vhosts,
        ),
        reloaded=vhosts,
    )


def public_domains(settings: Settings) -> tuple[str, ...]:
    """
    The names for which the proxy answers and asks for certificates.

    Not local_domain where web_domain differs, because another server has it; and no onion or I2P name, because no
    public authority certifies those.
    """
    hidden = (".onion", ".i2p")
    names = (settings.site_domain, *settings.alternate_domains)
    return tuple(dict.fromkeys(name for name in names if not name.endswith(hidden)))


def web_image(settings: Settings) -> str:
    """The image of web, Sidekiq and migrations: official, or built on the server."""
    if settings.mastodon_image_source == "official":
        return settings.mastodon_image_reference
    return f"mstdn-source/mastodon:{settings.mastodon_version}-{patches_id(patches(settings))}"


def streaming_image(settings: Settings) -> str:
    """The image of the streaming server: official, or built on the server."""
    if settings.mastodon_image_source == "official":
        return settings.mastodon_streaming_image_reference
    return f"mstdn-source/mastodon-streaming:{settings.mastodon_version}-{patches_id(patches(settings))}"


def pulled_image_references(settings: Settings) -> tuple[str, ...]:
    """Every image that comes from a registry, for both projects."""
    mastodon = (web_image(settings), streaming_image(settings))
    return (
        *(mastodon if settings.mastodon_image_source == "official" else ()),
        settings.postgres_image,
        settings.redis_image,
        settings.nginx_image,
        settings.docker_gen_image,
        settings.acme_companion_image,
        settings.socket_proxy_image,
    )


def patches(settings: Settings) -> tuple[str, ...]:
    """The operator's patches in the order of their names."""
    if not settings.images_patches_directory:
        return ()
    return tuple(file.read_text() for file in sorted(Path(settings.images_patches_directory).glob("*.patch")))


def patches_id(texts: Sequence[str]) -> str:
    """Twelve digits that differ when the patches do."""
    return sha256("\n".join(texts).encode()).hexdigest()[:12]


def fingerprint_of(secrets: Mapping[str, SecretStr]) -> str:
    """
    A word that differs when a secret does. It lies on the server where others may read it, so guessing has to be slow.
    """
    text = "".join(f"{name}={value.get_secret_value()}\n" for name, value in sorted(secrets.items()))
    return scrypt(text.encode(), salt=b"mstdn operator secrets", n=2**14, r=8, p=1, dklen=16).hex()


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


def environment_file(variables: dict[str, str]) -> str:
    """
    Text of a Compose env_file. A value is quoted where Compose would read into it: $ and #, quotes, spaces.

    Settings refuse single quotes in values, so a quoted value is always literal.
    """
    plain = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@,+=")
    lines = ["# Mastodon's settings without its secrets. Written by the suite: change settings instead, and deploy."]
    for name, value in variables.items():
        lines.append(f"{name}={value}" if plain.issuperset(value) else f"{name}='{value}'")
    return "\n".join(lines)


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _static(path: str) -> str:
    return (STATIC_FILES / path).read_text()
