"""What of acme-companion's log is told to the operator."""

from __future__ import annotations

import pytest
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


# The steps of acme.sh 3.1.4 up to a refusal, and then those to a certificate for another name.
STEPS = """\
Info: running acme-companion version v2.8.2
Creating/renewal a.example.org certificates... (a.example.org)
[Tue Nov 24 21:00:00 UTC 2026] Using CA: https://acme-v02.api.letsencrypt.org/directory
[Tue Nov 24 21:00:00 UTC 2026] Account key creation OK.
[Tue Nov 24 21:00:00 UTC 2026] Registering account: https://acme-v02.api.letsencrypt.org/directory
[Tue Nov 24 21:00:00 UTC 2026] Registered
[Tue Nov 24 21:00:00 UTC 2026] ACCOUNT_THUMBPRINT='Fpxv47zK8RINdf_qRlwKQaS2TGRTH-bWd1PtUIMeeVk'
[Tue Nov 24 21:00:00 UTC 2026] Creating domain key
[Tue Nov 24 21:00:00 UTC 2026] The domain key is here: /etc/acme.sh/a@example.org/a.example.org/a.example.org.key
[Tue Nov 24 21:00:00 UTC 2026] Generating next pre-generate key.
[Tue Nov 24 21:00:00 UTC 2026] Single domain='a.example.org'
[Tue Nov 24 21:00:01 UTC 2026] Getting webroot for domain='a.example.org'
[Tue Nov 24 21:00:01 UTC 2026] Verifying: a.example.org
[Tue Nov 24 21:00:01 UTC 2026] Processing. The CA is processing your order, please wait. (1/30)
[Tue Nov 24 21:00:03 UTC 2026] Pending. The CA is processing your order, please wait. (2/30)
"""
SUCCESS = """\
[Tue Nov 24 21:00:05 UTC 2026] Success
[Tue Nov 24 21:00:05 UTC 2026] Verification finished, beginning signing.
[Tue Nov 24 21:00:05 UTC 2026] Let's finalize the order.
[Tue Nov 24 21:00:05 UTC 2026] Le_OrderFinalize='https://acme-v02.api.letsencrypt.org/acme/finalize/1/2'
[Tue Nov 24 21:00:05 UTC 2026] Order status is 'processing', let's sleep and retry.
/app/acme.sh: line 5496: [: Tue,24Nov202621: integer expression expected
[Tue Nov 24 21:00:07 UTC 2026] Polling order status: https://acme-v02.api.letsencrypt.org/acme/order/1/2
[Tue Nov 24 21:00:07 UTC 2026] Downloading cert.
[Tue Nov 24 21:00:07 UTC 2026] Le_LinkCert='https://acme-v02.api.letsencrypt.org/acme/cert/3'
[Tue Nov 24 21:00:08 UTC 2026] Cert success.
-----BEGIN CERTIFICATE-----
MIICODCCAb6gAwIBAgIUEHcnm5zJzSYFLhLk7N5u4OhLRskwCgYIKoZIzj0EAwMw
pQ==
-----END CERTIFICATE-----
[Tue Nov 24 21:00:08 UTC 2026] Your cert is in: /etc/acme.sh/a@example.org/a.example.org/a.example.org.cer
[Tue Nov 24 21:00:08 UTC 2026] The intermediate CA cert is in: /etc/acme.sh/a@example.org/a.example.org/ca.cer
[Tue Nov 24 21:00:08 UTC 2026] And the full-chain cert is in: /etc/acme.sh/a@example.org/a.example.org/fullchain.cer
[Tue Nov 24 21:00:09 UTC 2026] ARI suggestedWindow: 2027-01-20T02:37:34Z to 2027-01-22T02:37:34Z
[Tue Nov 24 21:00:09 UTC 2026] Next renewal time picked from ARI window: 2027-01-20T21:15:13Z
[Tue Nov 24 21:00:09 UTC 2026] Installing cert to: /etc/nginx/certs/a.example.org/cert.pem
Reloading nginx docker-gen (using separate container a130b110ae87)...
Reloading nginx (using separate container 399101776bed)...
"""


def test_the_steps_up_to_a_refusal_and_to_another_certificate_do_not_push_the_reason_out() -> None:
    assert telling_lines([*STEPS.splitlines(), REASON, *(STEPS + SUCCESS).splitlines(), "Sleep for 3600s"]) == [REASON]


@pytest.mark.parametrize(
    "line",
    [
        "[Tue Nov 24 21:00:01 UTC 2026] Error getting authz.",
        "[Tue Nov 24 21:00:01 UTC 2026] Error creating new order.",
        "[Tue Nov 24 21:00:01 UTC 2026] Error registering account: rateLimited",
        "Error: can't get nginx-proxy container ID !",
        "2026/11/24 21:00:01 Error listing containers: API error (502): ",
    ],
)
def test_every_error_is_told(line: str) -> None:
    assert telling_lines([line]) == [line]


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
