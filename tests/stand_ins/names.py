"""
A small DNS: the registry of org and the zones below it, on the addresses of their name servers, over UDP and TCP.

It answers as an authoritative server. The registry's address is a resolver too, for those who ask for recursion; it
remembers what does not exist, as real ones do.
"""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from typing_extensions import override

from mstdn.dns.zone_file import quoted

LOOPBACK = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
REMEMBERS_SECONDS = 300
SOA = f"ns.invalid. hostmaster.invalid. 1 3600 600 86400 {REMEMBERS_SECONDS}"


class Names:
    """
    `zones`: record sets by zone, then by (name, type): (ttl, values), texts without quotes. `delegations`: the name
    servers of each zone, by name. `addresses`: where name servers are. `top`: the top-level domain.

    `places`: all addresses to listen at, first that of the registry, which is a resolver too.
    """

    def __init__(self, top: str = "org", places: Sequence[str] = LOOPBACK) -> None:
        self.top, self.places = top, tuple(places)
        self.port = 0
        self._servers: list[socketserver.BaseServer] = []
        self.forget()

    def forget(self) -> None:
        """As at the beginning, without any zone but the registry's."""
        self.zones: dict[str, dict[tuple[str, str], tuple[int, tuple[str, ...]]]] = {self.top: {}}
        registry = f"a.registry.{self.top}"
        self.delegations: dict[str, tuple[str, ...]] = {self.top: (registry,)}
        self.addresses: dict[str, str] = {registry: self.places[0]}
        # What does not exist, and until when that is remembered.
        self.resolver_remembers: dict[tuple[str, str], float] = {}
        self.questions: list[tuple[str, str, str, bool]] = []
        self.deaf: set[str] = set()

    def add_zone(self, name: str, *servers: tuple[str, str]) -> None:
        """A zone with its name servers (name, address)."""
        self.zones[name] = {}
        self.delegations[name] = tuple(server for server, _ in servers)
        self.addresses.update(servers)

    def publish(self, zone: str, name: str, kind: str, ttl: int, values: tuple[str, ...]) -> None:
        """The record set as it is from now on; none without values."""
        if values:
            self.zones[zone][name, kind] = (ttl, values)
        else:
            self.zones[zone].pop((name, kind), None)

    def replace(self, zone: str, records: Mapping[tuple[str, str], tuple[int, tuple[str, ...]]]) -> None:
        """The zone as it is from now on. At once: who asks in between must not learn that a name does not exist."""
        self.zones[zone] = {key: found for key, found in records.items() if found[1]}

    def values(self, name: str, kind: str) -> tuple[str, ...]:
        """What the zones say."""
        for zone in self.zones.values():
            if (name, kind) in zone:
                return zone[name, kind][1]
        return ()

    def start(self, port: int = 0) -> None:
        """Listen on every name server's address, at the port, or at one that is free on all of them."""
        for _ in range(50):
            self.port = port or self._free_port()
            try:
                for address in self.places:
                    self._servers.append(_udp(self, address))
                    self._servers.append(_tcp(self, address))
                break
            except OSError:
                self.stop()
                if port:
                    raise
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self._started = True

    def _free_port(self) -> int:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((self.places[0], 0))
            return int(probe.getsockname()[1])

    def stop(self) -> None:
        servers, self._servers = self._servers, []
        if getattr(self, "_started", False):
            # All at the same time, for each notices at its next look only.
            with ThreadPoolExecutor(len(servers)) as pool:
                list(pool.map(socketserver.BaseServer.shutdown, servers))
        for server in servers:
            server.server_close()

    def reply(self, wire: bytes, server: str, udp: bool) -> bytes | None:
        if server in self.deaf:
            return None
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = str(question.name).rstrip(".").lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        # A zone's name server resolves for nobody, whatever it is asked.
        recursive = bool(query.flags & dns.flags.RD) and server == self.places[0]
        self.questions.append((server, name, kind, recursive))
        response = dns.message.make_response(query)
        if recursive:
            self._as_resolver(response, name, kind)
        else:
            self._as_authority(response, name, kind, server)
        encoded = response.to_wire(max_size=65535)
        if udp and len(encoded) > 1232:
            short = dns.message.make_response(query)
            short.flags |= dns.flags.TC
            encoded = short.to_wire()
        return encoded

    def _zone_of(self, name: str) -> str | None:
        fitting = [zone for zone in self.zones if name == zone or name.endswith(f".{zone}")]
        return max(fitting, key=len, default=None)

    def _as_resolver(self, response: Any, name: str, kind: str) -> None:
        response.flags |= dns.flags.RA
        if self.resolver_remembers.get((name, kind), 0) > time.monotonic():
            response.set_rcode(dns.rcode.NXDOMAIN)
            return
        if kind == "A" and name in self.addresses:
            _add(response.answer, name, "A", 300, (self.addresses[name],))
            return
        zone = self._zone_of(name)
        if zone is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return
        if kind == "NS" and name in self.delegations:
            _add(response.answer, name, "NS", 300, tuple(f"{each}." for each in self.delegations[name]))
            return
        self._from_zone(response, zone, name, kind)
        if not response.answer:
            self.resolver_remembers[name, kind] = time.monotonic() + REMEMBERS_SECONDS

    def _as_authority(self, response: Any, name: str, kind: str, server: str) -> None:
        hosted = [
            zone for zone, names in self.delegations.items() if server in {self.addresses.get(each) for each in names}
        ]
        fitting = [zone for zone in hosted if name == zone or name.endswith(f".{zone}")]
        zone = max(fitting, key=len, default=None)
        if zone is None:
            response.set_rcode(dns.rcode.REFUSED)
            return
        below = [
            cut for cut in self.delegations if cut.endswith(f".{zone}") and (name == cut or name.endswith(f".{cut}"))
        ]
        cut = min(below, key=len, default=None)
        if cut is not None and cut not in hosted:
            _add(response.authority, cut, "NS", 300, tuple(f"{each}." for each in self.delegations[cut]))
            for each in self.delegations[cut]:
                if each in self.addresses and each.endswith(f".{cut}"):
                    _add(response.additional, each, "A", 300, (self.addresses[each],))
            return
        response.flags |= dns.flags.AA
        if kind == "NS" and name == zone:
            _add(response.answer, name, "NS", 300, tuple(f"{each}." for each in self.delegations[zone]))
            return
        self._from_zone(response, zone, name, kind)

    def _from_zone(self, response: Any, zone: str, name: str, kind: str) -> None:
        records = self.zones.get(zone, {})
        if (name, kind) in records:
            _add(response.answer, name, kind, *records[name, kind])
        elif (name, "CNAME") in records:
            _add(response.answer, name, "CNAME", *records[name, "CNAME"])
        else:
            _add(response.authority, zone, "SOA", 300, (SOA,))
            known = name == zone or any(each == name or each.endswith(f".{name}") for each, _ in records)
            if not known and not any(each == name or each.endswith(f".{name}") for each in self.delegations):
                response.set_rcode(dns.rcode.NXDOMAIN)


def _add(section: list[Any], name: str, kind: str, ttl: int, values: tuple[str, ...]) -> None:
    written = [quoted(value) if kind == "TXT" else value for value in values]
    section.append(dns.rrset.from_text_list(f"{name}.", ttl, "IN", kind, written))


def _udp(names: Names, address: str) -> socketserver.BaseServer:
    class Handler(socketserver.BaseRequestHandler):
        @override
        def handle(self) -> None:
            wire, connection = self.request
            reply = names.reply(wire, address, udp=True)
            if reply is not None:
                connection.sendto(reply, self.client_address)

    return socketserver.ThreadingUDPServer((address, names.port), Handler)


def _tcp(names: Names, address: str) -> socketserver.BaseServer:
    class Handler(socketserver.StreamRequestHandler):
        @override
        def handle(self) -> None:
            length = int.from_bytes(self.rfile.read(2), "big")
            reply = names.reply(self.rfile.read(length), address, udp=False)
            if reply is not None:
                self.wfile.write(len(reply).to_bytes(2, "big") + reply)

    return socketserver.ThreadingTCPServer((address, names.port), Handler)
