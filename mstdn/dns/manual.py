"""DNS by hand: any provider there is. Records are looked up where the world does, and told as zone-file lines."""

from __future__ import annotations

from collections.abc import Sequence

from mstdn.cloud.errors import ProvisionError
from mstdn.dns.lookup import Lookup
from mstdn.dns.rules import Change, RecordSet, Zone, record_set
from mstdn.dns.zone_file import TYPES


class ManualDns:
    title = "your DNS provider"
    by_hand = True

    def __init__(self, lookup: Lookup):
        self._lookup = lookup

    def zones(self, name: str) -> Sequence[Zone]:
        cut = self._lookup.delegation(name)
        if "." not in cut.name:
            raise ProvisionError(
                f"{name} lies in no zone that anybody has: .{cut.name} does not know the domain. Register it, or "
                "correct the name; a domain registered a moment ago takes up to an hour."
            )
        return [Zone(cut.name, cut.name, cut.servers)]

    def records(self, zone: Zone, name: str) -> Sequence[RecordSet]:
        found: list[RecordSet] = []
        for kind in TYPES:
            answers = self._lookup.ask(name, kind)
            values = {value for answer in answers for value in answer.values}
            if values:
                found.append(record_set(name, kind, values, 0))
        return found

    def change(self, zone: Zone, change: Change) -> None:
        raise AssertionError("what is done by hand is told, not carried out")
