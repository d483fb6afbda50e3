"""What must hold between the settings of provision.py and the keys of providers."""

from __future__ import annotations

from collections.abc import Container, Iterator

from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.problems import Problem


def missing_keys(setting: str, provider: str, secrets: Container[str]) -> Iterator[Problem]:
    """
    The keys that this value of a setting needs and that are not set.

    secrets: the names of the keys that are.
    """
    for key in PROVIDER_KEYS.values():
        if (setting, provider) in key.needed_by and key.name not in secrets:
            yield Problem(
                key.name,
                f'{setting} = "{provider}" needs this key, and it is not set',
                f"{key.name}='...' in secrets.env",
            )


def an_access_key_has_its_secret(secrets: Container[str]) -> Iterator[Problem]:
    """Route 53 needs neither key where a profile of AWS is used, but only one of the two is a mistake."""
    pair = ("ROUTE53_ACCESS_KEY_ID", "ROUTE53_SECRET_ACCESS_KEY")
    for name, other in (pair, pair[::-1]):
        if name in secrets and other not in secrets:
            yield Problem(other, f"{name} is set but not the key that belongs to it", f"{other}='...' in secrets.env")
