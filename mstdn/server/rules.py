"""What there is of the server, what it shall be, and what is therefore to be done. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from mstdn.cloud.errors import ProvisionError
from mstdn.cloud.rules import missing_keys
from mstdn.problems import Problem

# What a provider's module is asked to do, in this order. The address comes first: it stays where no server can be had.
Action = Literal[
    "reserve ipv4",
    "reserve ipv6",
    "upload key",
    "create",
    "adopt",
    "keep ipv4",
    "keep ipv6",
    "tag",
    "add key",
    "protect",
    "grow disk",
    "start",
]
SIGNS: dict[str, str] = {"reserve ipv4": "+", "reserve ipv6": "+", "upload key": "+", "create": "+"}
KINDS: dict[str, str] = {
    "reserve ipv4": "address",
    "reserve ipv6": "address",
    "keep ipv4": "address",
    "keep ipv6": "address",
    "upload key": "SSH key",
}


@dataclass(frozen=True)
class Address:
    """An address. `reserved`: it stays when the server goes. For IPv6, `value` is the server's own in its network."""

    value: str
    reserved: bool


@dataclass(frozen=True)
class Machine:
    """
    The server as the provider shows it. `ours`: it carries our label. `tagged`: the firewall's rule counts for it.

    `has_key`: None where a provider does not show it. `disk_gib`: None where the type decides it.
    `passing`: the provider's word for a state that ends by itself and may end with no server at all, or "".
    """

    ours: bool
    tagged: bool
    protected: bool
    running: bool
    type: str
    place: str
    has_key: bool | None = None
    disk_gib: int | None = None
    passing: str = ""


@dataclass(frozen=True)
class Found:
    """All that there is: the addresses that the server has or will have, our key at the provider, the server."""

    ipv4: Address | None
    ipv6: Address | None
    key_uploaded: bool
    machine: Machine | None
    # An address of the right name that the server does not use.
    unused: str = ""
    # Addresses of the right name in another place, where they serve nothing: (address, place).
    elsewhere: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What the settings ask for. `families`: of the addresses that this provider reserves."""

    provider: str
    name: str
    type: str
    place: str
    disk_gib: int | None
    adopt: bool
    families: tuple[str, ...]
    uploads_keys: bool
    # A server whose address is not reserved has none while it is stopped, and gets another one when it starts.
    address_at_start: bool = False


def actions(found: Found, wanted: Wanted) -> list[Action]:
    """
    What is to be done, in its order.

    Raises ProvisionError for a server of this name that somebody made by hand, unless it is to be adopted.
    """
    machine = found.machine
    if machine is None:
        missing: list[Action] = []
        if "ipv4" in wanted.families and found.ipv4 is None:
            missing.append("reserve ipv4")
        if "ipv6" in wanted.families and found.ipv6 is None:
            missing.append("reserve ipv6")
        if wanted.uploads_keys and not found.key_uploaded:
            missing.append("upload key")
        return [*missing, "create"]
    if not (machine.ours or wanted.adopt):
        raise ProvisionError(
            f"{wanted.provider} has a server called {wanted.name} already, and it was not made by this suite. It "
            "was not "
            "touched. To take it over, run: pyinfra @local tasks/server.py --data server_adopt=true  To make another "
            "one, choose another server_name."
        )
    if machine.passing:
        raise ProvisionError(
            f"The server {wanted.name} is in the state {machine.passing} at {wanted.provider}: somebody stops, moves, "
            "rebuilds or deletes it. It was not touched. Wait until that is over, then run again."
        )
    due: tuple[tuple[Action, bool], ...] = (
        ("adopt", not machine.ours),
        ("keep ipv4", found.ipv4 is not None and not found.ipv4.reserved),
        ("keep ipv6", found.ipv6 is not None and not found.ipv6.reserved),
        ("tag", not machine.tagged),
        ("add key", machine.has_key is False),
        ("protect", not machine.protected),
        ("grow disk", _smaller(machine.disk_gib, wanted.disk_gib)),
        ("start", not machine.running),
        ("keep ipv4", wanted.address_at_start and not (machine.running or found.ipv4 or found.unused)),
    )
    return [action for action, is_due in due if is_due]


def _smaller(disk_gib: int | None, wanted_gib: int | None) -> bool:
    return disk_gib is not None and wanted_gib is not None and disk_gib < wanted_gib


def differences_to_report(found: Found, wanted: Wanted) -> Iterable[str]:
    """What differs and is not changed, because that would cost the server or its data."""
    name, machine = wanted.name, found.machine
    for address, place in found.elsewhere:
        yield (
            f"The address {address} of {name} is reserved in {place} and serves nothing there: delete it in the "
            "console, or it costs on. Addresses do not move."
        )
    if machine is None:
        return
    if machine.type != wanted.type:
        yield (
            f"The server {name} is a {machine.type}, and server_type asks for {wanted.type}. It is not changed: stop "
            f'the server and change its type in the console, or set server_type = "{machine.type}".'
        )
    if machine.place != wanted.place:
        yield (
            f"The server {name} is in {machine.place}, and server_place asks for {wanted.place}. A server does not "
            f'move: set server_place = "{machine.place}".'
        )
    if machine.disk_gib is not None and wanted.disk_gib is not None and machine.disk_gib > wanted.disk_gib:
        yield (
            f"The disk of {name} has {machine.disk_gib} GiB, and server_disk_gib asks for {wanted.disk_gib}. Disks "
            "do not "
            f"shrink: set server_disk_gib = {machine.disk_gib}."
        )
    if found.unused:
        yield (
            f"The address {found.unused} is reserved for {name}, but the server does not use it. Assign it in the "
            "console; until then the names lead to the one that the server has."
        )


def the_server_provider_has_its_key(server_provider: str, secrets: Container[str]) -> Iterator[Problem]:
    yield from missing_keys("server_provider", server_provider, secrets)
