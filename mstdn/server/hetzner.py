"""A server of Hetzner Cloud (docs.hetzner.cloud: Servers, Primary IPs, SSH Keys)."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import SecretStr

from mstdn.cloud.errors import ProviderError, ProvisionError, did_you_mean
from mstdn.cloud.hetzner import OURS, Hetzner, names_of
from mstdn.cloud_firewall.hetzner import LABEL
from mstdn.server.rules import Action, Address, Found, Machine, Wanted
from mstdn.settings.provision import ProvisionSettings

Addresses: TypeAlias = Mapping[str, dict[str, Any]]

LOCATION = "nbg1"
TYPE = "cx23"
# Source: docs.hetzner.cloud, Servers, "status".
PASSING = ("stopping", "deleting", "rebuilding", "migrating")


class HetznerServer:
    user = "root"
    behind_nat = False

    def __init__(
        self,
        settings: ProvisionSettings,
        token: SecretStr,
        public_key: str,
    ):
        self._hetzner = Hetzner(token)
        self._name = settings.server_name
        self._location = settings.server_place or LOCATION
        self._type = settings.server_type or TYPE
        self._image = settings.server_image
        self._public_key = public_key
        self._adopt = settings.server_adopt
        self._labels = OURS | {LABEL: settings.cloud_firewall_tag}
        self.heading = f"hetzner     {self._location}"

    def wanted(self) -> Wanted:
        families = ("ipv4", "ipv6")
        return Wanted("Hetzner", self._name, self._type, self._location, None, self._adopt, families, uploads_keys=True)

    def look(self) -> Found:
        server = self._server()
        addresses = self._addresses()
        if server is None:
            ipv4, ipv6 = (self._reserved(addresses, family) for family in ("ipv4", "ipv6"))
            has_key, elsewhere = self._key() is not None, self._elsewhere(addresses)
            return Found(ipv4, ipv6, has_key, machine=None, elsewhere=elsewhere)
        labels = server["labels"]
        machine = Machine(
            ours=labels.get("managed-by") == "mstdn",
            tagged=labels.get(LABEL) == self._labels[LABEL],
            protected=server["protection"]["delete"],
            running=server["status"] != "off",
            passing=server["status"] if server["status"] in PASSING else "",
            type=server["server_type"]["name"],
            place=_location(server),
        )
        ipv4, ipv6 = (self._in_use(addresses, server, family) for family in ("ipv4", "ipv6"))
        elsewhere = self._elsewhere(addresses, machine.place)
        return Found(ipv4, ipv6, True, machine, self._unused(addresses, server), elsewhere)

    def describe(self, action: Action) -> str:
        return {
            "reserve ipv4": f"static IPv4 in {self._location}",
            "reserve ipv6": f"static IPv6 in {self._location}",
            "upload key": "your public SSH key",
            "create": f"{self._type}, {self._image}, protected against deletion",
            "adopt": "label managed-by=mstdn",
            "keep ipv4": "it stays when the server goes",
            "keep ipv6": "it stays when the server goes",
            "tag": f"label {LABEL}={self._labels[LABEL]}",
            "protect": "against deletion",
            "start": "it is off",
        }.get(action, "")

    def do(self, action: Action) -> None:
        if action == "reserve ipv4":
            self._reserve("ipv4")
        elif action == "reserve ipv6":
            self._reserve("ipv6")
        elif action == "upload key":
            self._upload_key()
        elif action == "create":
            self._create()
        else:
            self._repair(action)

    def _server(self) -> dict[str, Any] | None:
        return next(self._hetzner.all("list servers", "/servers", "servers", name=self._name), None)

    def _names(self, family: str) -> tuple[str, str]:
        """
        Of an address, the second where the first is reserved in another location, which addresses cannot leave.
        """
        name = self._name if family == "ipv4" else f"{self._name}-ipv6"
        return name, f"{name}-{self._location}"

    def _addresses(self) -> Addresses:
        """All addresses of the project, by name."""
        return {each["name"]: each for each in self._hetzner.all("list addresses", "/primary_ips", "primary_ips")}

    def _primary_ip(self, addresses: Addresses, family: str) -> dict[str, Any] | None:
        """
        The address that a new server gets. Raises ProvisionError for one of that name that is somebody's.
        """
        for name in self._names(family):
            found = addresses.get(name)
            if found is None or _location(found) != self._location:
                continue
            if found["type"] != family or found["assignee_id"]:
                use = "of another kind" if found["type"] != family else "in use by another server"
                raise ProvisionError(
                    f"The address {name} ({_first(found['ip'])}) is {use}. It was not touched. Choose another "
                    "server_name."
                )
            return found
        return None

    def _reserved(self, addresses: Addresses, family: str) -> Address | None:
        found = self._primary_ip(addresses, family)
        return None if found is None else Address(_first(found["ip"]), reserved=not found["auto_delete"])

    def _in_use(self, addresses: Addresses, server: Mapping[str, Any], family: str) -> Address | None:
        shown = server["public_net"][family]
        found = next((each for each in addresses.values() if shown and each["id"] == shown["id"]), None)
        return None if found is None else Address(_first(found["ip"]), reserved=not found["auto_delete"])

    def _unused(self, addresses: Addresses, server: Mapping[str, Any]) -> str:
        """An address of the server's name and place that it does not use."""
        shown = server["public_net"]["ipv4"]
        found = [addresses[name] for name in self._names("ipv4") if name in addresses]
        left = [each for each in found if _location(each) == _location(server) and not each["assignee_id"]]
        return next((str(each["ip"]) for each in left if shown and each["id"] != shown["id"]), "")

    def _elsewhere(self, addresses: Addresses, location: str = "") -> tuple[tuple[str, str], ...]:
        """Addresses of the server's name that are reserved in another location and serve nothing: (address, where)."""
        named = [addresses[name] for family in ("ipv4", "ipv6") for name in self._names(family) if name in addresses]
        return tuple(
            (_first(each["ip"]), _location(each))
            for each in named
            if _location(each) != (location or self._location) and not each["assignee_id"]
        )

    def _key(self) -> dict[str, Any] | None:
        fingerprint = md5_fingerprint(self._public_key)
        return next(self._hetzner.all("list SSH keys", "/ssh_keys", "ssh_keys", fingerprint=fingerprint), None)

    def _reserve(self, family: str) -> None:
        addresses = self._addresses()
        if self._primary_ip(addresses, family) is not None:
            return
        usual, by_location = self._names(family)
        body = {
            "name": by_location if usual in addresses else usual,
            "type": family,
            "assignee_type": "server",
            "location": self._location,
            # A server takes its addresses along into deletion otherwise.
            "auto_delete": False,
            "labels": OURS,
        }
        try:
            self._hetzner.post(f"reserve an {family} address", "/primary_ips", body)
        except ProviderError as refused:
            if refused.code != "uniqueness_error" or self._primary_ip(self._addresses(), family) is None:
                raise self._wrong_place(refused) from None

    def _upload_key(self) -> None:
        if self._key() is not None:
            return
        # Named by its fingerprint: "mastodon" may be somebody's already, and an unchanged key has an unchanged name.
        name = f"{self._name}-{md5_fingerprint(self._public_key).replace(':', '')[:8]}"
        try:
            self._hetzner.post(
                "store your SSH key", "/ssh_keys", {"name": name, "public_key": self._public_key, "labels": OURS}
            )
        except ProviderError as refused:
            if refused.code != "uniqueness_error" or self._key() is None:
                raise

    def _create(self) -> None:
        if self._server() is not None:
            return
        reserved = self._addresses()
        addresses = {family: self._primary_ip(reserved, family) for family in ("ipv4", "ipv6")}
        key = self._key()
        if key is None or None in addresses.values():
            raise ProvisionError("What the server needs was removed in the meantime. Run again.")
        body = {
            "name": self._name,
            "server_type": self._type,
            "location": self._location,
            "image": self._image,
            "ssh_keys": [key["id"]],
            "labels": self._labels,
            "public_net": {
                "enable_ipv4": True,
                "enable_ipv6": True,
                **{family: found["id"] for family, found in addresses.items() if found},
            },
            "start_after_create": True,
        }
        try:
            self._hetzner.post("create the server", "/servers", body)
        except ProviderError as refused:
            if refused.code != "uniqueness_error" or self._server() is None:
                raise self._wrong_place(refused) from None
        self._repair("protect")

    def _wrong_place(self, refused: ProviderError) -> ProvisionError:
        """Types and locations come and go; a refused one is answered with what there is today."""
        if refused.code not in ("invalid_input", "not_found", "unsupported_error"):
            return refused
        fields = [each.get("name") for each in _fields(refused)]
        locations = names_of(self._hetzner.all("list locations", "/locations", "locations"))
        if "location" in fields or self._location not in locations:
            offer = did_you_mean("server_place", locations)
            return ProvisionError(
                f'Hetzner has no location "{self._location}" for this. {offer} Nothing was made by this step.'
            )
        types = list(self._hetzner.all("list server types", "/server_types", "server_types"))
        sold = sorted(each["name"] for each in types if self._location in _sold_in(each))
        if self._type not in sold or "server_type" in fields:
            elsewhere = [place for each in types if each["name"] == self._type for place in _sold_in(each)]
            there = f" It is sold in {', '.join(elsewhere)} (server_place)." if elsewhere else ""
            return ProvisionError(
                f'Hetzner does not sell the server type "{self._type}" in {self._location} (any more).{there} '
                f"{did_you_mean('server_type', sold)} The reserved address stays yours."
            )
        return refused

    def _repair(self, action: Action) -> None:
        server = self._server()
        if server is None:
            raise ProvisionError(f"The server {self._name} was there a moment ago and is not there now. Run again.")
        path = f"/servers/{server['id']}"
        if action in ("adopt", "tag"):
            labels = server["labels"] | self._labels
            if labels != server["labels"]:
                self._hetzner.put("label the server", path, {"labels": labels})
        elif action == "protect" and not server["protection"]["delete"]:
            self._hetzner.post(
                "protect the server", f"{path}/actions/change_protection", {"delete": True, "rebuild": True}
            )
        elif action == "start":
            self._hetzner.post("start the server", f"{path}/actions/poweron")
        elif action in ("keep ipv4", "keep ipv6"):
            address = server["public_net"][action.removeprefix("keep ")]
            self._hetzner.put("keep the address", f"/primary_ips/{address['id']}", {"auto_delete": False})


def _sold_in(server_type: Mapping[str, Any]) -> list[str]:
    """Where it can be had today; what is sold differs between locations (hetznercloud/cli, release 1.53.0)."""
    return [
        str(each["name"])
        for each in server_type.get("locations", ())
        if not each.get("deprecation") and each.get("available", True)
    ]


def _fields(refused: ProviderError) -> list[dict[str, Any]]:
    error = refused.details.get("error")
    details = error.get("details") if isinstance(error, dict) else None
    fields = details.get("fields") if isinstance(details, dict) else None
    return fields if isinstance(fields, list) else []


def _location(thing: Mapping[str, Any]) -> str:
    """Where a server or an address is."""
    return str(thing["location"]["name"])


def _first(address: str) -> str:
    """An IPv6 address is lent as a network of 64 bits; the images of Hetzner take its first address."""
    if "/" not in address:
        return address
    return str(ipaddress.ip_network(address).network_address + 1)


def md5_fingerprint(public_key: str) -> str:
    """The old form of a fingerprint, by which Hetzner finds keys."""
    digest = hashlib.md5(base64.b64decode(public_key.split()[1]), usedforsecurity=False).hexdigest()
    return ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))
