"""Hetzner's DNS: zones and record sets of the Cloud interface (docs.hetzner.cloud, "DNS Zones")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import SecretStr

from mstdn.cloud.errors import ProviderError, ProvisionError
from mstdn.cloud.hetzner import OURS, Hetzner
from mstdn.dns.rules import PROTECTED, Change, RecordSet, Zone, canonical, record_set, suffixes
from mstdn.dns.zone_file import TARGETS, unquoted, written


class HetznerDns:
    title = "Hetzner"
    by_hand = False

    def __init__(self, token: SecretStr):
        self._hetzner = Hetzner(token)
        # What counts for record sets without a TTL of their own, by the zone's ID.
        self._ttls: dict[str, int] = {}

    def zones(self, name: str) -> Sequence[Zone]:
        found = []
        for suffix in suffixes(name):
            for zone in self._hetzner.all("list the DNS zones", "/zones", "zones", name=suffix):
                servers = zone.get("authoritative_nameservers", {}).get("assigned", [])
                self._ttls[str(zone["id"])] = zone["ttl"]
                found.append(
                    Zone(str(zone["id"]), zone["name"], tuple(sorted(each.rstrip(".").lower() for each in servers)))
                )
        return found

    def records(self, zone: Zone, name: str) -> Sequence[RecordSet]:
        sets = self._hetzner.all("list DNS records", f"/zones/{zone.id}/rrsets", "rrsets", name=_relative(name, zone))
        return [self._record_set(zone, each) for each in sets]

    def _record_set(self, zone: Zone, found: dict[str, Any]) -> RecordSet:
        kind = found["type"]
        values = [each["value"] for each in found["records"]]
        name = zone.name if found["name"] == "@" else f"{found['name']}.{zone.name}"
        texts = [unquoted(value) if kind == "TXT" else _absolute(kind, value, zone) for value in values]
        special = PROTECTED if found.get("protection", {}).get("change") else ""
        ttl = found.get("ttl") or self._ttls[zone.id]
        return record_set(name, kind, texts, ttl, special, dict(zip(texts, found["records"], strict=True)))

    def change(self, zone: Zone, change: Change) -> None:
        """
        Hetzner has no conditional change: a set is created, which fails where there is one, or its records are set
        after one more look. Another type in the way (a CNAME) goes first, since both cannot be there.
        """
        for old in change.remove:
            self._still_so(zone, old)
        add = change.add
        for old in change.remove:
            if add is None or old.type != add.type:
                self._hetzner.delete(f"remove the record {old.type} of {old.name}", self._path(zone, old))
        if add is None:
            return
        found = {value: record for old in change.remove if old.type == add.type for value, record in _as_found(old)}
        # What stays is sent as it was found, with the comment that somebody gave it.
        records = [found.get(value) or {"value": written(add.type, value)} for value in add.values]
        same = [old for old in change.remove if old.type == add.type]
        if same:
            doing, path = f"change the record {add.type} of {add.name}", f"{self._path(zone, add)}/actions"
            # First, since a TTL alone is no drift: after the records, nobody would come back for it.
            if same[0].ttl != add.ttl:
                self._hetzner.post(doing, f"{path}/change_ttl", {"ttl": add.ttl})
            self._hetzner.post(doing, f"{path}/set_records", {"records": records})
            return
        body = {
            "name": _relative(add.name, zone),
            "type": add.type,
            "ttl": add.ttl,
            "records": records,
            "labels": OURS,
        }
        try:
            self._hetzner.post(f"make the record {add.type} of {add.name}", f"/zones/{zone.id}/rrsets", body)
        except ProviderError as refused:
            if refused.code != "uniqueness_error":
                raise
            raise _changed_meanwhile(add) from None

    def _still_so(self, zone: Zone, old: RecordSet) -> None:
        now = [each for each in self.records(zone, old.name) if each.type == old.type]
        if now != [old]:
            raise _changed_meanwhile(old)

    def _path(self, zone: Zone, records: RecordSet) -> str:
        return f"/zones/{zone.id}/rrsets/{_relative(records.name, zone)}/{records.type}"


def _as_found(records: RecordSet) -> Iterator[tuple[str, dict[str, str]]]:
    """Each value in its canonical form, and its record as Hetzner has it."""
    assert isinstance(records.raw, dict)
    for value, record in records.raw.items():
        yield canonical(records.type, value), {name: record[name] for name in ("value", "comment") if record.get(name)}


def _changed_meanwhile(records: RecordSet) -> ProvisionError:
    return ProvisionError(
        f"Somebody changed the {records.type} record of {records.name} at the same moment. It was not touched; run "
        "again."
    )


def _relative(name: str, zone: Zone) -> str:
    return "@" if name == zone.name else name.removesuffix(f".{zone.name}")


def _absolute(kind: str, value: str, zone: Zone) -> str:
    """Targets without a final dot are relative to the zone."""
    if kind not in TARGETS or value.endswith("."):
        return value
    return f"{value}.{zone.name}"
