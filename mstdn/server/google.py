"""A server of Google Compute Engine, with a static IPv4 address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mstdn.cloud.errors import ProviderError, ProvisionError
from mstdn.cloud.google import OURS, Google
from mstdn.server.google_refusals import Order, explained, region_of
from mstdn.server.rules import Action, Address, Found, Machine, Wanted
from mstdn.settings.provision import ProvisionSettings

ZONE = "us-west1-b"
TYPE = "e2-small"
DISK_TYPE = "pd-balanced"
# A server that is deleted is stopped first. Source: compute/v1, instances, "status".
PASSING = ("STOPPING", "PENDING_STOP", "SUSPENDING", "DEPROVISIONING")
IMAGES = {
    "debian-13": "projects/debian-cloud/global/images/family/debian-13",
    "debian-12": "projects/debian-cloud/global/images/family/debian-12",
    "ubuntu-24.04": "projects/ubuntu-os-cloud/global/images/family/ubuntu-2404-lts-amd64",
    "ubuntu-26.04": "projects/ubuntu-os-cloud/global/images/family/ubuntu-2604-lts-amd64",
}


class GoogleServer:
    behind_nat = True

    def __init__(self, settings: ProvisionSettings, public_key: str):
        self._google = Google(settings)
        self._settings = settings
        self._name = settings.server_name
        self._zone = settings.server_place or ZONE
        self._region = region_of(self._zone)
        self._type = settings.server_type or TYPE
        self._disk_type = settings.server_disk_type or DISK_TYPE
        self._public_key = public_key
        self.user = settings.server_user
        self.heading = f"google      project {self._google.project}, {self._zone}"

    def wanted(self) -> Wanted:
        settings = self._settings
        return Wanted(
            "Google",
            self._name,
            self._type,
            self._zone,
            settings.server_disk_gib,
            settings.server_adopt,
            ("ipv4",),
            uploads_keys=False,
            address_at_start=True,
        )

    def look(self) -> Found:
        instance = self._instance()
        address = self._address(self._zone if instance is None else _last(instance["zone"]))
        reserved = None if address is None else Address(address["address"], reserved=True)
        if instance is None:
            self._free(address)
            self._no_disk()
            return Found(reserved, None, True, None)
        in_use = _nat_address(instance)
        metadata = _metadata(instance)
        machine = Machine(
            ours=_is_ours(instance),
            tagged=self._settings.cloud_firewall_tag in instance["tags"].get("items", []),
            protected=bool(instance.get("deletionProtection")),
            running=instance["status"] not in ("TERMINATED", "STOPPED", "SUSPENDED"),
            passing=instance["status"] if instance["status"] in PASSING else "",
            type=_last(instance["machineType"]),
            place=_last(instance["zone"]),
            has_key=self._key_line() in metadata.get("ssh-keys", "").splitlines()
            and metadata.get("enable-oslogin", "").upper() == "FALSE",
            disk_gib=int(_boot_disk(instance)["diskSizeGb"]),
        )
        unused = "" if address is None or in_use == address["address"] else address["address"]
        kept = address is not None
        return Found(Address(in_use, reserved=kept) if in_use else None, None, True, machine, unused)

    def describe(self, action: Action) -> str:
        settings = self._settings
        return {
            "reserve ipv4": f"static IPv4 in {self._region}",
            "create": f"{self._type}, {settings.server_image}, {settings.server_disk_gib} GiB {self._disk_type}, "
            "protected "
            "against deletion",
            "adopt": "label managed-by=mstdn",
            "keep ipv4": "the address in use becomes static",
            "tag": f"network tag {settings.cloud_firewall_tag}",
            "add key": f"your SSH key for {self.user}, OS Login off",
            "protect": "against deletion",
            "grow disk": f"to {settings.server_disk_gib} GiB",
            "start": "it is stopped",
        }.get(action, "")

    def do(self, action: Action) -> None:
        if action == "reserve ipv4":
            self._reserve(self._region)
        elif action == "create":
            self._create()
        else:
            self._repair(action)

    def _instance(self) -> dict[str, Any] | None:
        """
        The server in its zone, or else ours in any other: names are unique in a zone only, and whoever changed
        server_place has not asked for a second server.
        """
        try:
            found = self._google.find("look for the server", f"/zones/{self._zone}/instances/{self._name}")
        except ProviderError as refused:
            # Of a zone that there is not it says so at once (inspec-gcp#301).
            raise self._explained(refused) from None
        if found is not None:
            return found
        others = self._google.everywhere("look for the server", "instances", self._name)
        ours = [each for each in others if each["name"] == self._name and _is_ours(each)]
        if len(ours) > 1:
            zones = " and ".join(sorted(_last(each["zone"]) for each in ours))
            raise ProvisionError(
                f"There are {len(ours)} servers called {self._name} at Google, in {zones}. Say which one is meant: "
                "server_place."
            )
        return ours[0] if ours else None

    def _address(self, zone: str) -> dict[str, Any] | None:
        return self._google.find("look for the address", f"/regions/{region_of(zone)}/addresses/{self._name}")

    def _free(self, address: Mapping[str, Any] | None) -> None:
        """Raises ProvisionError for an address that is no use while there is no server of ours: something else's."""
        if address is None:
            return
        users = [_last(each) for each in address.get("users", ())]
        use = f"in use by {' and '.join(users)}, which is not a server of this suite" if users else ""
        if address.get("addressType", "EXTERNAL") != "EXTERNAL":
            use = "one of the network's own, which no visitor can reach"
        if use:
            raise ProvisionError(
                f"The address {self._name} ({address['address']}) is {use}. It was not touched. Choose another "
                "server_name."
            )

    def _no_disk(self) -> None:
        """
        Raises ProvisionError for a disk of the server's name while there is no server: a new one would be given that
        instead of an empty one. Source: compute/v1, initializeParams.diskName.
        """
        if self._google.find("look for the disk", f"/zones/{self._zone}/disks/{self._name}") is not None:
            raise ProvisionError(
                f"{self._zone} has a disk called {self._name} and no server of that name: such disks are left when a "
                "server is deleted. A new server would start from it, with all that is on it. It was not touched. "
                "Delete it in the console if nothing on it is needed, or choose another server_name."
            )

    def _key_line(self) -> str:
        """user:key, without the key's comment, which others may change."""
        return f"{self.user}:{' '.join(self._public_key.split()[:2])} {self.user}"

    def _reserve(self, region: str, address: str = "") -> None:
        body = {"name": self._name, "networkTier": "PREMIUM", "labels": OURS} | (
            {"address": address} if address else {}
        )
        try:
            self._google.make("reserve an address", f"/regions/{region}/addresses", body)
        except ProviderError as refused:
            raise self._explained(refused) from None

    def _create(self) -> None:
        address = self._address(self._zone)
        if address is None:
            raise ProvisionError("The reserved address was removed in the meantime. Run again.")
        settings = self._settings
        body = {
            "name": self._name,
            "machineType": f"zones/{self._zone}/machineTypes/{self._type}",
            "disks": [
                {
                    "boot": True,
                    # The disk outlives the server, should anybody delete that.
                    "autoDelete": False,
                    "initializeParams": {
                        "sourceImage": IMAGES[settings.server_image],
                        "diskSizeGb": str(settings.server_disk_gib),
                        "diskType": f"zones/{self._zone}/diskTypes/{self._disk_type}",
                    },
                }
            ],
            "networkInterfaces": [
                {
                    "network": f"global/networks/{settings.server_network}",
                    "accessConfigs": [{"type": "ONE_TO_ONE_NAT", "name": "External NAT", "natIP": address["address"]}],
                }
            ],
            "tags": {"items": [settings.cloud_firewall_tag]},
            "labels": OURS,
            "metadata": {
                "items": [
                    {"key": "ssh-keys", "value": self._key_line()},
                    # With OS Login, keys in metadata are ignored (google-github-actions, quickstart#203).
                    {"key": "enable-oslogin", "value": "FALSE"},
                ]
            },
            # The server has no business in the project.
            "serviceAccounts": [],
            "deletionProtection": True,
        }
        try:
            self._google.make("create the server", f"/zones/{self._zone}/instances", body)
        except ProviderError as refused:
            raise self._explained(refused) from None

    def _explained(self, refused: ProviderError) -> ProvisionError:
        return explained(refused, self._google, Order(self._zone, self._type, self._disk_type), self._kept)

    def _kept(self) -> str:
        address = self._address(self._zone)
        return "" if address is None else str(address["address"])

    def _repair(self, action: Action) -> None:
        instance = self._instance()
        if instance is None:
            raise ProvisionError(f"The server {self._name} was there a moment ago and is not there now. Run again.")
        zone = _last(instance["zone"])
        path = f"/zones/{zone}/instances/{self._name}"
        if action == "adopt":
            body = {"labels": instance.get("labels", {}) | OURS, "labelFingerprint": instance["labelFingerprint"]}
            self._google.post("label the server", f"{path}/setLabels", body)
        elif action == "keep ipv4":
            self._reserve(region_of(zone), _nat_address(instance))
        elif action == "tag":
            items = [*instance["tags"].get("items", []), self._settings.cloud_firewall_tag]
            body = {"items": items, "fingerprint": instance["tags"]["fingerprint"]}
            self._google.post("tag the server", f"{path}/setTags", body)
        elif action == "add key":
            self._add_key(instance, path)
        elif action == "protect":
            self._google.post("protect the server", f"{path}/setDeletionProtection?deletionProtection=true")
        elif action == "grow disk":
            disk = _last(_boot_disk(instance)["source"])
            size = {"sizeGb": str(self._settings.server_disk_gib)}
            self._google.post("grow the disk", f"/zones/{zone}/disks/{disk}/resize", size)
        elif action == "start":
            # A server that was suspended is not started but resumed.
            verb = "resume" if instance["status"] == "SUSPENDED" else "start"
            self._google.post("start the server", f"{path}/{verb}")

    def _add_key(self, instance: Mapping[str, Any], path: str) -> None:
        """The keys of others stay."""
        metadata = _metadata(instance)
        keys = metadata.get("ssh-keys", "").splitlines()
        if self._key_line() not in keys:
            keys.append(self._key_line())
        metadata |= {"ssh-keys": "\n".join(keys), "enable-oslogin": "FALSE"}
        items = [{"key": key, "value": value} for key, value in metadata.items()]
        body = {"items": items, "fingerprint": instance["metadata"]["fingerprint"]}
        self._google.post("let your SSH key in", f"{path}/setMetadata", body)


def _is_ours(instance: Mapping[str, Any]) -> bool:
    return bool(instance.get("labels", {}).get("managed-by") == OURS["managed-by"])


def _metadata(instance: Mapping[str, Any]) -> dict[str, str]:
    return {each["key"]: each.get("value", "") for each in instance["metadata"].get("items", [])}


def _nat_address(instance: Mapping[str, Any]) -> str:
    """The address of the first interface, or "" without one (a stopped server with an ephemeral address)."""
    configs = instance["networkInterfaces"][0].get("accessConfigs") or [{}]
    return str(configs[0].get("natIP", ""))


def _boot_disk(instance: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in instance["disks"] if each.get("boot"))
    return found


def _last(link: str) -> str:
    return link.rpartition("/")[2]
