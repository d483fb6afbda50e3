"""
The providers' keys: what lets provision.py act in the operator's accounts.

They have a table of their own, apart from the secrets of the server, because none of them may ever reach a server:
whoever holds one can move the site elsewhere. They come from the same secrets.env, or from the environment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ProviderKey:
    """`needed_by`: the settings, each with the value that makes no sense without this key."""

    name: str
    meaning: str
    needed_by: tuple[tuple[str, str], ...] = ()


KEYS = (
    ProviderKey(
        "HCLOUD_TOKEN",
        "Hetzner: a token of the project with the right Read & Write, for server, firewall and DNS.",
        (("server_provider", "hetzner"), ("dns_provider", "hetzner")),
    ),
    ProviderKey(
        "CLOUDFLARE_API_TOKEN",
        "Cloudflare: an API token with Zone Read and DNS Edit for the zone.",
        (("dns_provider", "cloudflare"),),
    ),
    # Not AWS_ACCESS_KEY_ID: with s3_enabled that key lies on the server, which could then move its own name.
    ProviderKey("ROUTE53_ACCESS_KEY_ID", "Route 53: the access key, where no profile of AWS is used."),
    ProviderKey("ROUTE53_SECRET_ACCESS_KEY", "Route 53: the secret key that belongs to it."),
    ProviderKey(
        "SPARKPOST_API_KEY",
        "SparkPost: an API key with Sending Domains: Read/Write. SMTP_PASSWORD is another one.",
        (("mail_domain_provider", "sparkpost"),),
    ),
)
PROVIDER_KEYS = {key.name: key for key in KEYS}


def unfit_as_key(value: str) -> str | None:
    """Why this cannot be a key of any provider; None if it can be one. A header of HTTP would not take it either."""
    if re.fullmatch(r"[!-~]+", value):
        return None
    return "it has a character that no key has: a space, or a quote or dash as word processors make them"
