"""The rules of nftables, from the JSON of nft --json list ruleset. Pure. Source: libnftables-json(5)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from mstdn.firewall.iptables import TABLES
from mstdn.firewall.packets import Chain, Hook, Packet, Rule, Test, address_matches, interface_matches
from mstdn.firewall.table import FAMILY, TABLE

HOOKS: dict[str, Hook] = {
    "ingress": "prerouting",
    "prerouting": "prerouting",
    "input": "input",
    "forward": "forward",
    "output": "output",
}
FAMILIES = {"ip": frozenset({4}), "ip6": frozenset({6}), "inet": frozenset({4, 6}), "netdev": frozenset({4, 6})}
# An ingress chain comes before everything else, whatever its number.
FIRST = -1000
FAMILY_OF = {4: "ip", 6: "ip6"}


def base_chains(ruleset: dict[str, Any], elsewhere: Collection[int] = ()) -> Iterator[Chain]:
    """
    The chains of type filter that see packets come in, go through or go out, in the kernel's order; not the suite's.

    elsewhere: families (4, 6) whose tables of iptables are read from iptables-save, which tells more of them.
    """
    objects = ruleset.get("nftables", [])
    chains = [each["chain"] for each in objects if "chain" in each]
    rules: dict[tuple[str, str, str], list[Rule]] = {}
    for each in (each["rule"] for each in objects if "rule" in each):
        rules.setdefault((each["family"], each["table"], each["chain"]), []).extend(_rules(each))
    for chain in sorted((each for each in chains if each.get("type") == "filter"), key=lambda each: int(each["prio"])):
        family, table, name = chain["family"], chain["table"], chain["name"]
        taken = table in TABLES and any(family == FAMILY_OF[each] for each in elsewhere)
        if chain["hook"] not in HOOKS or family not in FAMILIES or taken or (family, table) == (FAMILY, TABLE):
            continue
        devices = chain.get("dev", "")
        yield Chain(
            "nftables",
            f"{family} {table} {name}",
            HOOKS[chain["hook"]],
            FAMILIES[family],
            chain.get("policy", "accept"),
            tuple(rules.get((family, table, name), ())),
            {other: tuple(found) for (one, two, other), found in rules.items() if (one, two) == (family, table)},
            FIRST if chain["hook"] == "ingress" else int(chain["prio"]),
            devices if isinstance(devices, str) else next(iter(devices), ""),
        )


def _rules(rule: dict[str, Any]) -> list[Rule]:
    """
    The rule; more than one where it names verdicts in a map.

    Each version of nft tells some expressions in another form. Of a rule in a form that is not known here nothing is
    known: the server is not to blame for it.
    """
    try:
        return list(_understood(rule))
    except (AttributeError, LookupError, TypeError, ValueError):
        return [Rule((_unknown,), "unknown")]


def _understood(rule: dict[str, Any]) -> Iterator[Rule]:
    tests: list[Test] = []
    for statement in rule["expr"]:
        ((kind, what),) = statement.items()
        if kind == "match":
            tests.append(_test(what))
        elif kind == "limit":
            tests.append(_unknown)
        elif kind in ("accept", "drop", "return"):
            yield Rule(tuple(tests), kind, text=kind)
        elif kind == "reject":
            yield Rule(tuple(tests), "drop", text="reject")
        elif kind in ("jump", "goto"):
            yield Rule(tuple(tests), kind, what["target"])
        elif kind == "vmap":
            yield from _map(tests, what)
        elif kind == "xt":
            # An extension of iptables, of which nft tells no more than its name; before 1.0.6 (Ubuntu 22.04) not even
            # that, nor whether it looks at a packet or decides about it.
            if what is None:
                yield Rule((*tests, _unknown), "unknown")
                tests.append(_unknown)
            elif what.get("type") == "target":
                yield Rule(tuple(tests), "unknown")
            else:
                tests.append(_unknown)
        elif kind in ("queue", "tproxy", "fwd", "synproxy"):
            yield Rule(tuple(tests), "unknown")


def _map(tests: list[Test], what: dict[str, Any]) -> Iterator[Rule]:
    elements = what["data"].get("set") if isinstance(what["data"], dict) else None
    if elements is None:
        yield Rule((*tests, _unknown), "unknown")
        return
    for key, verdict in elements:
        one = _test({"op": "==", "left": what["key"], "right": key})
        ((kind, target),) = verdict.items()
        name = {"reject": "drop"}.get(kind, kind)
        yield Rule((*tests, one), name, target["target"] if target else "", text=kind)


def _unknown(_: Packet) -> bool | None:
    return None


def _test(match: dict[str, Any]) -> Test:
    left, right, operator = match["left"], match["right"], match["op"]

    def test(packet: Packet) -> bool | None:
        try:
            found = _holds(left, right, packet)
        except (AttributeError, LookupError, TypeError, ValueError):
            return None
        if found is None or operator not in ("==", "!=", "in"):
            return None
        return not found if operator == "!=" else found

    return test


def _holds(left: Any, right: Any, packet: Packet) -> bool | None:
    if isinstance(right, str) and right.startswith("@"):
        return None
    if isinstance(right, dict) and "set" in right:
        right = right["set"]
    if isinstance(right, list):
        answers = [_holds(left, each.get("elem", each) if isinstance(each, dict) else each, packet) for each in right]
        return True if True in answers else None if None in answers else False
    kind, what = next(iter(left.items())) if isinstance(left, dict) and len(left) == 1 else ("", {})
    if kind == "meta":
        return _meta(what["key"], right, packet)
    if kind == "payload" and "field" in what:
        return _payload(what["protocol"], what["field"], right, packet)
    if kind == "ct":
        return _connection(what["key"], right, packet)
    if kind == "fib":
        return _route(what, right, packet)
    return None


def _meta(key: str, right: Any, packet: Packet) -> bool | None:
    name = str(right)
    if key in ("iifname", "iif"):
        return interface_matches(name, packet.arrives, "*")
    if key in ("oifname", "oif"):
        return interface_matches(name, packet.leaves, "*")
    if key == "l4proto":
        return name in (packet.protocol, {"tcp": "6", "udp": "17"}.get(packet.protocol))
    if key in ("nfproto", "protocol"):
        return name in ({4: ("ipv4", "ip"), 6: ("ipv6", "ip6")}[packet.family])
    if key == "pkttype":
        return name in ("unicast", "host")
    return None


def _payload(protocol: str, field: str, right: Any, packet: Packet) -> bool | None:
    if protocol in ("tcp", "udp", "th"):
        if protocol not in ("th", packet.protocol):
            return False
        if field in ("dport", "sport"):
            return _number(right, packet.port if field == "dport" else packet.source_port)
        if field == "flags":
            return (
                {"syn": packet.state == "new", "ack": packet.state != "new"}.get(str(right)) if packet.state else None
            )
        return None
    if protocol in ("ip", "ip6"):
        if protocol != FAMILY_OF[packet.family]:
            return False
        if field in ("saddr", "daddr"):
            return _address(right, packet.source if field == "saddr" else packet.destination)
        if field in ("protocol", "nexthdr"):
            return str(right) in (packet.protocol, {"tcp": "6", "udp": "17"}.get(packet.protocol))
        return None
    return False if protocol.startswith("icmp") else None


def _number(right: Any, value: int) -> bool | None:
    if isinstance(right, dict) and "range" in right:
        first, last = right["range"]
        return int(first) <= value <= int(last)
    if isinstance(right, int):
        return right == value
    known = {"http": 80, "https": 443, "ssh": 22, "domain": 53, "smtp": 25}
    return known[right] == value if right in known else None


def _address(right: Any, address: str) -> bool | None:
    if isinstance(right, dict) and "prefix" in right:
        return address_matches(f"{right['prefix']['addr']}/{right['prefix']['len']}", address)
    return address_matches(right, address) if isinstance(right, str) else None


def _connection(key: str, right: Any, packet: Packet) -> bool | None:
    if not packet.state:
        return None
    if key == "state":
        return bool(right == packet.state)
    if key == "status":
        return packet.redirected if right == "dnat" else None
    if key == "direction":
        return bool(right == "reply") == (packet.state == "established")
    return None


def _route(what: dict[str, Any], right: Any, packet: Packet) -> bool | None:
    if what.get("result") == "type" and "daddr" in what.get("flags", ()) and packet.hook != "prerouting":
        return bool(right == "local") == (packet.hook == "input")
    return None
