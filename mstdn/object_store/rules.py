"""What must hold between the settings of the object store."""

from __future__ import annotations

from collections.abc import Container, Iterator
from urllib.parse import urlsplit

from mstdn.problems import Problem


def s3_has_a_bucket_and_keys(s3_enabled: bool, s3_bucket: str, secrets: Container[str]) -> Iterator[Problem]:
    if not s3_enabled:
        return
    if not s3_bucket:
        yield Problem("s3_bucket", "s3_enabled is True but there is no bucket", 's3_bucket = "..."', '""')
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if name not in secrets:
            yield Problem(name, "s3_enabled is True but this key is not set", f"{name}='...' in secrets.env")


def the_bucket_is_named_once(s3_enabled: bool, s3_bucket: str, s3_endpoint: str) -> Iterator[Problem]:
    """
    Some providers show an address with the bucket at its end. Mastodon adds the bucket itself, so everything would lie
    below a directory of its name, where neither s3_hostname nor s3_alias_host leads.
    """
    address = s3_endpoint.removesuffix(f"/{s3_bucket}")
    if s3_enabled and s3_bucket and address != s3_endpoint and urlsplit(address).hostname:
        yield Problem(
            "s3_endpoint", "it ends with the bucket, which s3_bucket names", f's3_endpoint = "{address}"', s3_endpoint
        )


def media_have_a_host(s3_enabled: bool, s3_endpoint: str, s3_hostname: str, s3_alias_host: str) -> Iterator[Problem]:
    """
    The host in the addresses of pictures is another setting than the endpoint. Without one it is Amazon's, in every
    post that goes out, and other servers keep it. Source: Mastodon's config/initializers/paperclip.rb.

    It has to speak TLS: Mastodon's content security policy allows its host with https only, so browsers show nothing
    that comes without. Source: app/lib/content_security_policy.rb (host_protocol).
    """
    if not s3_enabled or not s3_endpoint or s3_alias_host:
        return
    host = s3_endpoint.partition("://")[2]
    encrypted = s3_endpoint.startswith("https://")
    if not s3_hostname and encrypted:
        yield Problem(
            "s3_hostname",
            "without it and s3_alias_host, the address of every picture would have Amazon's host",
            f's3_hostname = "{host}"',
            '""',
        )
    elif not encrypted and s3_hostname in ("", host):
        yield Problem(
            "s3_alias_host",
            f"browsers show no pictures that come without TLS, as they would from {s3_endpoint}",
            f's3_alias_host = "media.example.org/...", a proxy with TLS in front of {host}',
            '""',
        )
