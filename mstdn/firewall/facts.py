"""Facts about the packet filter."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from mstdn.fact import UNITS, Fact, Lines, Question
from mstdn.firewall.iptables import base_chains as iptables_chains
from mstdn.firewall.iptables import redirections
from mstdn.firewall.nftables import base_chains as nftables_chains
from mstdn.firewall.packets import Chain
from mstdn.firewall.table import listing, tables_of_others
from mstdn.layout import FIREWALL_NOTE, FIREWALL_RULES, FIREWALL_UNIT


@dataclass(frozen=True)
class Rules:
    """
    `chains`: where the kernel asks rules about a packet, those of nftables and of iptables, with all they lead to.
    `outside`: interfaces that lead to the Internet. `managers`: programs that make rules here ("ufw", "firewalld",
    "nftables", "netfilter-persistent"). `flushes`: files that take all rules away when their service is started.
    `ours`: the suite's own table as table.listing() tells it, "" where it is not in force. `tables`: of nftables, in
    which somebody else decides what comes in ("inet filter"). `redirections`: rules of iptables, neither Docker's nor
    ours, by which ports lead elsewhere.
    """

    chains: tuple[Chain, ...] = ()
    outside: tuple[str, ...] = ()
    managers: frozenset[str] = field(default_factory=frozenset)
    flushes: tuple[str, ...] = ()
    ours: str = ""
    tables: tuple[str, ...] = ()
    redirections: tuple[str, ...] = ()


class PacketFilter(Fact[Rules]):
    """Every rule of the kernel's packet filter, whoever made it."""

    script = "firewall/state"
    before = (UNITS,)
    shared = (UNITS,)

    @classmethod
    def of_the_server(cls) -> Question[Rules]:
        """The question without arguments."""
        return cls.question()

    @override
    def read(self, lines: Lines) -> Rules:
        saved = {4: lines.all("iptables"), 6: lines.all("ip6tables")}
        known = {family for family, text in saved.items() if text}
        ruleset = next((_unpacked(text) for text in lines.all("nft")), {})
        chains = [
            *(chain for family, text in saved.items() for chain in iptables_chains(text, family)),
            *nftables_chains(ruleset, known),
        ]
        return Rules(
            chains=tuple(chains),
            outside=tuple(dict.fromkeys(lines.all("outside"))),
            managers=frozenset(lines.all("manager")),
            flushes=tuple(lines.all("flushes")),
            ours=listing(ruleset),
            tables=tuple(tables_of_others(ruleset, known)),
            redirections=tuple(rule for text in saved.values() for rule in redirections(text)),
        )


def _unpacked(text: str) -> dict[str, Any]:
    """The ruleset; empty where nft may not read it. Raises ValueError for what was never packed, or only in part."""
    try:
        found = json.loads(gzip.decompress(base64.b64decode(text)) or b"{}")
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"it is not packed as it should be: {error}") from None
    return found if isinstance(found, dict) else {}


def _noted(text: str) -> str:
    """What the note tells; "" for one that was damaged: the rules are then loaded once more, and noted."""
    try:
        return listing(_unpacked(text)) if text else ""
    except ValueError:
        return ""


@dataclass(frozen=True)
class Socket:
    """What waits for somebody to come. `protocol`: "tcp" or "udp". `process`: its name, "" if the kernel itself."""

    protocol: str
    address: str
    port: int
    process: str = ""


@dataclass(frozen=True)
class Setup:
    """
    The suite's own firewall as it is installed.

    `program`: nft is there. `rules`, `unit`: SHA-256 of both files, "" without one. `note`: what the kernel made of the
    rules when they were loaded last, as table.listing() tells it. `enabled`, `active`: of the unit.
    `ssh_ports`: where programs wait for SSH, and where the connection of this run came in. `uplinks`: interfaces that
    lead to the Internet and are no devices, but bridges and the like.
    """

    program: bool = False
    rules: str = ""
    unit: str = ""
    note: str = ""
    enabled: bool = False
    active: bool = False
    ssh_ports: tuple[int, ...] = ()
    uplinks: tuple[str, ...] = ()
    sockets: tuple[Socket, ...] = ()


class FirewallSetup(Fact[Setup]):
    """What there is of the suite's firewall beside its rules in the kernel, and what it has to let in."""

    script = "firewall/setup"
    before = (UNITS,)
    shared = (UNITS,)

    @classmethod
    def of_the_server(cls) -> Question[Setup]:
        """The question about the places that mstdn/layout.py names."""
        return cls.question(FIREWALL_RULES, FIREWALL_UNIT, FIREWALL_NOTE)

    @override
    def read(self, lines: Lines) -> Setup:
        sums = {path: sum_ for sum_, path in lines.words("sum")}
        units = _units(lines.all("systemd"))
        ours = units.get("mstdn-firewall.service", {})
        sockets = [_socket(words) for words in lines.words("socket")]
        ssh = [
            *map(int, lines.all("ssh")),
            *(each.port for each in sockets if each.process == SSH),
            *(port for unit in units.values() for port in _activated(unit)),
        ]
        note = lines.get("note")
        return Setup(
            program="nft" in lines,
            rules=sums.get(FIREWALL_RULES, ""),
            unit=sums.get(FIREWALL_UNIT, ""),
            note=_noted(note),
            enabled=ours.get("UnitFileState") == "enabled",
            active=ours.get("ActiveState") == "active" and ours.get("NeedDaemonReload", "no") == "no",
            ssh_ports=tuple(sorted(set(ssh))),
            uplinks=tuple(sorted(set(lines.all("uplink")))),
            sockets=tuple(each for each in sockets if each.process != SSH),
        )


# How the script calls a program that waits for SSH.
SSH = "(ssh)"


def _units(lines: Sequence[str]) -> dict[str, dict[str, str]]:
    """Properties by unit; a line without one is between two units."""
    units: dict[str, dict[str, str]] = {}
    unit: dict[str, str] = {}
    for line in (*lines, ""):
        name, equals, value = line.partition("=")
        if equals:
            unit[name] = f"{unit[name]} {value}" if name in unit else value
        elif unit:
            units[unit.get("Id", "")], unit = unit, {}
    return units


def _activated(unit: dict[str, str]) -> Iterator[int]:
    """Ports at which systemd itself waits for SSH: "[::]:22 (Stream)"."""
    if unit.get("ActiveState") == "active":
        for address, port in re.findall(r"(\S*?):(\d+) \(Stream\)", unit.get("Listen", "")):
            if not is_loopback(address):
                yield int(port)


def is_loopback(address: str) -> bool:
    """Whether only the server itself reaches what listens at this address."""
    return address.strip("[]").startswith(("127.", "::1", "::ffff:127."))


def _socket(words: Sequence[str]) -> Socket:
    protocol, address, port, *process = words
    return Socket(protocol, address, int(port), " ".join(process))
