"""What of acme-companion's log is told to the operator."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mstdn.proxy.companion import MOST, telling_lines

REASON = "[Tue Nov 24 21:00:01 UTC 2026] social.example.org: Invalid status. Verification error details: refused"
# What acme-companion 2.8 with acme.sh 3.1 says of a certificate that is well, and of one that just came.
WELL_SAID = """\
Creating/renewal a.example.org certificates... (a.example.org)
[Tue Nov 24 21:00:02 UTC 2026] Domains not changed.
[Tue Nov 24 21:00:02 UTC 2026] Skipping. Next renewal time is: 2027-01-22T21:00:00Z
[Tue Nov 24 21:00:02 UTC 2026] Add '--force' to force renewal.
"""
NEW_SAID = """\
-----BEGIN CERTIFICATE-----
MIICODCCAb6gAwIBAgIUEHcnm5zJzSYFLhLk7N5u4OhLRskwCgYIKoZIzj0EAwMw
-----END CERTIFICATE-----
2026/11/24 21:00:03 Received event start for container 0123456789ab
Sleep for 3600s
"""


def test_the_companions_reason_is_not_lost_among_certificates_that_are_in_order() -> None:
    log = [REASON, *(WELL_SAID * 5).splitlines(), *NEW_SAID.splitlines()]
    telling = telling_lines(log)
    assert REASON in telling
    assert [line for line in telling if "Domains not changed" in line or "Sleep for" in line] == []


def test_of_a_long_complaint_only_the_end_is_told() -> None:
    assert telling_lines(f"Invalid status {number}" for number in range(100)) == [
        f"Invalid status {number}" for number in range(100 - MOST, 100)
    ]


def test_a_log_that_says_nothing_tells_nothing() -> None:
    assert telling_lines(["", "Sleep for 3600s", "Received event start for container 0123456789ab"]) == []


@given(st.lists(st.text()))
def test_what_is_told_stands_in_the_log_in_the_same_order(log: list[str]) -> None:
    remaining = iter(log)
    assert all(line in remaining for line in telling_lines(log))
