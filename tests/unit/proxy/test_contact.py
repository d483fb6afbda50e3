"""The contact of the ACME account is optional."""

from __future__ import annotations

import yaml

from mstdn.render import render
from tests.harness import settings_with


def contact_of(acme_email: str) -> str | None:
    text = render("proxy/compose.yaml.j2", settings=settings_with(acme_email=acme_email), ipv6=False)
    found: str | None = yaml.safe_load(text)["services"]["acme-companion"]["environment"].get("DEFAULT_EMAIL")
    return found


def test_a_contact_is_told_and_none_is_not_an_empty_one() -> None:
    assert contact_of("admin@example.org") == "admin@example.org"
    assert contact_of("") is None
