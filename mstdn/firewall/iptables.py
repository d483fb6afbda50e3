"""The rules of iptables, from the text of iptables-save. Pure. Source: iptables(8), iptables-extensions(8)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from mstdn.firewall.packets import Chain, Hook, Packet, Rule, Test, address_matches, interface_matches

HOOKS: dict[str, Hook] = {"PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward", "OUTPUT": "output"}
# The tables in which something may be dropped, with their priority.
TABLES = {"raw": -300, "mangle": -150, "filter": 0}
VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return", "TARPIT": "drop"}
# They look at a packet, or mark it, and it goes on.
GOES_ON = (
    *("LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "CONNSECMARK", "SECMARK", "TCPMSS", "TOS", "DSCP", "TTL", "HL"),
    *("CLASSIFY", "CT", "NOTRACK", "TRACE", "SET", "AUDIT", "CHECKSUM", "RATEEST", "IDLETIMER", "TPROXY"),
)


def base_chains(lines: Iterable[str], family: int) -> Iterator[Chain]:
    """The kernel's chains of the tables in which something may be dropped, as often as there is one. family: 4 or 6."""
    table, policies = "", dict[str, str]()
    rules: dict[str, list[Rule]] = {}
    for line in [*lines, "*"]:
        if line.startswith("*"):
            if table in TABLES:
                yield from _chains(table, policies, rules, family)
            table, policies, rules = line[1:].strip(), {}, {}
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            policies[name], rules[name] = policy, []
        elif line.startswith("-A ") and table in TABLES:
            rules.setdefault(line.split()[1], []).append(_rule(line))


# Chains of the table nat by which engines lead ports to their own containers, and which they tell of themselves.
_ENGINES = ("DOCKER", "LIBVIRT_", "ts-")


def redirections(lines: Iterable[str]) -> Iterator[str]:
    """Rules of somebody's, not Docker's, that lead what comes in elsewhere: ports that nothing listens on."""
    table = ""
    for line in lines:
        if line.startswith("*"):
            table = line[1:].strip()
        elif table == "nat" and line.startswith("-A PREROUTING "):
            _, _, target = line.partition(" -j ")
            if target and not target.startswith(_ENGINES):
                yield line


def _chains(table: str, policies: dict[str, str], rules: dict[str, list[Rule]], family: int) -> Iterator[Chain]:
    others = {name: tuple(found) for name, found in rules.items() if name not in HOOKS}
    for name, hook in HOOKS.items():
        if name in policies:
            policy = "drop" if policies[name] == "DROP" else "accept"
            place = name if table == "filter" else f"{table} {name}"
            families, own = frozenset({family}), tuple(rules[name])
            yield Chain("iptables", place, hook, families, policy, own, others, TABLES[table])


def _rule(line: str) -> Rule:
    """The rule. Of one in a form that is not known here nothing is known: the server is not to blame for it."""
    try:
        return _understood(line)
    except (LookupError, ValueError):
        return Rule((_unknown,), "unknown", text=line)


def _understood(line: str) -> Rule:
    words = shlex.split(line)
    tests: list[Test] = []
    verdict = target = ""
    at = 2
    while at < len(words):
        negated = words[at] == "!"
        at += negated
        option, at = words[at], at + 1
        values: list[str] = []
        while at < len(words) and not words[at].startswith("-") and words[at] != "!":
            values.append(words[at])
            at += 1
        if option in ("-j", "-g"):
            name = values[0]
            verdict = VERDICTS.get(name, "" if name in GOES_ON else "goto" if option == "-g" else "jump")
            if name in ("NFQUEUE", "QUEUE"):
                verdict = "unknown"
            target = name
            # What follows are options of the target.
            break
        if (test := _test(option, values)) is not None:
            tests.append(_not(test) if negated else test)
    return Rule(tuple(tests), verdict, target, line)


def _not(test: Test) -> Test:
    def negated(packet: Packet) -> bool | None:
        found = test(packet)
        return None if found is None else not found

    return negated


def _unknown(_: Packet) -> bool | None:
    return None


def _test(option: str, values: list[str]) -> Test | None:
    """The condition of one option; None where it is none."""
    value = values[0] if values else ""
    match option:
        case "-m" if value in ("socket", "rpfilter"):
            # They ask without an option.
            return _unknown
        case "-m" | "--comment" | "--mask" | "--name" | "--rsource" | "--rdest":
            return None
        case "-p":
            return lambda packet: value in ("all", packet.protocol)
        case "-i":
            return lambda packet: interface_matches(value, packet.arrives, "+")
        case "-o":
            return lambda packet: interface_matches(value, packet.leaves, "+")
        case "-s":
            return lambda packet: address_matches(value, packet.source)
        case "-d":
            return lambda packet: address_matches(value, packet.destination)
        case "--dport" | "--dports":
            return lambda packet: _in_ports(value, packet.port)
        case "--sport" | "--sports":
            return lambda packet: _in_ports(value, packet.source_port)
        case "--ports":
            return lambda packet: _in_ports(value, packet.port) or _in_ports(value, packet.source_port)
        case "--ctstate" | "--state":
            return lambda packet: packet.state in value.lower().split(",") if packet.state else None
        case "--ctstatus":
            return lambda packet: packet.redirected if value == "DNAT" else None
        case "--ctorigdstport":
            return lambda packet: _in_ports(value, packet.port) if packet.redirected else None
        case "--ctdir":
            return lambda packet: (value == "REPLY") == (packet.state == "established") if packet.state else None
        case "--dst-type":
            return lambda packet: _is_local(packet) if value == "LOCAL" else False
        case "--src-type":
            return lambda packet: packet.hook == "output" if value == "LOCAL" else False
        case "--pkt-type":
            return lambda packet: value == "unicast"
        case "--tcp-flags":
            # Of an ordinary beginning only SYN is set; later only ACK.
            return lambda packet: _flags(values, packet) if packet.state else None
        case "--syn":
            return lambda packet: packet.protocol == "tcp" and (packet.state == "new" if packet.state else None)
        case "--icmp-type" | "--icmpv6-type":
            return lambda packet: False
        case _:
            return _unknown


def _is_local(packet: Packet) -> bool | None:
    """Whether it is for the server itself: before it is known where it goes, only its destination tells."""
    return None if packet.hook == "prerouting" else packet.hook == "input"


def _flags(values: list[str], packet: Packet) -> bool:
    asked = set(values[0].split(",")) if values[0] != "ALL" else {"FIN", "SYN", "RST", "PSH", "ACK", "URG"}
    wanted = set() if values[1] == "NONE" else set(values[1].split(","))
    has = {"SYN"} if packet.state == "new" else {"ACK"}
    return has & asked == wanted


def _in_ports(value: str, port: int) -> bool | None:
    if not re.fullmatch(r"[0-9:,]+", value):
        return None
    for part in value.split(","):
        first, colon, last = part.partition(":")
        if int(first or 0) <= port <= int(last or 65535 if colon else first):
            return True
    return False
