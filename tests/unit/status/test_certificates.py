"""Certificates, and the proxy's configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mstdn.certificates.facts import CertificateFiles
from mstdn.status.complaint import Seen
from mstdn.status.limits import DAY
from tests.unit.status.server import CERTIFICATE, NAME, NOW, WELL, is_told_once


@pytest.mark.parametrize(
    ("seen", "level", "about", "words", "remedy"),
    [
        pytest.param(
            replace(WELL, certificates=CertificateFiles(installed={NAME: replace(CERTIFICATE, end=NOW + 5 * DAY)})),
            "error",
            "certificate",
            "ends in 5 days",
            "acme-companion",
            id="old certificate",
        ),
        pytest.param(
            replace(WELL, certificates=CertificateFiles()), "error", "certificate", "gone", "deploy.py", id="none"
        ),
        pytest.param(
            replace(WELL, certificates=replace(WELL.certificates, configuration="refused")),
            "error",
            "proxy/nginx",
            "refused",
            "deploy.py",
            id="nginx",
        ),
    ],
)
def test_a_certificate_that_does_not_serve_is_told_once_with_its_remedy(
    seen: Seen, level: str, about: str, words: str, remedy: str
) -> None:
    is_told_once(seen, level, about, words, remedy)
