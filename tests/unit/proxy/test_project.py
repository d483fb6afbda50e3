"""For which names the proxy answers."""

from __future__ import annotations

from typing import Any

import pytest

from mstdn.proxy.project import proxy_project
from tests.harness import settings_with


@pytest.mark.parametrize(
    ("values", "domains"),
    [
        ({}, ("social.example.org",)),
        ({"local_domain": "example.org", "web_domain": "social.example.org"}, ("social.example.org",)),
        (
            {"alternate_domains": ["alice.example.org", "bob.example.org"]},
            ("social.example.org", "alice.example.org", "bob.example.org"),
        ),
        (
            {"alternate_domains": ["abcdefghij.onion", "abc.i2p", "alice.example.org"]},
            ("social.example.org", "alice.example.org"),
        ),
    ],
    ids=["one domain", "site elsewhere than handles", "alternate domains", "hidden services"],
)
def test_certificates_are_asked_for_exactly_the_public_names(values: dict[str, Any], domains: tuple[str, ...]) -> None:
    settings = settings_with(**values)
    assert settings.public_domains == domains
    vhosts = [
        file.path.rpartition("/")[2] for file in proxy_project(settings, ipv6=False).files if "/vhost.d/" in file.path
    ]
    assert tuple(vhosts) == domains
