"""
api.hetzner.cloud, version 1: servers, addresses, keys, firewalls, zones. Forms: docs.hetzner.cloud.

Strict: the token, who may write, names that are unique, forms of bodies, TXT in quotes, actions that end later.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from mstdn.dns.zone_file import unquoted
from tests.stand_ins.data_centre import EVERYTHING, BareMachine, DataCentre, Opening
from tests.stand_ins.internet import Request, Response, answer
from tests.stand_ins.names import Names

HOST = "api.hetzner.cloud"
LOCATIONS = ("fsn1", "nbg1", "hel1")
# Where each is sold.
TYPES = {"cx22": (), "cx23": LOCATIONS, "cx33": ("fsn1", "hel1"), "cx43": LOCATIONS}
SOLD_OUT = ("cx43",)
NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?")


def error(status: int, code: str, message: str, details: Any = None, **headers: str) -> Response:
    return answer(status, {"error": {"code": code, "message": message, "details": details}}, **headers)


class RefusalError(Exception):
    def __init__(self, status: int, code: str, message: str, details: Any = None):
        super().__init__(code)
        self.response = error(status, code, message, details)


def invalid(*fields: str) -> RefusalError:
    details = {"fields": [{"name": name, "messages": [f"invalid {name}"]} for name in fields]}
    return RefusalError(422, "invalid_input", f"invalid input in field '{fields[0]}'", details)


class HetznerStandIn:
    """`polls`: how often an action is still running when it is asked for. `failing`: errors of actions by command."""

    def __init__(self, names: Names, centre: DataCentre, token: str = "hetzner-canary", polls: int = 1):
        self.names, self.centre, self.token, self.polls = names, centre, token, polls
        self.read_only: set[str] = set()
        self.servers: dict[int, dict[str, Any]] = {}
        self.primary_ips: dict[int, dict[str, Any]] = {}
        self.ssh_keys: dict[int, dict[str, Any]] = {}
        self.firewalls: dict[int, dict[str, Any]] = {}
        self.zones: dict[int, dict[str, Any]] = {}
        self.rrsets: dict[int, dict[tuple[str, str], dict[str, Any]]] = {}
        self.failing: dict[str, tuple[str, str]] = {}
        self._actions: dict[int, tuple[dict[str, Any], int, Callable[[], None]]] = {}
        self._ids = itertools.count(101)

    def add_zone(self, name: str) -> None:
        """A zone of the account, served by the name servers it is delegated to."""
        number = next(self._ids)
        servers = [f"{each}." for each in self.names.delegations[name]]
        self.zones[number] = {
            "id": number,
            "name": name,
            "mode": "primary",
            "ttl": 3600,
            "authoritative_nameservers": {"assigned": servers},
        }
        self.rrsets[number] = {}

    def __call__(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        token = given.removeprefix("Bearer ")
        if not given.startswith("Bearer ") or token not in {self.token, *self.read_only}:
            return error(401, "unauthorized", "the token you have provided is invalid")
        if request.method != "GET" and token in self.read_only:
            return error(403, "token_readonly", "token is only allowed to perform GET requests")
        for pattern, method in self._routes():
            match = re.fullmatch(f"/v1{pattern}", request.path)
            if match and method.__name__.split("_")[0] == request.method.lower():
                try:
                    result: Response = method(request, *match.groups())
                except RefusalError as refusal:
                    return refusal.response
                return result
        return error(404, "not_found", f"no such path: {request}")

    def _routes(self) -> tuple[tuple[str, Callable[..., Response]], ...]:
        return (
            (r"/(servers|primary_ips|ssh_keys|firewalls|zones)", self.get_list),
            (r"/(locations|server_types)", self.get_offer),
            (r"/actions/(\d+)", self.get_action),
            (r"/primary_ips/(\d+)", self.get_address),
            (r"/primary_ips/(\d+)", self.put_address),
            (r"/primary_ips", self.post_address),
            (r"/ssh_keys", self.post_key),
            (r"/servers", self.post_server),
            (r"/servers/(\d+)", self.put_server),
            (r"/servers/(\d+)/actions/(\w+)", self.post_server_action),
            (r"/firewalls", self.post_firewall),
            (r"/firewalls/(\d+)/actions/(\w+)", self.post_firewall_action),
            (r"/zones/(\d+)/rrsets", self.get_rrsets),
            (r"/zones/(\d+)/rrsets", self.post_rrset),
            (r"/zones/(\d+)/rrsets/([^/]+)/([A-Z]+)/actions/set_records", self.post_records),
            (r"/zones/(\d+)/rrsets/([^/]+)/([A-Z]+)/actions/change_ttl", self.post_ttl),
            (r"/zones/(\d+)/rrsets/([^/]+)/([A-Z]+)", self.delete_rrset),
        )

    def get_list(self, request: Request, kind: str) -> Response:
        found = list(getattr(self, kind).values())
        for filter_by in ("name", "fingerprint"):
            if filter_by in request.query:
                found = [each for each in found if each[filter_by] == request.query[filter_by]]
        return self._page(request, kind, found)

    def _page(self, request: Request, key: str, found: list[dict[str, Any]]) -> Response:
        page, size = int(request.query.get("page", "1")), int(request.query.get("per_page", "25"))
        if size > 50:
            raise invalid("per_page")
        last = max(1, -(-len(found) // size))
        pagination = {"page": page, "per_page": size, "next_page": page + 1 if page < last else None}
        return answer(200, {key: found[(page - 1) * size : page * size], "meta": {"pagination": pagination}})

    def get_offer(self, request: Request, kind: str) -> Response:
        offered: list[dict[str, Any]] = [{"name": name} for name in LOCATIONS]
        if kind == "server_types":
            offered = [{"name": name, "locations": _offer(name, places)} for name, places in TYPES.items()]
        return self._page(request, kind, offered)

    def get_action(self, request: Request, number: str) -> Response:
        action, polls, effect = self._actions[int(number)]
        if action["status"] == "running" and polls <= 0:
            self._finish(action, effect)
        self._actions[int(number)] = (action, polls - 1, effect)
        return answer(200, {"action": action})

    def _action(self, command: str, effect: Callable[[], None] = lambda: None) -> dict[str, Any]:
        action: dict[str, Any] = {"id": next(self._ids), "command": command, "status": "running", "error": None}
        self._actions[action["id"]] = (action, self.polls - 1, effect)
        return dict(action)

    def _finish(self, action: dict[str, Any], effect: Callable[[], None]) -> None:
        code, message = self.failing.get(action["command"], ("", ""))
        action["status"] = "error" if code else "success"
        action["error"] = {"code": code, "message": message} if code else None
        if not code:
            effect()

    def settle(self) -> None:
        """Time passes: whatever runs, ends."""
        for action, _, effect in self._actions.values():
            if action["status"] == "running":
                self._finish(action, effect)

    def get_address(self, request: Request, number: str) -> Response:
        return answer(200, {"primary_ip": self.primary_ips[int(number)]})

    def put_address(self, request: Request, number: str) -> Response:
        self.primary_ips[int(number)] |= _only(request.json, "auto_delete", "name", "labels")
        return answer(200, {"primary_ip": self.primary_ips[int(number)]})

    def post_address(self, request: Request) -> Response:
        body = _only(request.json, "name", "type", "assignee_type", "location", "auto_delete", "labels", "assignee_id")
        self._check_name(body, self.primary_ips)
        if body.get("location") not in LOCATIONS:
            raise invalid("location")
        if body.get("assignee_type") != "server" or body.get("type") not in ("ipv4", "ipv6"):
            raise invalid("type")
        return answer(
            201, {"primary_ip": self._address(body["name"], body["type"], body["auto_delete"], body["location"])}
        )

    def _address(self, name: str, family: str, auto_delete: bool, location: str) -> dict[str, Any]:
        number = next(self._ids)
        ip = self.centre.ipv4() if family == "ipv4" else self.centre.ipv6()
        found = {
            "id": number,
            "name": name,
            "ip": ip,
            "type": family,
            "auto_delete": auto_delete,
            "assignee_id": None,
            "location": {"name": location},
        }
        self.primary_ips[number] = found
        return found

    def post_key(self, request: Request) -> Response:
        body = _only(request.json, "name", "public_key", "labels")
        kind, _, rest = body["public_key"].partition(" ")
        if not kind.startswith("ssh-"):
            raise invalid("public_key")
        digest = hashlib.md5(base64.b64decode(rest.split()[0]), usedforsecurity=False).hexdigest()
        fingerprint = ":".join(digest[start : start + 2] for start in range(0, 32, 2))
        self._check_name(body, self.ssh_keys)
        if fingerprint in [each["fingerprint"] for each in self.ssh_keys.values()]:
            raise RefusalError(409, "uniqueness_error", "SSH key not unique")
        number = next(self._ids)
        self.ssh_keys[number] = body | {"id": number, "fingerprint": fingerprint}
        return answer(201, {"ssh_key": self.ssh_keys[number]})

    def post_server(self, request: Request) -> Response:
        fields = ("name", "server_type", "location", "image", "ssh_keys", "labels", "public_net", "start_after_create")
        body = _only(request.json, *fields)
        self._check_name(body, self.servers)
        if body["location"] not in LOCATIONS:
            raise invalid("location")
        if body["server_type"] not in TYPES:
            raise invalid("server_type")
        if body["location"] not in TYPES[body["server_type"]]:
            raise RefusalError(422, "invalid_input", "unsupported location for server type")
        if not set(body["ssh_keys"]) <= set(self.ssh_keys):
            raise RefusalError(404, "not_found", "SSH key not found")
        net = body["public_net"]
        addresses = {}
        for family in ("ipv4", "ipv6"):
            found = (
                self.primary_ips[net[family]]
                if family in net
                else self._address(f"auto-{family}", family, True, body["location"])
            )
            if found["assignee_id"]:
                raise RefusalError(422, "primary_ip_assigned", "Primary IP is already assigned to a server")
            if found["location"]["name"] != body["location"]:
                raise RefusalError(422, "primary_ip_datacenter_mismatch", "Primary IP is in a different location")
            if found["type"] != family:
                raise RefusalError(422, "primary_ip_version_mismatch", "Primary IP has the wrong IP version")
            addresses[family] = found
        number = next(self._ids)
        server = {
            "id": number,
            "name": body["name"],
            "status": "initializing",
            "labels": body.get("labels", {}),
            "server_type": {"name": body["server_type"]},
            "location": {"name": body["location"]},
            "protection": {"delete": False, "rebuild": False},
            "public_net": {family: {"id": each["id"], "ip": each["ip"]} for family, each in addresses.items()},
        }
        for each in addresses.values():
            each["assignee_id"] = number

        def running() -> None:
            server["status"] = "running"
            keys = tuple(self.ssh_keys[each]["public_key"] for each in body["ssh_keys"])
            ipv6 = addresses["ipv6"]["ip"].replace("/64", "1")
            self.centre.boot(BareMachine(body["image"], addresses["ipv4"]["ip"], ipv6, {"root": keys}))

        def gone() -> None:
            self.servers.pop(number, None)

        self.servers[number] = server
        if "create_server" in self.failing:
            gone()
            for each in addresses.values():
                each["assignee_id"] = None
        action = self._action("create_server", running)
        return answer(201, {"server": server, "action": action, "next_actions": [], "root_password": None})

    def put_server(self, request: Request, number: str) -> Response:
        self.servers[int(number)] |= _only(request.json, "name", "labels")
        return answer(200, {"server": self.servers[int(number)]})

    def post_server_action(self, request: Request, number: str, command: str) -> Response:
        server = self.servers[int(number)]
        if command == "change_protection":
            body = _only(request.json, "delete", "rebuild")
            if body.get("delete") != body.get("rebuild"):
                raise invalid("rebuild")
            return answer(201, {"action": self._action(command, lambda: server["protection"].update(body))})
        if command == "poweron":
            return answer(201, {"action": self._action(command, lambda: server.update(status="running"))})
        raise RefusalError(404, "not_found", command)

    def post_firewall(self, request: Request) -> Response:
        body = _only(request.json, "name", "labels", "rules", "apply_to")
        self._check_name(body, self.firewalls)
        number = next(self._ids)
        self.firewalls[number] = {
            "id": number,
            "name": body["name"],
            "labels": body["labels"],
            "rules": _checked_rules(body["rules"]),
            "applied_to": body["apply_to"],
        }
        return answer(201, {"firewall": self.firewalls[number], "actions": [self._action("set_firewall_rules")]})

    def post_firewall_action(self, request: Request, number: str, command: str) -> Response:
        firewall = self.firewalls[int(number)]
        if command == "set_rules":
            rules = _checked_rules(_only(request.json, "rules")["rules"])
            return answer(201, {"actions": [self._action(command, lambda: firewall.update(rules=rules))]})
        if command == "apply_to_resources":
            more = _only(request.json, "apply_to")["apply_to"]
            if any(each in firewall["applied_to"] for each in more):
                raise RefusalError(422, "firewall_already_applied", "firewall was already applied on resource")
            return answer(201, {"actions": [self._action(command, lambda: firewall["applied_to"].extend(more))]})
        raise RefusalError(404, "not_found", command)

    def openings(self) -> dict[str, tuple[Opening, ...]]:
        """What reaches each machine, by its address: everything, unless a firewall applies to it."""
        return {each["public_net"]["ipv4"]["ip"]: tuple(self._openings_of(each)) for each in self.servers.values()}

    def _openings_of(self, server: dict[str, Any]) -> Iterator[Opening]:
        labels = {"=".join(pair) for pair in server["labels"].items()}
        applied = [
            firewall
            for firewall in self.firewalls.values()
            if labels & {each["label_selector"]["selector"] for each in firewall["applied_to"]}
        ]
        if not applied:
            yield EVERYTHING
        for firewall in applied:
            for rule in firewall["rules"]:
                if rule["direction"] == "in":
                    sources = tuple(each for each in rule["source_ips"] if ":" not in each)
                    yield Opening(rule["protocol"], (rule["port"],) if rule["port"] else (), sources)

    def lets_in(self, port: int) -> bool:
        """True if a visitor from anywhere gets through to a server at this port."""
        return any(opening.lets_in(port) for openings in self.openings().values() for opening in openings)

    def _own_rrsets(self, number: str) -> dict[tuple[str, str], dict[str, Any]]:
        if self.zones[int(number)]["mode"] != "primary":
            raise RefusalError(422, "incorrect_zone_mode", "This operation is not supported for this Zone's mode.")
        return self.rrsets[int(number)]

    def _changeable(self, number: str, name: str, kind: str) -> dict[str, Any]:
        found = self._own_rrsets(number).get((name, kind))
        if found is None:
            raise RefusalError(404, "not_found", "RRSet not found")
        if found["protection"]["change"]:
            raise RefusalError(423, "protected", "RRSet is protected")
        return found

    def get_rrsets(self, request: Request, number: str) -> Response:
        found = [
            each
            for each in self._own_rrsets(number).values()
            if request.query.get("name", each["name"]) == each["name"]
        ]
        return self._page(request, "rrsets", found)

    def post_rrset(self, request: Request, number: str) -> Response:
        body = _only(request.json, "name", "type", "ttl", "records", "labels")
        sets, zone = self._own_rrsets(number), self.zones[int(number)]["name"]
        name, kind = body["name"], body["type"]
        if (name, kind) in sets:
            raise RefusalError(409, "uniqueness_error", f"RRSet {name}/{kind} already exists")
        if name.endswith((zone, ".")):
            raise invalid("name")
        if (kind == "CNAME" and any(each == name for each, _ in sets)) or (name, "CNAME") in sets:
            raise RefusalError(422, "invalid_input", "CNAME records cannot coexist with other records")
        self._store(int(number), name, kind, body["ttl"], body["records"])
        action = self._action("create_rrset", lambda: self._publish(int(number), name, kind))
        return answer(201, {"rrset": sets[name, kind], "action": action})

    def post_records(self, request: Request, number: str, name: str, kind: str) -> Response:
        old = self._changeable(number, name, kind)
        self._store(int(number), name, kind, old["ttl"], _only(request.json, "records")["records"])
        action = self._action("set_rrset_records", lambda: self._publish(int(number), name, kind))
        return answer(201, {"action": action})

    def post_ttl(self, request: Request, number: str, name: str, kind: str) -> Response:
        found, ttl = self._changeable(number, name, kind), _only(request.json, "ttl")["ttl"]
        found["ttl"] = ttl
        return answer(201, {"action": self._action("change_rrset_ttl", lambda: self._publish(int(number), name, kind))})

    def delete_rrset(self, request: Request, number: str, name: str, kind: str) -> Response:
        self._changeable(number, name, kind)
        del self.rrsets[int(number)][name, kind]
        return answer(201, {"action": self._action("delete_rrset", lambda: self._publish(int(number), name, kind))})

    def put_record(self, zone: str, name: str, kind: str, values: list[str], ttl: int = 3600) -> None:
        """A record that somebody made before."""
        number = next(number for number, each in self.zones.items() if each["name"] == zone)
        relative = "@" if name == zone else name.removesuffix(f".{zone}")
        self._store(number, relative, kind, ttl, [{"value": value} for value in values])
        self._publish(number, relative, kind)

    def _store(self, number: int, name: str, kind: str, ttl: int, records: list[dict[str, str]]) -> None:
        for record in records:
            value = record["value"]
            if kind == "TXT" and not re.fullmatch(r'("((?:[^"\\]|\\.){0,255})"\s*)+', value):
                raise invalid("records")
            if kind == "A" and not re.fullmatch(r"\d+\.\d+\.\d+\.\d+", value):
                raise invalid("records")
        if not 60 <= ttl <= 2147483647:
            raise invalid("ttl")
        self.rrsets[number][name, kind] = {
            "id": f"{name}/{kind}",
            "name": name,
            "type": kind,
            "ttl": ttl,
            "records": [{"value": each["value"], "comment": each.get("comment", "")} for each in records],
            "protection": {"change": False},
        }

    def _publish(self, number: int, name: str, kind: str) -> None:
        zone = self.zones[number]["name"]
        found = self.rrsets[number].get((name, kind))
        full = zone if name == "@" else f"{name}.{zone}"
        values = (
            ()
            if found is None
            else tuple(unquoted(each["value"]) if kind == "TXT" else each["value"] for each in found["records"])
        )
        ttl = found["ttl"] if found else None
        self.names.publish(zone, full, kind, ttl or self.zones[number]["ttl"], values)

    def _check_name(self, body: dict[str, Any], existing: dict[int, dict[str, Any]]) -> None:
        if not NAME.fullmatch(body.get("name", "")):
            raise invalid("name")
        if body["name"] in [each["name"] for each in existing.values()]:
            raise RefusalError(409, "uniqueness_error", "name is already used")


def _offer(name: str, places: tuple[str, ...]) -> list[dict[str, Any]]:
    """A type that goes is announced for each location; one that is there may be sold out."""
    return [
        {
            "name": place,
            "deprecation": None if place in places else {"announced": "2025-09-24", "unavailable_after": "2025-12-31"},
            "available": name not in SOLD_OUT,
        }
        for place in LOCATIONS
    ]


def _only(body: dict[str, Any], *fields: str) -> dict[str, Any]:
    """The body, which must have no field that the real one does not know."""
    unknown = [name for name in body if name not in fields]
    if unknown:
        raise invalid(*unknown)
    return body


def _checked_rules(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for rule in rules:
        needs_port = rule["protocol"] in ("tcp", "udp")
        if needs_port != ("port" in rule) or rule["direction"] not in ("in", "out"):
            raise invalid("rules")
        if not rule.get("source_ips" if rule["direction"] == "in" else "destination_ips"):
            raise invalid("rules")
    return [{"port": None, "description": None, "source_ips": [], "destination_ips": []} | rule for rule in rules]
