"""What Google means when it refuses to make a server or an address, in sentences with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mstdn.cloud.errors import ProviderError, ProvisionError, did_you_mean
from mstdn.cloud.google import Google


@dataclass(frozen=True)
class Order:
    """What was asked for."""

    zone: str
    type: str
    disk_type: str


def region_of(zone: str) -> str:
    """The region that a zone is in."""
    return zone.rpartition("-")[0]


def explained(refused: ProviderError, google: Google, order: Order, kept: Callable[[], str]) -> ProvisionError:
    """
    The refusal with what can be had instead. Zones and types come and go: Google is asked what there is today.

    kept: looks for the address that is reserved for the server, and is "" without one.

    Raises ProvisionError where Google does not answer that.
    """
    if refused.code.startswith("ZONE_RESOURCE_POOL_EXHAUSTED"):
        return _exhausted(refused, order, kept())
    if refused.status not in (400, 404) and refused.code not in ("invalid", "notFound"):
        return refused
    zones = google.names("list zones", "/zones")
    if order.zone not in zones:
        # A region in place of a zone is the mistake that people make.
        near = [zone for zone in zones if zone.startswith((f"{order.zone}-", f"{region_of(order.zone)}-"))] or zones
        return ProvisionError(
            f'Google has no zone "{order.zone}". {did_you_mean("server_place", near)} Nothing was made.'
        )
    types = google.names("list machine types", f"/zones/{order.zone}/machineTypes")
    if order.type not in types:
        small = [each for each in types if each.startswith(("e2-", "t2"))] or types
        return ProvisionError(
            f'{order.zone} has no machine type "{order.type}". {did_you_mean("server_type", small)} The address is '
            "reserved and stays yours."
        )
    disks = google.names("list disk types", f"/zones/{order.zone}/diskTypes")
    if order.disk_type not in disks:
        return ProvisionError(
            f'{order.zone} has no disk type "{order.disk_type}". {did_you_mean("server_disk_type", disks)}'
        )
    return refused


def _exhausted(refused: ProviderError, order: Order, address: str) -> ProvisionError:
    errors = refused.details.get("errors")
    available = ""
    for error in errors if isinstance(errors, list) else []:
        for detail in error.get("errorDetails") or []:
            metadata = (detail.get("errorInfo") or {}).get("metadatas") or {}
            available = metadata.get("zonesAvailable") or available
    zones = [zone.strip() for zone in available.split(",") if zone.strip()]
    if zones:
        instead = f'Google names {" and ".join(zones)} instead: set server_place = "{zones[0]}" and run again.'
    else:
        instead = f"Try another zone of {region_of(order.zone)} (server_place), or run again later."
    kept = f" The address {address} is reserved and stays yours." if address else ""
    return ProvisionError(f"{order.zone} has no {order.type} to give at the moment. {instead}{kept}")
