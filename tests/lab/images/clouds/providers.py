"""
All providers at once, for as long as somebody holds the other end of standard input (tests/lab/clouds.py).

One JSON object on a line, each way. First comes what the lab has to give:

    {"own": address, "name_servers": [address, ...], "zones": {zone: provider, ...},
     "machines": [{"public": address, "private": address, "ipv6": network of 64 bits}, ...]}

then questions, {"ask": name, ...}, each answered by {"answer": value}. A machine is ordered by {"boot": {...}}; as at
real providers, it counts as running before it lets anybody in.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from typing_extensions import override

from tests.lab.images.clouds import submission
from tests.lab.images.clouds.edge import Edge
from tests.stand_ins.accounts import Accounts
from tests.stand_ins.data_centre import BareMachine, DataCentre
from tests.stand_ins.internet import Internet, serve
from tests.stand_ins.names import Names

TOP = "example"
# What each provider calls its name servers; the lab's DNS asks here for these names (internet/dnsmasq.conf).
NAME_SERVERS = {
    "route53": ("ns-1.awsdns-01.com", "ns-2.awsdns-02.net"),
    "cloudflare": ("ada.ns.cloudflare.com", "bob.ns.cloudflare.com"),
    "hetzner": ("hydrogen.ns.hetzner.com", "helium.ns.hetzner.de"),
    "": ("ns1.registrar.example", "ns2.registrar.example"),
}
# What was accepted and nobody asks for comes to pass all the same.
PASSES_SECONDS = 10.0


class Line:
    """The way to who has the machines; lines of several threads do not mix."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def say(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            print(json.dumps(message), flush=True)


class LabCentre(DataCentre):
    """Addresses of the lab, each given once, and its machines."""

    def __init__(self, machines: Sequence[Mapping[str, str]], line: Line):
        super().__init__()
        self._private = {each["public"]: each["private"] for each in machines}
        self._public, self._networks = list(self._private), [each["ipv6"] for each in machines]
        self._line = line

    @override
    def ipv4(self) -> str:
        return self._public.pop(0)

    @override
    def ipv6(self) -> str:
        return self._networks.pop(0)

    @override
    def boot(self, machine: BareMachine) -> None:
        self._line.say({"boot": {"private": self._private[machine.ipv4], **asdict(machine)}})


class Providers:
    """`world`: the first line."""

    def __init__(self, world: Mapping[str, Any], line: Line):
        self._machines = {each["public"]: each["private"] for each in world["machines"]}
        self.names = Names(TOP, (world["own"], *world["name_servers"]))
        self.accounts = Accounts(self.names, LabCentre(world["machines"], line))
        for zone, provider in world["zones"].items():
            self.names.add_zone(zone, *zip(NAME_SERVERS[provider], world["name_servers"], strict=True))
            if provider:
                getattr(self.accounts, provider).add_zone(zone)
        self.internet = Internet()
        self.internet.sites = self.accounts.sites
        self.edge = Edge(self._machines)
        self.internet.afterwards.append(self.guard)

    def guard(self) -> None:
        """Have the firewalls' rules obeyed."""
        self.edge.apply(self.accounts.openings())

    def let_time_pass(self) -> None:
        """Time passes."""
        pause = threading.Event()
        while not pause.wait(PASSES_SECONDS):
            with self.internet.lock:
                self.accounts.settle()
                self.guard()

    def start(self, address: str) -> None:
        """Answer to everybody."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("/identity/tls.crt", "/identity/tls.key")
        self.guard()
        self.names.start(53)
        serve(self.internet, address, context)
        submission.serve((self.accounts.sparkpost, self.accounts.sparkpost_eu), address, context)
        threading.Thread(target=self.let_time_pass, daemon=True).start()

    def answer(self, question: str, **words: Any) -> Any:
        """What the lab may ask, and what may be done at the providers' consoles."""
        with self.internet.lock:
            return getattr(self, f"_{question}")(**words)

    def _key_file(self) -> Any:
        return self.accounts.google.key()

    def _journal(self) -> list[str]:
        return [str(each) for each in self.internet.journal]

    def _possessions(self) -> dict[str, list[str]]:
        google, hetzner = self.accounts.google, self.accounts.hetzner
        return {
            "google": [*google.firewalls, *(name for _, name in (*google.addresses, *google.instances))],
            "hetzner": [
                str(each["name"])
                for kind in (hetzner.firewalls, hetzner.primary_ips, hetzner.ssh_keys, hetzner.servers)
                for each in kind.values()
            ],
            "sparkpost": list(self.accounts.sparkpost.domains),
        }

    def _untag(self) -> None:
        """Somebody takes the network tags off Google's servers."""
        for instance in self.accounts.google.instances.values():
            instance["tags"].update(items=[], fingerprint="changed")
        self.guard()

    def _enter_records(self, zone: str, records: Sequence[Sequence[str]]) -> None:
        """Somebody enters records (name, type, value) by hand."""
        for name, kind, value in records:
            self.names.publish(zone, name, kind, 300, (*self.names.values(name, kind), value))


def main() -> None:
    """Serve until standard input ends."""
    line = Line()
    world = json.loads(sys.stdin.readline())
    providers = Providers(world, line)
    providers.start(world["own"])
    line.say({"answer": "ready"})
    for text in sys.stdin:
        message = json.loads(text)
        line.say({"answer": providers.answer(message.pop("ask"), **message)})


if __name__ == "__main__":
    main()
