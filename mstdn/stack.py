"""
What both Compose projects consist of, worked out from the settings: files, directories, images, environment.

Pure: the same settings and the same server give the same text, so that a task can tell what another one will write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import scrypt, sha256
from pathlib import Path

from pydantic import SecretStr

from mstdn.app.variables import FILE_COMMENT, mastodon_variables, streaming_variables
from mstdn.files.tree import ConfigDirectory, ConfigFile, revision_of
from mstdn.kinds.dotenv import dotenv_text
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
                    public_domains=settings.public_domains,
                ),
            ),
            ConfigFile(f"{root}/mastodon.env", dotenv_text(mastodon_variables(settings, sizing), FILE_COMMENT)),
            ConfigFile(f"{root}/streaming.env", dotenv_text(streaming_variables(settings, sizing), FILE_COMMENT)),
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
        for domain in settings.public_domains
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


def _static(path: str) -> str:
    return (STATIC_FILES / path).read_text()
