"""
route53.amazonaws.com, 2013-04-01, REST-XML. Forms: the model in botocore, and error bodies that people reported.

Strict: AWS's signature (version 4) is computed anew and compared; a batch is all or nothing; CREATE and DELETE want
exactly what is there; texts stand in quotes, each of at most 255 characters; a change is published when it is INSYNC.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import itertools
import re
import xml.etree.ElementTree as ElementTree
from typing import Any
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from mstdn.dns.zone_file import unquoted
from tests.stand_ins.internet import Request, Response
from tests.stand_ins.names import Names

HOST = "route53.amazonaws.com"
NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
ACCOUNT = "arn:aws:iam::123456789012:user/dns"


def refusal(status: int, code: str, message: str) -> Response:
    error = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
    text = f'<ErrorResponse xmlns="{NAMESPACE}"><Error>{error}</Error><RequestId>r-1</RequestId></ErrorResponse>'
    return _xml(status, text)


class RefusalError(Exception):
    def __init__(self, status: int, code: str, message: str):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class Route53StandIn:
    """`keys`: secrets by access key. `denied`: actions that the user may not do. `polls` until a change is INSYNC."""

    def __init__(self, names: Names, access_key: str = "AKIAROUTEFIFTYTHREE1", secret: str = "route53-canary"):
        self.names = names
        self.keys = {access_key: secret}
        self.denied: set[str] = set()
        self.polls = 1
        self.zones: dict[str, dict[str, Any]] = {}
        self.sets: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        self._changes: dict[str, tuple[str, int]] = {}
        self._ids = itertools.count(1)

    def add_zone(self, name: str, *, private: bool = False, servers: tuple[str, ...] = ()) -> str:
        """A zone of the account; its name servers are those it is delegated to unless others are given."""
        number = f"Z{next(self._ids):020d}"
        self.zones[number] = {"name": name, "private": private, "servers": servers or self.names.delegations[name]}
        self.sets[number] = {}
        return number

    def put_record(self, zone: str, name: str, kind: str, values: list[str], ttl: int = 3600, alias: str = "") -> None:
        """A record that somebody made before."""
        number = next(number for number, each in self.zones.items() if each["name"] == zone)
        # An alias has no TTL of its own.
        self.sets[number][name, kind] = {"ttl": 0 if alias else ttl, "values": values, "alias": alias}
        self._publish(number)

    def __call__(self, request: Request) -> Response:
        try:
            self._authenticate(request)
            return self._dispatch(request)
        except RefusalError as refused:
            return refusal(refused.status, refused.code, refused.message)

    def _authenticate(self, request: Request) -> None:
        """Source: docs.aws.amazon.com, "Signature Version 4 signing process"."""
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/route53/aws4_request, SignedHeaders=([\w;-]+), "
            r"Signature=([0-9a-f]{64})",
            request.headers.get("authorization", ""),
        )
        if match is None:
            raise RefusalError(403, "MissingAuthenticationToken", "Missing Authentication Token")
        access_key, day, region, signed, signature = match.groups()
        if access_key not in self.keys:
            raise RefusalError(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        if region != "us-east-1":
            raise RefusalError(
                403, "SignatureDoesNotMatch", f"Credential should be scoped to a valid region, not '{region}'."
            )
        names = signed.split(";")
        pairs = sorted(
            (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
            for name, value in parse_qsl(request.raw_query, keep_blank_values=True)
        )
        canonical = "\n".join(
            [
                request.method,
                quote(request.path, safe="/-_.~"),
                "&".join(f"{name}={value}" for name, value in pairs),
                *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
                "",
                signed,
                hashlib.sha256(request.body).hexdigest(),
            ]
        )
        scope = f"{day}/{region}/route53/aws4_request"
        stamp = request.headers["x-amz-date"]
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{self.keys[access_key]}".encode()
        for part in (day, region, "route53", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), signature):
            raise RefusalError(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided.",
            )

    def _dispatch(self, request: Request) -> Response:
        path = request.path.removeprefix("/2013-04-01")
        if path == "/hostedzonesbyname" and request.method == "GET":
            self._allow("ListHostedZonesByName")
            return self._zones_by_name(request)
        if (match := re.fullmatch(r"/hostedzone/(\w+)", path)) and request.method == "GET":
            self._allow("GetHostedZone")
            return self._zone(match[1])
        if match := re.fullmatch(r"/hostedzone/(\w+)/rrset/?", path):
            if match[1] not in self.zones:
                raise RefusalError(404, "NoSuchHostedZone", f"No hosted zone found with ID: {match[1]}")
            self._allow("ListResourceRecordSets" if request.method == "GET" else "ChangeResourceRecordSets")
            return self._list(match[1], request) if request.method == "GET" else self._change(match[1], request)
        if (match := re.fullmatch(r"/change/(\w+)", path)) and request.method == "GET":
            self._allow("GetChange")
            return self._status(match[1])
        raise RefusalError(404, "UnknownOperationException", str(request))

    def _allow(self, action: str) -> None:
        if action in self.denied:
            denied = f"is not authorized to perform: route53:{action} because no identity-based policy allows"
            raise RefusalError(403, "AccessDenied", f"User: {ACCOUNT} {denied} the route53:{action} action")

    def _zones_by_name(self, request: Request) -> Response:
        wanted = request.query.get("dnsname", "").rstrip(".")

        def key(number: str, name: str) -> tuple[list[str], str]:
            return name.split(".")[::-1], number

        size, start = int(request.query["maxitems"]), key(request.query.get("hostedzoneid", ""), wanted)
        if size > 100:
            raise RefusalError(400, "InvalidInput", "maxitems")
        every = sorted(key(number, zone["name"]) for number, zone in self.zones.items())
        found = [number for _, number in (each for each in every if each >= start)]
        items = "".join(self._zone_xml(number) for number in found[:size])
        more = ""
        if len(found) > size:
            name = self.zones[found[size]]["name"]
            more = f"<NextDNSName>{name}.</NextDNSName><NextHostedZoneId>{found[size]}</NextHostedZoneId>"
        truncated = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}<MaxItems>{size}</MaxItems>"
        body = f"<HostedZones>{items}</HostedZones>{truncated}"
        return _xml(200, f'<ListHostedZonesByNameResponse xmlns="{NAMESPACE}">{body}</ListHostedZonesByNameResponse>')

    def _zone_xml(self, number: str) -> str:
        zone = self.zones[number]
        private = str(zone["private"]).lower()
        return (
            f"<HostedZone><Id>/hostedzone/{number}</Id><Name>{zone['name']}.</Name><CallerReference>c</CallerReference>"
            f"<Config><PrivateZone>{private}</PrivateZone></Config></HostedZone>"
        )

    def _zone(self, number: str) -> Response:
        servers = "".join(f"<NameServer>{server}</NameServer>" for server in self.zones[number]["servers"])
        delegation = f"<DelegationSet><NameServers>{servers}</NameServers></DelegationSet>"
        body = f"{self._zone_xml(number)}{delegation}"
        return _xml(200, f'<GetHostedZoneResponse xmlns="{NAMESPACE}">{body}</GetHostedZoneResponse>')

    def _list(self, number: str, request: Request) -> Response:
        start = (request.query.get("name", "").rstrip("."), request.query.get("type", ""))
        sets = sorted(self.sets[number].items(), key=lambda each: (each[0][0].split(".")[::-1], each[0][1]))
        order = (start[0].split(".")[::-1], start[1])
        found = [each for each in sets if (each[0][0].split(".")[::-1], each[0][1]) >= order]
        size = int(request.query.get("maxitems", "100"))
        items = "".join(_set_xml(*key, value) for key, value in found[:size])
        more = ""
        if len(found) > size:
            (name, kind), _ = found[size]
            more = f"<NextRecordName>{name}.</NextRecordName><NextRecordType>{kind}</NextRecordType>"
        truncated = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}<MaxItems>{size}</MaxItems>"
        body = f"<ResourceRecordSets>{items}</ResourceRecordSets>{truncated}"
        return _xml(200, f'<ListResourceRecordSetsResponse xmlns="{NAMESPACE}">{body}</ListResourceRecordSetsResponse>')

    def _change(self, number: str, request: Request) -> Response:
        tree = ElementTree.fromstring(request.body)  # noqa: S314 (it comes from the test itself)
        if tree.tag != f"{{{NAMESPACE}}}ChangeResourceRecordSetsRequest":
            raise RefusalError(400, "InvalidInput", "malformed")
        sets = dict(self.sets[number])
        for change in tree.iter(f"{{{NAMESPACE}}}Change"):
            self._apply(sets, change, self.zones[number]["name"])
        self.sets[number] = sets
        name = f"C{next(self._ids):013d}"
        self._changes[name] = (number, self.polls)
        return _xml(200, self._change_xml("ChangeResourceRecordSetsResponse", name, "PENDING"))

    def _apply(self, sets: dict[tuple[str, str], dict[str, Any]], change: ElementTree.Element, zone: str) -> None:
        def text(element: ElementTree.Element, name: str) -> str:
            return element.findtext(f"{{{NAMESPACE}}}{name}") or ""

        action, found = text(change, "Action"), change.find(f"{{{NAMESPACE}}}ResourceRecordSet")
        assert found is not None
        name, kind = text(found, "Name").rstrip("."), text(found, "Type")
        values = [each.text or "" for each in found.iter(f"{{{NAMESPACE}}}Value")]
        alias = next((each.text or "" for each in found.iter(f"{{{NAMESPACE}}}DNSName")), "").rstrip(".")
        new = {"ttl": int(text(found, "TTL") or 0), "values": values, "alias": alias}
        where = f"[name='{name}.', type='{kind}']"
        if not (name == zone or name.endswith(f".{zone}")):
            raise _invalid(f"RRSet with DNS name {name}. is not permitted in zone {zone}.")
        if action == "DELETE":
            old = sets.get((name, kind))
            if old is None:
                raise _invalid(f"Tried to delete resource record set {where} but it was not found")
            if (old["ttl"], sorted(old["values"]), old["alias"]) != (new["ttl"], sorted(values), alias):
                raise _invalid(
                    f"Tried to delete resource record set {where} but the values provided do not match the current "
                    "values"
                )
            del sets[name, kind]
            return
        if action == "CREATE" and (name, kind) in sets:
            raise _invalid(f"Tried to create resource record set {where} but it already exists")
        for other_name, other in sets:
            if other_name == name and "CNAME" in (kind, other) and kind != other:
                raise _invalid(
                    f"RRSet of type {kind} with DNS name {name}. is not permitted because a conflicting RRSet of type  "
                    f"{other} with the same DNS name already exists in zone {zone}."
                )
        for value in values:
            _check(kind, value)
        sets[name, kind] = new

    def _status(self, name: str) -> Response:
        number, polls = self._changes[name]
        self._changes[name] = (number, polls - 1)
        if polls > 0:
            return _xml(200, self._change_xml("GetChangeResponse", name, "PENDING"))
        self._publish(number)
        return _xml(200, self._change_xml("GetChangeResponse", name, "INSYNC"))

    def settle(self) -> None:
        """Time passes: what was accepted is published."""
        for number, zone in self.zones.items():
            if not zone["private"]:
                self._publish(number)

    def _publish(self, number: str) -> None:
        zone = self.zones[number]["name"]
        if tuple(self.zones[number]["servers"]) != tuple(self.names.delegations[zone]):
            return
        records = {
            (name, kind): (
                found["ttl"],
                tuple(unquoted(value) if kind == "TXT" else value for value in found["values"]),
            )
            for (name, kind), found in self.sets[number].items()
            if not found["alias"]
        }
        self.names.replace(zone, records)

    def _change_xml(self, tag: str, name: str, status: str) -> str:
        info = f"<Id>/change/{name}</Id><Status>{status}</Status><SubmittedAt>2026-11-25T12:00:00Z</SubmittedAt>"
        return f'<{tag} xmlns="{NAMESPACE}"><ChangeInfo>{info}</ChangeInfo></{tag}>'


def _invalid(message: str) -> RefusalError:
    return RefusalError(400, "InvalidChangeBatch", f"[{message}]")


def _check(kind: str, value: str) -> None:
    if kind in ("A", "AAAA"):
        try:
            fits = ipaddress.ip_address(value).version == (4 if kind == "A" else 6)
        except ValueError:
            fits = False
        if not fits:
            raise _invalid(
                f"Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address' encountered with '{value}'"
            )
    if kind == "TXT":
        strings = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
        if not re.fullmatch(r'("((?:[^"\\]|\\.)*)"\s*)+', value):
            raise _invalid(
                "Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in "
                "quotation "
                f"marks) encountered with '{value}'"
            )
        if any(len(string) > 255 for string in strings):
            raise _invalid(
                "Invalid Resource Record: 'FATAL problem: CharacterStringTooLong (Value is too long) encountered with "
                f"'{value}'"
            )


def _set_xml(name: str, kind: str, found: dict[str, Any]) -> str:
    if found["alias"]:
        target = f"<HostedZoneId>Z2</HostedZoneId><DNSName>{found['alias']}.</DNSName>"
        rest = f"<AliasTarget>{target}<EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>"
    else:
        values = "".join(f"<ResourceRecord><Value>{escape(each)}</Value></ResourceRecord>" for each in found["values"])
        rest = f"<TTL>{found['ttl']}</TTL><ResourceRecords>{values}</ResourceRecords>"
    return f"<ResourceRecordSet><Name>{name}.</Name><Type>{kind}</Type>{rest}</ResourceRecordSet>"


def _xml(status: int, text: str) -> Response:
    return Response(status, f'<?xml version="1.0"?>\n{text}'.encode(), {"Content-Type": "text/xml"})
