"""What must hold between the settings of the proxy and its certificates."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping

from mstdn.kinds.network import Network, networks_in
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


# What Rails trusts by itself: loopback and every private network, among them those of the containers. TRUSTED_PROXY_IP
# replaces all of it. Source: docs.joinmastodon.org/admin/config; Rails, ActionDispatch::RemoteIp::TRUSTED_PROXIES.
TRUSTED_BY_DEFAULT = ("127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


def trusted_proxies_include_our_own(
    mastodon_environment: Mapping[str, str], proxy_downstream_addresses: tuple[str, ...]
) -> Iterator[Problem]:
    """
    Without the private networks, Mastodon takes the suite's own proxy for a forger: every request is an error 500, and
    only the health check is not. Source: lib/action_dispatch/remote_ip_extensions.rb.
    """
    if "TRUSTED_PROXY_IP" not in mastodon_environment:
        return
    subject, text = 'mastodon_environment["TRUSTED_PROXY_IP"]', mastodon_environment["TRUSTED_PROXY_IP"]
    trusted, unreadable = networks_in(text)
    needed, _ = networks_in(" ".join(TRUSTED_BY_DEFAULT))
    missing = [net for net in needed if not any(_covers(wide, net) for wide in trusted)]
    own = [str(net) for net in trusted if not any(_covers(wide, net) for wide in needed)]
    remedy = f"remove it, and set proxy_downstream_addresses = {json.dumps(own)}" if own else "remove it"
    if proxy_downstream_addresses:
        yield Problem(subject, "proxy_downstream_addresses writes it", "remove it")
    elif any(net.prefixlen == 0 for net in trusted):
        yield Problem(subject, "it trusts everybody, and anybody could pretend to have any address", "remove it")
    elif trusted and missing and not unreadable:
        yield Problem(
            subject, f"it lacks {missing[0]}, and the suite's own proxy would then not be trusted any more", remedy
        )


def _covers(wide: Network, narrow: Network) -> bool:
    if isinstance(wide, ipaddress.IPv4Network):
        return isinstance(narrow, ipaddress.IPv4Network) and narrow.subnet_of(wide)
    return isinstance(narrow, ipaddress.IPv6Network) and narrow.subnet_of(wide)
