"""Mail by hand: any provider there is. The operator copies the records from its console into mail_domain_records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mstdn.dns.zone_file import parse_line
from mstdn.mail_domain.provider import SendingDomain
from mstdn.settings.provision import ProvisionSettings


class ManualMail:
    title = "your mail provider"
    domains: Mapping[str, str] = {}
    verifies: tuple[str, ...] = ()
    foreseen: tuple[tuple[str, str, str], ...] = ()

    def __init__(self, settings: ProvisionSettings):
        self._records = tuple(map(parse_line, settings.mail_domain_records))

    def look(self) -> SendingDomain | None:
        return SendingDomain(self._records, verified=True)

    def register(self, domain: str) -> None:
        raise AssertionError("it counts as registered")

    def verify(self) -> Sequence[str]:
        return ()
