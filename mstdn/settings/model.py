"""
Every setting of the suite: its type, range, default and meaning. docs/settings.md is made from it.

Those of the Mastodon itself come first, from instance.py; those of the server and the proxy are here. What concerns
several settings at once is in relations.py; how they are read from a host is in loading.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mstdn.kinds.network import (
    HttpsUrl,
    IpAddress,
    Ipv4AddressOrEmpty,
    Ipv6AddressOrEmpty,
    Port,
)
from mstdn.kinds.values import (
    AutoOrBoolean,
    CertificatesOrEmpty,
    Fingerprint,
    ImageReference,
    PackageVersionOrEmpty,
    PatchesOrEmpty,
    ServerPath,
    UserName,
)
from mstdn.settings.instance import InstanceSettings

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
LETS_ENCRYPT_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"

# The first setting of each section of group_data/all.py and docs/settings.md.
SECTIONS = {
    "local_domain": "You must set these",
    "mastodon_version": "Mastodon",
    "smtp_port": "Mail",
    "s3_enabled": "Media in object storage",
    "preflight_dns": "Preflight: what must be true before anything is changed",
    "swap_path": "Swap",
    "docker_repository": "Docker Engine",
    "networks_ipv6": "Networks",
    "checkout_repository": "Checkout and images",
    "proxy_root": "Proxy and certificates",
    "web_processes": 'Resources: None means "choose from the server\'s memory"',
    "verify_timeout_seconds": "Verify",
}

Ports = Annotated[tuple[Port, ...], Field(strict=False, title="list of ports")]
UserNames = Annotated[tuple[UserName, ...], Field(strict=False, title="list of Unix accounts")]
MemoryMib = Annotated[int, Field(ge=64, le=1048576)]


class Settings(InstanceSettings):
    """
    The validated settings of one host.

    Nothing is coerced, except that a list may also be a tuple, that spaces are removed from a fingerprint,
    that IP addresses get their usual form and that paths on the operator's machine are made absolute.
    """

    preflight_dns: Literal["require", "warn", "skip"] = Field(
        "require",
        description='What if the DNS of the domain does not lead to this server? "require" refuses, "warn" '
        'goes on, "skip" does not look.',
    )
    public_ipv4: Ipv4AddressOrEmpty = Field(
        "",
        examples=["198.51.100.7"],
        description="The address that visitors use, when it differs from the server's own (behind NAT).",
    )
    public_ipv6: Ipv6AddressOrEmpty = Field("", examples=["2001:db8::7"], description="The same for IPv6.")
    preflight_free_disk_gib: Annotated[int, Field(ge=1, le=100000)] = Field(
        10,
        description="The space that must be free before the first installation; afterwards a third of it is enough.",
    )
    preflight_memory_and_swap_mib: Annotated[int, Field(ge=512, le=1048576)] = Field(
        2048, description="What memory and swap (planned swap included) must come to."
    )

    swap_path: ServerPath = Field("/swap", description="The swap file.")
    swap_size_mib: Annotated[int, Field(ge=0, le=65536)] = Field(
        2048, description="0 makes no swap file. An existing swap of at least this size is left alone."
    )
    swap_swappiness: Annotated[int, Field(ge=0, le=200)] = Field(
        10, description="How readily the kernel swaps: the smaller, the later."
    )

    docker_repository: HttpsUrl = Field(
        "https://download.docker.com/linux",
        description="Docker's apt repositories; /debian or /ubuntu is added.",
    )
    docker_key_fingerprint: Fingerprint = Field(
        "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
        description="The key that must have signed them. It is compared before the key is trusted.",
    )
    docker_version: PackageVersionOrEmpty = Field(
        "",
        examples=["5:29.1.2-1~debian.13~trixie"],
        description="An exact version of docker-ce as apt lists it, or empty for the newest at the time of "
        "installation.",
    )
    docker_users: UserNames = Field(
        (),
        examples=[["alice"]],
        description='Accounts of the server that may use Docker: ["alice"]. They are root on it.',
    )
    docker_log_size_mib: Annotated[int, Field(ge=1, le=1024)] = Field(
        10, description="The size at which a container's log is rotated."
    )
    docker_log_files: Annotated[int, Field(ge=1, le=100)] = Field(3, description="How many rotated logs are kept.")
    docker_bind_address: IpAddress = Field(
        "127.0.0.1", description="Where a port is published that does not say where: not to the Internet."
    )

    networks_ipv6: AutoOrBoolean = Field(
        "auto",
        description='"auto" gives the front network IPv6 where the server has it; True and False force it.',
    )

    checkout_repository: HttpsUrl = Field(
        "https://github.com/mastodon/mastodon.git", description="Where Mastodon's source comes from."
    )
    images_patches_directory: PatchesOrEmpty = Field(
        "",
        examples=["patches"],
        description='Patches (*.patch, applied in order of their names) for mastodon_image_source = "source";'
        " a directory beside deploy.py.",
    )
    postgres_image: ImageReference = Field(
        "postgres:17-trixie",
        description="PostgreSQL, in a variant with Debian. A new major version needs a dump.",
    )
    redis_image: ImageReference = Field("redis:7.4-alpine", description="Redis, 7.0 or newer.")
    nginx_image: ImageReference = Field("nginx:1.30-alpine", description="Both nginx: the proxy and the inner one.")
    docker_gen_image: ImageReference = Field(
        "nginxproxy/nginx-proxy:1.11-dockergen", description="Writes the proxy's configuration."
    )
    acme_companion_image: ImageReference = Field("nginxproxy/acme-companion:2.8", description="Gets the certificates.")
    socket_proxy_image: ImageReference = Field(
        "wollomatic/socket-proxy:1.13.1",
        description="Lets those two ask Docker a few questions and nothing else.",
    )
    images_refresh: bool = Field(
        False,
        description="Take what the registry offers now for every tag, even where it moved. Meant for one run:"
        " `--data images_refresh=true`.",
    )

    proxy_root: ServerPath = Field("/srv/proxy", description="The proxy's files, certificates and ACME account.")
    acme_directory: HttpsUrl = Field(LETS_ENCRYPT, description="The ACME authority that issues the certificates.")
    acme_staging: bool = Field(
        False,
        description="Ask Let's Encrypt's staging authority: no rate limits, but no browser trusts the certificate.",
    )
    acme_ca_bundle: CertificatesOrEmpty = Field(
        "",
        examples=["private-authority.pem"],
        description="A file on this machine with the roots (PEM) of a private authority, for acme_directory "
        "and for tasks/verify.py.",
    )
    proxy_trust_downstream: bool = Field(
        False,
        description="True only when a load balancer or CDN stands in front: its X-Forwarded-* headers are "
        "then believed.",
    )
    proxy_body_size_mib: Annotated[int, Field(ge=1, le=10240)] = Field(
        99, description="The largest upload. Mastodon itself takes videos of up to 99 MB."
    )
    proxy_read_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        120, description="How long the proxy waits for an answer of Mastodon."
    )

    web_processes: Annotated[int, Field(ge=0, le=64)] | None = Field(
        None, description="Puma's worker processes; 0 is one process without a supervisor, the smallest."
    )
    web_threads: Annotated[int, Field(ge=1, le=64)] | None = Field(None, description="Threads of each web process.")
    sidekiq_threads: Annotated[int, Field(ge=1, le=400)] | None = Field(
        None, description="Jobs that run at the same time."
    )
    streaming_database_pool: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="Database connections of the streaming server."
    )
    postgres_shared_buffers_mib: Annotated[int, Field(ge=16, le=262144)] | None = Field(
        None, description="PostgreSQL's own cache."
    )
    web_memory_mib: MemoryMib | None = Field(None, description="Above this the kernel ends the web container.")
    sidekiq_memory_mib: MemoryMib | None = Field(None, description="The same for Sidekiq.")
    streaming_memory_mib: MemoryMib | None = Field(None, description="The same for the streaming server.")
    postgres_memory_mib: MemoryMib | None = Field(None, description="The same for PostgreSQL.")
    redis_memory_mib: MemoryMib | None = Field(None, description="The same for Redis.")
    app_start_timeout_seconds: Annotated[int, Field(ge=10, le=7200)] = Field(
        300,
        description="How long a container may take to become healthy before the run fails and shows its last "
        "log lines.",
    )

    verify_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        180, description="How long the first certificate may take."
    )
    verify_open_ports: Ports = Field(
        (),
        description="Ports of other containers that are meant to answer from outside: [25, 993].",
    )

    @property
    def acme_directory_url(self) -> str:
        """The authority to ask, staging included. Source: letsencrypt.org/docs/staging-environment."""
        return LETS_ENCRYPT_STAGING if self.acme_staging else self.acme_directory
