"""
The DNS as the world sees it, asked at the name servers that have the zone.

A name is never looked up through a resolver before it exists: resolvers remember for an hour and more that a name does
not exist, and everybody behind them waits (cloudflare-docs#29782). So the way down goes from the top-level domain
through the servers that each zone is delegated to, and those are asked without recursion.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mstdn.cloud.errors import ProvisionError
from mstdn.cloud.extras import extra
from mstdn.dns.rules import canonical
from mstdn.dns.zone_file import unquoted

SECONDS = 3.0
TRIES = 2


@dataclass(frozen=True)
class Cut:
    """A zone as it is delegated. `servers`: the names of its name servers, and `addresses` where they answer."""

    name: str
    servers: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What one server says about a name and type: the values, or the CNAME that stands there instead."""

    server: str
    values: tuple[str, ...] = ()
    cname: str = ""


@dataclass
class Lookup:
    """
    `resolvers`: ask these for everything, as address or address#port; empty asks the zones' own servers, which this
    computer's resolver only helps to find. `port`: of all servers that are not in `resolvers`.
    """

    resolvers: tuple[str, ...] = ()
    port: int = 53
    seconds: float = SECONDS
    helpers: tuple[str, ...] | None = None
    # Addresses of name servers that did not answer a question usefully, of those that `ask` put it to.
    silent: set[str] = field(default_factory=set, repr=False)
    _deaf: set[str] = field(default_factory=set, repr=False)
    _cuts: dict[str, Cut] = field(default_factory=dict, repr=False)
    _dns: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._dns = extra("dns", "dnspython", "To ask name servers")
        for module in (
            "dns.message",
            "dns.query",
            "dns.resolver",
            "dns.flags",
            "dns.rcode",
            "dns.rdatatype",
            "dns.exception",
        ):
            extra(module, "dnspython", "To ask name servers")

    def delegation(self, name: str) -> Cut:
        """
        The deepest zone at or above the name, as it is delegated. Raises ProvisionError where nobody answers.
        """
        labels = name.split(".")
        cut = self._top(labels[-1])
        for start in range(len(labels) - 2, -1, -1):
            below = ".".join(labels[start:])
            if below in self._cuts:
                cut = self._cuts[below]
                continue
            message = self._first_answer(cut, below, "NS")
            if message.rcode() == self._dns.rcode.NXDOMAIN:
                break
            servers = self._name_servers(message, below)
            if servers:
                cut = self._cuts[below] = Cut(below, servers, self._addresses(servers, message))
        return cut

    def ask(self, name: str, kind: str) -> list[Answer]:
        """
        What each name server of the name's zone says. Raises ProvisionError where not one of them answers.
        """
        cut = self.delegation(name)
        answers = []
        for address in self._willing(cut):
            message = self._query(address, name, kind)
            if message is None:
                self.silent.add(address)
            else:
                answers.append(self._answer(address, message, name, kind))
        self.silent |= self._deaf & set(self._targets(cut))
        if not answers:
            raise self._silent(cut)
        return answers

    def caa(self, name: str) -> tuple[str, tuple[str, ...]]:
        """The CAA records that count for the name, and who has them: itself or the nearest above. Raises as `ask`."""
        labels = name.split(".")
        for start in range(len(labels)):
            owner = ".".join(labels[start:])
            answer = self._first_answer(self.delegation(owner), owner, "CAA")
            values = self._answer("", answer, owner, "CAA").values
            if values:
                return owner, values
        return name, ()

    def addresses_of(self, servers: Sequence[str]) -> set[str]:
        """The IPv4 addresses of these name servers, as far as a resolver knows them: such names exist."""
        found: set[str] = set()
        for server in servers:
            response = self._through_resolver(f"{server}.", "A")
            if response is not None:
                found |= set(self._answer("", response, server, "A", follow=True).values)
        return found

    def _top(self, label: str) -> Cut:
        if label not in self._cuts:
            message = self._through_resolver(f"{label}.", "NS")
            servers = self._name_servers(message, label) if message is not None else ()
            self._cuts[label] = Cut(label, servers, self._addresses(servers, message) if servers else ())
        return self._cuts[label]

    def _targets(self, cut: Cut) -> Sequence[str]:
        return self.resolvers or cut.addresses

    def _willing(self, cut: Cut) -> Sequence[str]:
        """One that was deaf is not waited for again, question after question, as long as there are others."""
        return [address for address in self._targets(cut) if address not in self._deaf] or self._targets(cut)

    def _first_answer(self, cut: Cut, name: str, kind: str) -> Any:
        targets = list(self._willing(cut))
        random.shuffle(targets)
        for address in targets:
            message = self._query(address, name, kind)
            if message is not None:
                return message
        raise self._silent(cut)

    def _query(self, target: str, name: str, kind: str) -> Any:
        """The message, or None where this server does not answer usefully."""
        dns = self._dns
        address, _, port = target.partition("#")
        query = dns.message.make_query(f"{name}.", kind, use_edns=True)
        if not self.resolvers:
            query.flags &= ~dns.flags.RD
        number = int(port) if port else (53 if self.resolvers else self.port)
        for _ in range(TRIES):
            try:
                message, _used_tcp = dns.query.udp_with_fallback(query, address, timeout=self.seconds, port=number)
            except (dns.exception.DNSException, OSError, EOFError):
                continue
            self._deaf.discard(target)
            if message.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return message
            return None
        self._deaf.add(target)
        return None

    def _through_resolver(self, name: str, kind: str) -> Any:
        dns = self._dns
        try:
            if self.helpers is not None or self.resolvers:
                for target in self.resolvers or self.helpers or ():
                    address, _, port = target.partition("#")
                    query = dns.message.make_query(name, kind)
                    try:
                        number = int(port) if port else (53 if self.resolvers else self.port)
                        return dns.query.udp_with_fallback(query, address, timeout=self.seconds, port=number)[0]
                    except (dns.exception.DNSException, OSError):
                        continue
                return None
            return dns.resolver.resolve(name, kind, raise_on_no_answer=False, lifetime=2 * self.seconds).response
        except (dns.exception.DNSException, OSError):
            return None

    def _name_servers(self, message: Any, owner: str) -> tuple[str, ...]:
        found = set()
        for section in (message.answer, message.authority):
            for rrset in section:
                if rrset.rdtype == self._dns.rdatatype.NS and str(rrset.name).rstrip(".").lower() == owner:
                    found |= {str(each.target).rstrip(".").lower() for each in rrset}
        return tuple(sorted(found))

    def _addresses(self, servers: Sequence[str], message: Any) -> tuple[str, ...]:
        """IPv4 addresses from the message's additional section, or through the resolver: these names exist."""
        if self.resolvers:
            return ()
        glue: dict[str, list[str]] = {}
        for rrset in message.additional:
            if rrset.rdtype == self._dns.rdatatype.A:
                glue.setdefault(str(rrset.name).rstrip(".").lower(), []).extend(each.address for each in rrset)
        addresses: list[str] = []
        for server in servers:
            known = glue.get(server)
            if known is None:
                response = self._through_resolver(f"{server}.", "A")
                known = [] if response is None else list(self._answer("", response, server, "A", follow=True).values)
            addresses += known
        return tuple(dict.fromkeys(addresses))

    def _answer(self, server: str, message: Any, name: str, kind: str, follow: bool = False) -> Answer:
        values: list[str] = []
        cname = ""
        for rrset in message.answer:
            own = str(rrset.name).rstrip(".").lower() == name
            if rrset.rdtype == self._dns.rdatatype.CNAME and own and kind != "CNAME":
                cname = str(rrset[0].target).rstrip(".").lower()
            elif rrset.rdtype == self._dns.rdatatype.from_text(kind) and (own or follow):
                values += [canonical(kind, unquoted(str(each)) if kind == "TXT" else str(each)) for each in rrset]
        return Answer(server, tuple(sorted(values)), cname)

    def _silent(self, cut: Cut) -> ProvisionError:
        if self.resolvers:
            return ProvisionError(f"None of dns_resolvers answers: {', '.join(self.resolvers)}.")
        return ProvisionError(
            f"None of the name servers of {cut.name} answers this computer "
            f"({', '.join(cut.servers) or 'none is known'}). "
            'If your network shuts port 53, name a resolver that it allows: dns_resolvers = ["…"].'
        )
