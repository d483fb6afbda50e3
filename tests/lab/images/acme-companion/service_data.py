"""
What the containers ask for, as the file from which the service works.

Facts are from app/letsencrypt_service_data.tmpl of acme-companion 2.8.2; the form of the file is the stand-in's own.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from docker_engine import Container

SERVICE_DATA = "/app/letsencrypt_service_data"
# Variables of a container that ask for what this stand-in does not do.
UNMODELLED = (
    "ACMESH_DNS_API_CONFIG",
    "ACME_EAB_KID",
    "ACME_OCSP",
    "ACME_POST_HOOK",
    "ACME_PREFERRED_CHAIN",
    "ACME_PRE_HOOK",
    "ACME_RESTART_CONTAINER",
    "LETSENCRYPT_RESTART_CONTAINER",
    "ZEROSSL_API_KEY",
)


def render_service_data(containers: list[Container]) -> str:
    """What the containers ask for, newest first, as JSON: the file from which the service works."""
    newest_first = sorted(containers, key=lambda container: container.created, reverse=True)
    return json.dumps([wish for each in newest_first for wish in _wishes(each)], indent=1) + "\n"


def _wishes(container: Container) -> list[dict[str, object]]:
    environment = container.environment

    def either(*names: str) -> str:
        return next((environment[name] for name in names if name in environment), "").strip()

    hosts = [host.strip().removesuffix(".") for host in either("ACME_HOST", "LETSENCRYPT_HOST").split(",")]
    hosts = list(filter(None, hosts))
    wish = {
        "name": container.name,
        "key_size": either("ACME_KEYSIZE", "LETSENCRYPT_KEYSIZE"),
        "email": either("ACME_EMAIL", "LETSENCRYPT_EMAIL"),
        "directory_url": either("ACME_CA_URI"),
        "staging": either("LETSENCRYPT_TEST").lower() == "true",
        "challenge": either("ACME_CHALLENGE"),
        "profile": either("ACME_CERT_PROFILE"),
        "renew_after": either("ACME_RENEW_AFTER"),
        "renew_private_keys": either("ACME_RENEW_PRIVATE_KEYS"),
        "unmodelled": [name for name in UNMODELLED if either(name).lower() not in ("", "false")],
    }
    if either("ACME_SINGLE_DOMAIN_CERTS", "LETSENCRYPT_SINGLE_DOMAIN_CERTS").lower() in ("true", "1", "t"):
        return [{"id": f"{container.id[:12]}_{host}", "hosts": [host], **wish} for host in hosts]
    return [{"id": container.id[:12], "hosts": hosts, **wish}] if hosts else []
