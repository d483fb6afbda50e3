"""What must hold between the settings of the proxy and its certificates."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.kinds.paths import lies_in
from mstdn.problems import Problem

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
LETS_ENCRYPT_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"


def roots_are_apart(mastodon_root: str, proxy_root: str) -> Iterator[Problem]:
    if lies_in(proxy_root, mastodon_root):
        yield _not_apart("proxy_root", proxy_root, "mastodon_root", mastodon_root)
    elif lies_in(mastodon_root, proxy_root):
        yield _not_apart("mastodon_root", mastodon_root, "proxy_root", proxy_root)


def _not_apart(name: str, path: str, other_name: str, other: str) -> Problem:
    return Problem(name, f"it lies in {other_name} ({other})", f"{name} in a place of its own", f'"{path}"')


def staging_is_lets_encrypts(acme_staging: bool, acme_directory: str) -> Iterator[Problem]:
    if acme_staging and acme_directory != LETS_ENCRYPT:
        yield Problem(
            "acme_staging",
            f"it means Let's Encrypt's staging authority, but acme_directory is {acme_directory}",
            "acme_staging = False, or leave acme_directory at its default",
            "True",
        )
