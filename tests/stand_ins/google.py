"""
oauth2.googleapis.com and compute.googleapis.com. Forms: compute/v1's reference, and error bodies that people reported.

Strict: the login's signature, audience and times; rights; names; fingerprints; a repeated requestId is the same
operation; operations end later, `wait` may return before, and what failed says so in the operation only.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.stand_ins.data_centre import BareMachine, DataCentre, Opening
from tests.stand_ins.internet import Request, Response, answer

TOKEN_HOST = "oauth2.googleapis.com"
HOST = "compute.googleapis.com"
TOKEN_URL = f"https://{TOKEN_HOST}/token"
ACCOUNT = "provision@my-project.iam.gserviceaccount.com"
ZONES = ("us-west1-a", "us-west1-b", "us-west1-c", "europe-west3-a")
MACHINE_TYPES = ("e2-micro", "e2-small", "e2-medium", "n2-standard-2")
DISK_TYPES = ("pd-balanced", "pd-ssd", "pd-standard")
ALREADY_EXISTS = {"code": "RESOURCE_ALREADY_EXISTS", "message": "The resource already exists"}
NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def error(status: int, reason: str, message: str) -> Response:
    one = {"message": message, "domain": "global", "reason": reason}
    return answer(status, {"error": {"code": status, "message": message, "errors": [one]}})


class RefusalError(Exception):
    def __init__(self, status: int, reason: str, message: str):
        super().__init__(reason)
        self.response = error(status, reason, message)


class GoogleStandIn:
    """
    `denied`: rights that the account lacks. `exhausted`: zones without machines, and those named instead.
    `polls`: how often an operation's wait returns before it is done.
    """

    def __init__(self, centre: DataCentre, project: str = "my-project"):
        self.centre, self.project = centre, project
        self.enabled = True
        self.denied: set[str] = set()
        self.exhausted: dict[str, str] = {}
        self.address_quota = 8
        self.polls = 1
        self.addresses: dict[tuple[str, str], dict[str, Any]] = {}
        self.firewalls: dict[str, dict[str, Any]] = {}
        self.instances: dict[tuple[str, str], dict[str, Any]] = {}
        self.disks: dict[tuple[str, str], dict[str, Any]] = {}
        self.token = "google-canary-token"
        self.refresh_token, self.client_secret = "google-canary-refresh", "google-canary-client"
        self._key = _private_key()
        self.key_exists = True
        self._operations: dict[str, tuple[dict[str, Any], int, Callable[[], dict[str, Any] | None]]] = {}
        self._requests: dict[str, str] = {}
        self._ids = itertools.count(1)

    def key_file(self, directory: Path) -> Path:
        """The account's key, as the console hands it out."""
        file = directory / "provision-key.json"
        file.write_text(json.dumps(self.key()))
        file.chmod(0o600)
        return file

    def key(self) -> dict[str, str]:
        """What stands in the file of the account's key."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        return {
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": "1",
            "private_key": pem,
            "client_email": ACCOUNT,
            "token_uri": TOKEN_URL,
        }

    def person(self, home: Path) -> Path:
        """What `gcloud auth application-default login` leaves in a person's home."""
        file = home / ".config" / "gcloud" / "application_default_credentials.json"
        file.parent.mkdir(parents=True)
        login = {"type": "authorized_user", "client_id": "1.apps.googleusercontent.com"}
        file.write_text(json.dumps(login | {"client_secret": self.client_secret, "refresh_token": self.refresh_token}))
        return file

    def login(self, request: Request) -> Response:
        """POST /token."""
        form = dict(parse_qsl(request.body.decode()))
        if form.get("grant_type") == "refresh_token":
            if (form.get("refresh_token"), form.get("client_secret")) != (self.refresh_token, self.client_secret):
                words = "Token has been expired or revoked."
                return answer(400, {"error": "invalid_grant", "error_description": words})
            return answer(200, {"access_token": self.token, "expires_in": 3599, "token_type": "Bearer"})
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return answer(400, {"error": "unsupported_grant_type"})
        head, claims_part, signature = form["assertion"].split(".")
        try:
            self._key.public_key().verify(
                _decoded(signature), f"{head}.{claims_part}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
            genuine = self.key_exists
        except InvalidSignature:
            genuine = False
        if not genuine:
            return answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        claims, now = json.loads(_decoded(claims_part)), time.time()
        if claims["aud"] != TOKEN_URL or claims["iss"] != ACCOUNT or "compute" not in claims["scope"]:
            return answer(
                400, {"error": "invalid_scope", "error_description": "Invalid OAuth scope or ID token audience."}
            )
        if not (claims["iat"] - 300 <= now <= claims["exp"] <= claims["iat"] + 3600):
            words = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
            return answer(400, {"error": "invalid_grant", "error_description": words})
        return answer(200, {"access_token": self.token, "expires_in": 3599, "token_type": "Bearer"})

    def __call__(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return error(401, "authError", "Request had invalid authentication credentials.")
        prefix = f"/compute/v1/projects/{self.project}"
        if not request.path.startswith(f"{prefix}/"):
            return error(404, "notFound", f"The resource 'projects/{request.path.split('/')[4]}' was not found")
        if not self.enabled:
            words = (
                f"Compute Engine API has not been used in project {self.project} before or it is disabled. Enable "
                "it by "
                "visiting https://console.developers.google.com then retry."
            )
            return error(403, "accessNotConfigured", words)
        for method, pattern, function in self._routes():
            match = re.fullmatch(pattern, request.path.removeprefix(prefix))
            if match and method == request.method:
                try:
                    result: Response = function(request, *match.groups())
                except RefusalError as refusal:
                    return refusal.response
                return result
        return error(404, "notFound", f"no such path: {request}")

    def _routes(self) -> tuple[tuple[str, str, Callable[..., Response]], ...]:
        zone = r"/zones/([\w-]+)"
        return (
            ("GET", "/zones", lambda request: self._names(ZONES)),
            ("GET", f"{zone}/machineTypes", lambda request, zone: self._names(MACHINE_TYPES)),
            ("GET", f"{zone}/diskTypes", lambda request, zone: self._names(DISK_TYPES)),
            ("GET", r"/regions/([\w-]+)/addresses/([\w-]+)", self._get_address),
            ("POST", r"/regions/([\w-]+)/addresses", self._post_address),
            ("GET", "/global/firewalls", lambda request: _page(request, list(self.firewalls.values()))),
            ("GET", "/aggregated/instances", self._get_instances_everywhere),
            ("GET", r"/global/firewalls/([\w-]+)", self._get_firewall),
            ("POST", "/global/firewalls", self._post_firewall),
            ("PATCH", r"/global/firewalls/([\w-]+)", self._patch_firewall),
            ("GET", rf"{zone}/instances/([\w-]+)", self._get_instance),
            ("POST", f"{zone}/instances", self._post_instance),
            ("POST", rf"{zone}/instances/([\w-]+)/(\w+)", self._post_instance_verb),
            ("GET", rf"{zone}/disks/([\w-]+)", self._get_disk),
            ("POST", rf"{zone}/disks/([\w-]+)/resize", self._post_resize),
            ("POST", r"/(?:global|regions/[\w-]+|zones/[\w-]+)/operations/([\w-]+)/wait", self._post_wait),
        )

    def _names(self, names: tuple[str, ...]) -> Response:
        return answer(200, {"items": [{"name": name} for name in names]})

    def _allow(self, right: str, path: str) -> None:
        if right in self.denied:
            words = f"Required '{right}' permission for 'projects/{self.project}/{path}'"
            raise RefusalError(403, "forbidden", words)

    def _found(self, kind: str, resource: dict[str, Any] | None, path: str) -> Response:
        self._allow(f"compute.{kind}.get", path)
        scope, _, place = path.rpartition("/")[0].rpartition("/")[0].partition("/")
        if scope == "zones" and place not in ZONES:
            raise RefusalError(400, "invalid", f"Invalid value for field 'zone': '{place}'. Unknown zone.")
        if scope == "regions":
            self._check_region(place)
        if resource is None:
            raise RefusalError(404, "notFound", f"The resource 'projects/{self.project}/{path}' was not found")
        return answer(200, resource)

    def _operation(self, request: Request, scope: str, effect: Callable[[], dict[str, Any] | None]) -> Response:
        """An operation that will be done later; `effect` returns an error for it, or None."""
        request_id = request.query.get("requestId", "")
        if request_id and not re.fullmatch(
            r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", request_id
        ):
            raise RefusalError(400, "invalid", "Invalid value for field 'requestId'")
        name = self._requests.get(request_id) or f"operation-{next(self._ids)}"
        if request_id:
            self._requests[request_id] = name
        if name not in self._operations:
            link = f"https://{HOST}/compute/v1/projects/{self.project}/{scope}/operations/{name}"
            operation = {
                "kind": "compute#operation",
                "name": name,
                "status": "PENDING",
                "progress": 0,
                "selfLink": link,
            }
            self._operations[name] = (operation, self.polls, effect)
        return answer(200, self._operations[name][0])

    def _post_wait(self, request: Request, name: str) -> Response:
        operation, polls, effect = self._operations[name]
        if polls > 0:
            operation["status"] = "RUNNING"
            self._operations[name] = (operation, polls - 1, effect)
        else:
            self._finish(name)
        return answer(200, operation)

    def _finish(self, name: str) -> None:
        operation, _, effect = self._operations[name]
        if operation["status"] != "DONE":
            operation.update(status="DONE", progress=100)
            if (fault := effect()) is not None:
                operation["error"] = {"errors": [fault]}
                operation["httpErrorStatusCode"] = 503

    def settle(self) -> None:
        """Time passes: whatever runs, ends."""
        for name in self._operations:
            self._finish(name)

    def _get_address(self, request: Request, region: str, name: str) -> Response:
        return self._found("addresses", self.addresses.get((region, name)), f"regions/{region}/addresses/{name}")

    def _post_address(self, request: Request, region: str) -> Response:
        body = _only(request.json, "name", "networkTier", "address", "labels")
        for right in ("create", "setLabels") if body.get("labels") else ("create",):
            self._allow(f"compute.addresses.{right}", f"regions/{region}/addresses/{body['name']}")
        self._check_region(region)
        if (region, body["name"]) in self.addresses:
            raise _exists(f"regions/{region}/addresses/{body['name']}")
        if len(self.addresses) >= self.address_quota:
            raise RefusalError(
                403,
                "quotaExceeded",
                f"Quota 'STATIC_ADDRESSES' exceeded.  Limit: {self.address_quota}.0 in region {region}.",
            )

        def effect() -> dict[str, Any] | None:
            if (region, body["name"]) in self.addresses:
                return ALREADY_EXISTS
            value = body.get("address") or self.centre.ipv4()
            self.addresses[region, body["name"]] = {
                "id": str(next(self._ids)),
                "name": body["name"],
                "address": value,
                "status": "RESERVED",
            }
            return None

        return self._operation(request, f"regions/{region}", effect)

    def _check_region(self, region: str) -> None:
        if region not in {zone.rpartition("-")[0] for zone in ZONES}:
            raise RefusalError(400, "invalid", f"Invalid value for field 'region': '{region}'. Unknown region.")

    def _get_firewall(self, request: Request, name: str) -> Response:
        return self._found("firewalls", self.firewalls.get(name), f"global/firewalls/{name}")

    def _post_firewall(self, request: Request) -> Response:
        body = _checked_rule(request.json)
        self._allow("compute.firewalls.create", f"global/firewalls/{body['name']}")
        if body["name"] in self.firewalls:
            raise _exists(f"global/firewalls/{body['name']}")
        body["network"] = f"https://{HOST}/compute/v1/projects/{self.project}/{body['network']}"
        return self._operation(request, "global", lambda: self.firewalls.update({body["name"]: body}))

    def _patch_firewall(self, request: Request, name: str) -> Response:
        self._allow("compute.firewalls.update", f"global/firewalls/{name}")
        body = _checked_rule(request.json)
        return self._operation(request, "global", lambda: self.firewalls[name].update(body))

    def _get_instance(self, request: Request, zone: str, name: str) -> Response:
        return self._found("instances", self.instances.get((zone, name)), f"zones/{zone}/instances/{name}")

    def _get_disk(self, request: Request, zone: str, name: str) -> Response:
        return self._found("disks", self.disks.get((zone, name)), f"zones/{zone}/disks/{name}")

    def _get_instances_everywhere(self, request: Request) -> Response:
        """Each zone, also those without anything, which have a warning instead."""
        self._allow("compute.instances.list", "aggregated/instances")
        field, _, name = request.query.get("filter", "").partition("=")
        if field != "name":
            raise RefusalError(400, "invalid", "Invalid value for field 'filter'")
        items: dict[str, Any] = {f"zones/{zone}": {"warning": {"code": "NO_RESULTS_ON_PAGE"}} for zone in ZONES}
        for (zone, each), instance in self.instances.items():
            if each == name:
                items[f"zones/{zone}"] = {"instances": [instance]}
        return answer(200, {"kind": "compute#instanceAggregatedList", "items": items})

    def _post_instance(self, request: Request, zone: str) -> Response:
        body = request.json
        self._allow("compute.instances.create", f"zones/{zone}/instances/{body['name']}")
        if zone not in ZONES:
            raise RefusalError(404, "notFound", f"The resource 'projects/{self.project}/zones/{zone}' was not found")
        if not NAME.fullmatch(body["name"]):
            raise RefusalError(400, "invalid", "Invalid value for field 'resource.name'")
        if (zone, body["name"]) in self.instances:
            raise _exists(f"zones/{zone}/instances/{body['name']}")
        kind = body["machineType"].rpartition("/")[2]
        parameters = body["disks"][0]["initializeParams"]
        if kind not in MACHINE_TYPES or not body["machineType"].startswith(f"zones/{zone}/"):
            raise RefusalError(
                400, "invalid", f"Invalid value for field 'resource.machineType': '{body['machineType']}'."
            )
        if parameters["diskType"].rpartition("/")[2] not in DISK_TYPES or not isinstance(parameters["diskSizeGb"], str):
            raise RefusalError(400, "invalid", "Invalid value for field 'resource.disks[0].initializeParams.diskType'")
        if not re.fullmatch(r"projects/[\w-]+/global/images/family/[\w-]+", parameters["sourceImage"]):
            raise RefusalError(
                400, "invalid", "Invalid value for field 'resource.disks[0].initializeParams.sourceImage'"
            )

        def effect() -> dict[str, Any] | None:
            if (zone, body["name"]) in self.instances:
                return ALREADY_EXISTS
            if zone in self.exhausted:
                info = {"errorInfo": {"metadatas": {"zonesAvailable": self.exhausted[zone], "zone": zone}}}
                words = f"The zone 'projects/{self.project}/zones/{zone}' does not have enough resources available."
                return {"code": "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "message": words, "errorDetails": [info]}
            self.add_instance(zone, body)
            return None

        return self._operation(request, f"zones/{zone}", effect)

    def add_instance(self, zone: str, body: dict[str, Any]) -> None:
        """The machine, and its disk."""
        link = f"https://{HOST}/compute/v1/projects/{self.project}"
        size = body["disks"][0]["initializeParams"]["diskSizeGb"]
        disk = {"boot": True, "diskSizeGb": size, "source": f"{link}/zones/{zone}/disks/{body['name']}"}
        self.disks[zone, body["name"]] = disk
        config = dict(body["networkInterfaces"][0]["accessConfigs"][0])
        if "natIP" not in config:
            config["natIP"] = self.centre.ipv4()
        self.instances[zone, body["name"]] = {
            "id": str(next(self._ids)),
            "name": body["name"],
            "status": "RUNNING",
            "zone": f"{link}/zones/{zone}",
            "machineType": f"{link}/{body['machineType']}",
            "labels": dict(body.get("labels", {})),
            "labelFingerprint": "l1",
            "tags": {"items": list(body.get("tags", {}).get("items", [])), "fingerprint": "t1"},
            "metadata": {"items": list(body.get("metadata", {}).get("items", [])), "fingerprint": "m1"},
            "deletionProtection": body.get("deletionProtection", False),
            "disks": [disk],
            "networkInterfaces": [{"network": f"{link}/global/networks/default", "accessConfigs": [config]}],
        }
        for address in self.addresses.values():
            if address["address"] == config["natIP"]:
                address.update(status="IN_USE", users=[f"{link}/zones/{zone}/instances/{body['name']}"])
        image = body["disks"][0]["initializeParams"].get("sourceImage", "").rpartition("/")[2]
        self._boot(self.instances[zone, body["name"]], image)

    def _post_instance_verb(self, request: Request, zone: str, name: str, verb: str) -> Response:
        instance = self.instances[zone, name]
        body = request.json
        self._allow(f"compute.instances.{verb}", f"zones/{zone}/instances/{name}")
        changes: dict[str, tuple[str, str, Callable[[], Any]]] = {
            "setTags": ("tags", "fingerprint", lambda: instance["tags"].update(items=body["items"])),
            "setMetadata": ("metadata", "fingerprint", lambda: instance["metadata"].update(items=body["items"])),
            "setLabels": ("labels", "labelFingerprint", lambda: instance.update(labels=body["labels"])),
        }
        if verb in changes:
            part, given, change = changes[verb]
            current = instance["labelFingerprint"] if part == "labels" else instance[part]["fingerprint"]
            if body.get(given) != current:
                raise RefusalError(
                    412, "conditionNotMet", "Supplied fingerprint does not match current metadata fingerprint."
                )
            effect = change
        elif verb in ("start", "resume"):
            if (instance["status"] == "SUSPENDED") != (verb == "resume"):
                raise RefusalError(400, "invalid", f"Instance is {instance['status']} and cannot {verb}.")
            effect = lambda: self._start(instance)  # noqa: E731
        elif verb == "setDeletionProtection":
            effect = lambda: instance.update(deletionProtection=request.query["deletionProtection"] == "true")  # noqa: E731
        else:
            raise RefusalError(404, "notFound", verb)

        def done() -> None:
            effect()
            stamp = str(next(self._ids))
            instance["tags"]["fingerprint"] = instance["metadata"]["fingerprint"] = stamp
            instance["labelFingerprint"] = stamp

        return self._operation(request, f"zones/{zone}", done)

    def _post_resize(self, request: Request, zone: str, name: str) -> Response:
        disk, size = self.disks[zone, name], request.json["sizeGb"]
        if int(size) <= int(disk["diskSizeGb"]):
            raise RefusalError(400, "invalid", "Invalid value for field 'sizeGb': disks can only grow")
        return self._operation(request, f"zones/{zone}", lambda: disk.update(diskSizeGb=size))

    def _start(self, instance: dict[str, Any]) -> None:
        """A server whose address is not reserved gets another one each time."""
        instance.update(status="RUNNING")
        instance["networkInterfaces"][0]["accessConfigs"][0].setdefault("natIP", self.centre.ipv4())

    def _boot(self, instance: dict[str, Any], image: str) -> None:
        metadata = {each["key"]: each["value"] for each in instance["metadata"]["items"]}
        keys: dict[str, tuple[str, ...]] = {}
        # With OS Login, keys in metadata are ignored (google-github-actions, quickstart#203).
        if metadata.get("enable-oslogin", "").upper() != "TRUE":
            for line in metadata.get("ssh-keys", "").splitlines():
                user, _, key = line.partition(":")
                keys[user] = (*keys.get(user, ()), key)
        self.centre.boot(BareMachine(image, _nat_address(instance), "", keys))

    def openings(self) -> dict[str, tuple[Opening, ...]]:
        """What the rules let through to each machine, by its address; what no rule lets in is dropped."""
        return {_nat_address(instance): tuple(self._openings_of(instance)) for instance in self.instances.values()}

    def _openings_of(self, instance: dict[str, Any]) -> Iterator[Opening]:
        tags = set(instance["tags"]["items"])
        for rule in self.firewalls.values():
            targets = set(rule.get("targetTags", []))
            if not rule.get("disabled") and rule["direction"] == "INGRESS" and (not targets or targets & tags):
                sources = tuple(each for each in rule["sourceRanges"] if ":" not in each)
                for allowed in rule["allowed"]:
                    yield Opening(allowed["IPProtocol"], tuple(allowed.get("ports", ())), sources)

    def lets_in(self, port: int) -> bool:
        """True if a visitor from anywhere gets through to a server at this port."""
        return any(opening.lets_in(port) for openings in self.openings().values() for opening in openings)


def _nat_address(instance: dict[str, Any]) -> str:
    return str(instance["networkInterfaces"][0]["accessConfigs"][0]["natIP"])


@cache
def _private_key() -> rsa.RSAPrivateKey:
    """One for all tests: making it takes longer than most of them."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _page(request: Request, found: list[dict[str, Any]]) -> Response:
    first, size = int(request.query.get("pageToken", "0")), int(request.query.get("maxResults", "500"))
    if size > 500:
        raise RefusalError(400, "invalid", "Invalid value for field 'maxResults'")
    more = {"nextPageToken": str(first + size)} if len(found) > first + size else {}
    return answer(200, {"items": found[first : first + size]} | more)


def _exists(path: str) -> RefusalError:
    return RefusalError(409, "alreadyExists", f"The resource '{path}' already exists")


def _only(body: dict[str, Any], *fields: str) -> dict[str, Any]:
    unknown = [name for name in body if name not in fields]
    if unknown:
        raise RefusalError(400, "invalid", f'Invalid JSON payload received. Unknown name "{unknown[0]}"')
    return body


def _checked_rule(body: dict[str, Any]) -> dict[str, Any]:
    fields = ("name", "network", "direction", "priority", "sourceRanges", "targetTags", "allowed", "disabled")
    _only(body, *fields)
    versions = {":" in source for source in body["sourceRanges"]}
    if len(versions) != 1:
        raise RefusalError(400, "invalid", "Invalid value for field 'resource.sourceRanges': mixed IP versions or none")
    if not all(isinstance(port, str) for allowed in body["allowed"] for port in allowed["ports"]):
        raise RefusalError(400, "invalid", "Invalid value for field 'resource.allowed[0].ports'")
    return body


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
