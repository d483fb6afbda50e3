"""api.cloudflare.com, version 4: zones and DNS records. Forms: developers.cloudflare.com/api."""

from __future__ import annotations

import ipaddress
import itertools
import re
from typing import Any

from mstdn.dns.zone_file import unquoted
from tests.stand_ins.internet import Request, Response, answer
from tests.stand_ins.names import Names

HOST = "api.cloudflare.com"


def error(status: int, code: int, message: str, **more: Any) -> Response:
    body = {"success": False, "errors": [{"code": code, "message": message} | more], "messages": [], "result": None}
    return answer(status, body)


class CloudflareStandIn:
    """`may_edit`: what the token may do beyond reading."""

    def __init__(self, names: Names, token: str = "cloudflare-canary"):
        self.names, self.token, self.may_edit = names, token, True
        self.zones: dict[str, dict[str, Any]] = {}
        self.records: dict[str, dict[str, dict[str, Any]]] = {}
        self._ids = itertools.count(1)

    def add_zone(self, name: str) -> None:
        """A zone of the account, served by the name servers it is delegated to."""
        number = f"{next(self._ids):032x}"
        servers = list(self.names.delegations[name])
        self.zones[number] = {"id": number, "name": name, "status": "active", "name_servers": servers}
        self.records[number] = {}

    def __call__(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not re.fullmatch(r"Bearer [\w-]+", given):
            chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
            return error(400, 6003, "Invalid request headers", error_chain=chain)
        if given != f"Bearer {self.token}":
            return error(401, 1000, "Invalid API Token")
        path = request.path.removeprefix("/client/v4")
        if path == "/zones" and request.method == "GET":
            found = [each for each in self.zones.values() if each["name"] == request.query.get("name", each["name"])]
            return self._page(request, found)
        match = re.fullmatch(r"/zones/(\w{32})/dns_records(/batch)?", path)
        if match is None or match[1] not in self.zones:
            return error(404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?")
        if request.method == "GET":
            name = request.query.get("name.exact")
            records = [each for each in self.records[match[1]].values() if name in (None, each["name"])]
            return self._page(request, records)
        if not self.may_edit:
            return error(403, 10000, "Authentication error")
        return self._batch(match[1], request.json)

    def _page(self, request: Request, found: list[dict[str, Any]]) -> Response:
        page, size = int(request.query.get("page", "1")), int(request.query.get("per_page", "20"))
        info = {"page": page, "per_page": size, "total_pages": max(1, -(-len(found) // size)), "count": len(found)}
        part = found[(page - 1) * size : page * size]
        return answer(200, {"success": True, "errors": [], "messages": [], "result": part, "result_info": info})

    def _batch(self, zone: str, body: dict[str, Any]) -> Response:
        """Deletions, then new records; all or nothing."""
        records = dict(self.records[zone])
        for each in body.get("deletes", []):
            if each["id"] not in records:
                return error(404, 81044, "Record does not exist.")
            del records[each["id"]]
        for each in body.get("posts", []):
            refusal = self._fault(each, list(records.values()), self.zones[zone]["name"])
            if refusal is not None:
                return refusal
            number = f"{next(self._ids):032x}"
            records[number] = {"proxied": False} | each | {"id": number}
        self.records[zone] = records
        self._publish(zone)
        return answer(200, {"success": True, "errors": [], "messages": [], "result": {}})

    def put_record(self, zone: str, name: str, kind: str, value: str, ttl: int = 3600, proxied: bool = False) -> None:
        """A record that somebody made before."""
        number = next(number for number, each in self.zones.items() if each["name"] == zone)
        record = {"id": f"{next(self._ids):032x}", "name": name, "type": kind, "content": value, "ttl": ttl}
        self.records[number][record["id"]] = record | {"proxied": proxied}  # type: ignore[index]
        self._publish(number)

    def _fault(self, body: dict[str, Any], records: list[dict[str, Any]], zone: str) -> Response | None:
        kind, name, content = body["type"], body["name"], body["content"]
        if not (name == zone or name.endswith(f".{zone}")):
            return error(400, 9005, "Content for record is invalid")
        if kind in ("A", "AAAA") and not _is_address(kind, content):
            return error(400, 9005, f"Content for {kind} record must be a valid address.")
        if kind == "TXT" and not re.fullmatch(r'("((?:[^"\\]|\\.){0,255})"\s*)+', content):
            return error(400, 9207, "Content for TXT record is invalid.")
        if body["ttl"] != 1 and not 60 <= body["ttl"] <= 86400:
            return error(400, 9021, "Invalid TTL. Must be between 60 and 86,400 seconds, or 1 for Automatic.")
        same = [each for each in records if each["name"] == name]
        if any((each["type"], each["content"]) == (kind, content) for each in same):
            return error(400, 81058, "An identical record already exists.")
        addresses = ("A", "AAAA", "CNAME")
        # Other types may stand beside a CNAME (API reference, Create DNS Record).
        if any("CNAME" in (each["type"], kind) and {each["type"], kind} <= set(addresses) for each in same):
            return error(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
        return None

    def _publish(self, zone: str) -> None:
        name = self.zones[zone]["name"]
        published: dict[tuple[str, str], tuple[int, tuple[str, ...]]] = {}
        for record in self.records[zone].values():
            key = (record["name"], record["type"])
            value = unquoted(record["content"]) if record["type"] == "TXT" else record["content"]
            value = f"{record['priority']} {value}." if record["type"] == "MX" else value
            value = f"{value.rstrip('.')}." if record["type"] == "CNAME" else value
            if record["proxied"]:
                # Of its own, and of both families, whatever the record says.
                published[record["name"], "A"] = (300, ("104.16.0.1",))
                published[record["name"], "AAAA"] = (300, ("2606:4700::6810:1",))
                continue
            there = published.get(key, (0, ()))[1]
            published[key] = (max(record["ttl"], 60), (*there, value))
        self.names.replace(name, published)


def _is_address(kind: str, content: str) -> bool:
    try:
        return ipaddress.ip_address(content).version == (4 if kind == "A" else 6)
    except ValueError:
        return False
