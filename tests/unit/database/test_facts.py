"""What was installed, as the script prints it."""

from __future__ import annotations

import pytest
from pyinfra.api.exceptions import FactProcessError

from mstdn.database.facts import Installed
from tests.harness import read


def test_an_upgrade_that_is_under_way_is_read() -> None:
    output = """\
installed LOCAL_DOMAIN=social.example.org
installed MASTODON_VERSION=v4.7.5
installed NEXT_VERSION=v4.7.60
installed MIGRATIONS=before
installed DATABASE=17
"""
    assert read(Installed, output) == {
        "LOCAL_DOMAIN": "social.example.org",
        "MASTODON_VERSION": "v4.7.5",
        "NEXT_VERSION": "v4.7.60",
        "MIGRATIONS": "before",
        "DATABASE": "17",
    }


def test_on_a_bare_server_nothing_is_installed() -> None:
    assert read(Installed, "") == {}


def test_a_line_that_is_no_assignment_is_contained() -> None:
    with pytest.raises(FactProcessError, match="database/state answered something unexpected"):
        read(Installed, "installed LOCAL_DOMAIN\n")
