"""
What must hold between settings.

Each relation names the settings it reads as its parameters, and is asked only when all of them are valid by
themselves; the parameter `secrets` holds the names of the operator's secrets that are set.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterator
from pathlib import PurePosixPath

from mstdn.problems import Problem
from mstdn.settings.model import LETS_ENCRYPT, Settings


def broken_relations(settings: Settings, secrets: Container[str], invalid: set[str]) -> Iterator[Problem]:
    """Every broken relation among the settings that are not in `invalid`."""
    for relation in RELATIONS:
        names = inspect.signature(relation).parameters
        if invalid.isdisjoint(names):
            yield from relation(**{name: secrets if name == "secrets" else getattr(settings, name) for name in names})


def implicit_tls_goes_with_port_465(smtp_port: int, smtp_tls: bool) -> Iterator[Problem]:
    """Source: RFC 8314 section 3.3; mastodon/mastodon#23180."""
    if smtp_port == 465 and not smtp_tls:
        yield Problem("smtp_tls", "port 465 speaks TLS from the first byte", "smtp_tls = True", "smtp_port = 465")
    if smtp_port in (25, 587) and smtp_tls:
        yield Problem(
            "smtp_tls",
            f"port {smtp_port} starts without TLS and is upgraded with STARTTLS",
            "smtp_tls = False, or smtp_port = 465",
            "smtp_tls = True",
        )


def a_login_has_a_password(smtp_login: str, smtp_authentication: str, secrets: Container[str]) -> Iterator[Problem]:
    if smtp_login and smtp_authentication == "none":
        yield Problem(
            "smtp_authentication",
            "with smtp_login there must be a way to log in",
            'smtp_authentication = "plain", or smtp_login = ""',
            'smtp_authentication = "none"',
        )
    if smtp_login and "SMTP_PASSWORD" not in secrets:
        yield Problem(
            "SMTP_PASSWORD", "smtp_login is set but its password is not", "SMTP_PASSWORD='...' in secrets.env"
        )
    if not smtp_login and "SMTP_PASSWORD" in secrets:
        yield Problem(
            "smtp_login",
            "SMTP_PASSWORD is set but not the login it belongs to",
            'smtp_login = "..." (often the mail address), or remove SMTP_PASSWORD',
        )


def s3_has_a_bucket_and_keys(s3_enabled: bool, s3_bucket: str, secrets: Container[str]) -> Iterator[Problem]:
    if not s3_enabled:
        return
    if not s3_bucket:
        yield Problem("s3_bucket", "s3_enabled is True but there is no bucket", 's3_bucket = "..."', '""')
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if name not in secrets:
            yield Problem(name, "s3_enabled is True but this key is not set", f"{name}='...' in secrets.env")


def paths_are_apart(mastodon_root: str, proxy_root: str, swap_path: str) -> Iterator[Problem]:
    for name, path, other_name, other in (
        ("proxy_root", proxy_root, "mastodon_root", mastodon_root),
        ("mastodon_root", mastodon_root, "proxy_root", proxy_root),
        ("swap_path", swap_path, "mastodon_root", mastodon_root),
        ("swap_path", swap_path, "proxy_root", proxy_root),
    ):
        inside = PurePosixPath(path).is_relative_to(other)
        if inside and not (name == "mastodon_root" and path == other):
            yield Problem(name, f"it lies in {other_name} ({other})", f"{name} in a place of its own", f'"{path}"')


def domains_are_named_once(local_domain: str, web_domain: str, alternate_domains: tuple[str, ...]) -> Iterator[Problem]:
    site_domain = web_domain or local_domain
    for domain in dict.fromkeys(alternate_domains):
        if domain == site_domain or alternate_domains.count(domain) > 1:
            yield Problem(
                "alternate_domains", f'"{domain}" is named twice', f'remove "{domain}" from alternate_domains'
            )


def patches_need_a_build(mastodon_image_source: str, images_patches_directory: str) -> Iterator[Problem]:
    if images_patches_directory and mastodon_image_source == "official":
        yield Problem(
            "images_patches_directory",
            "the official images are pulled as they are, so the patches would have no effect",
            'mastodon_image_source = "source", or images_patches_directory = ""',
            f'"{images_patches_directory}"',
        )


def staging_is_lets_encrypts(acme_staging: bool, acme_directory: str) -> Iterator[Problem]:
    if acme_staging and acme_directory != LETS_ENCRYPT:
        yield Problem(
            "acme_staging",
            f"it means Let's Encrypt's staging authority, but acme_directory is {acme_directory}",
            "acme_staging = False, or leave acme_directory at its default",
            "True",
        )


def postgres_is_debians(postgres_image: str) -> Iterator[Problem]:
    """In the Debian variants of the image the user postgres is 999; in the Alpine ones 70, and text sorts otherwise."""
    if "alpine" in postgres_image:
        yield Problem(
            "postgres_image",
            "the database belongs to user 999, whom the Alpine variants do not have",
            'a Debian variant, such as "postgres:17-trixie"',
            f'"{postgres_image}"',
        )


def postgres_fits_its_limit(
    postgres_memory_mib: int | None, postgres_shared_buffers_mib: int | None
) -> Iterator[Problem]:
    if postgres_memory_mib is None or postgres_shared_buffers_mib is None:
        return
    least = postgres_shared_buffers_mib + 128
    if postgres_memory_mib < least:
        yield Problem(
            "postgres_memory_mib",
            f"PostgreSQL could not start: postgres_shared_buffers_mib alone is {postgres_shared_buffers_mib}",
            f"postgres_memory_mib = {least} or more",
            str(postgres_memory_mib),
        )


RELATIONS: tuple[Callable[..., Iterator[Problem]], ...] = (
    implicit_tls_goes_with_port_465,
    a_login_has_a_password,
    s3_has_a_bucket_and_keys,
    paths_are_apart,
    domains_are_named_once,
    patches_need_a_build,
    staging_is_lets_encrypts,
    postgres_is_debians,
    postgres_fits_its_limit,
)
