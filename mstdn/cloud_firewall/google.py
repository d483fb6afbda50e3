"""
Google's firewall: rules of the network, bound to a tag that the server carries.

The original guide also opens tcp:9090. It is not needed: the inner nginx publishes no port, and HTTP-01 uses port 80.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from mstdn.cloud.errors import ProvisionError
from mstdn.cloud.google import Google
from mstdn.cloud_firewall.rules import FoundFirewall, Part, Rule, wanted_rules
from mstdn.settings.provision import ProvisionSettings

# Google takes IPv4 and IPv6 sources in rules of their own. The servers made here have IPv4 only.
EVERYWHERE_IPV4 = "0.0.0.0/0"
# The lower one counts, and of two equal ones that which forbids. Source: cloud.google.com/firewall/docs/firewalls.
PRIORITY = 1000


class GoogleFirewall:
    def __init__(self, settings: ProvisionSettings):
        self._google = Google(settings)
        self._network = settings.server_network
        self.tag = settings.cloud_firewall_tag
        self.heading = f"google      project {self._google.project}"
        wanted = wanted_rules(settings.cloud_firewall_ports, settings.cloud_firewall_ssh_from)
        names = (
            (f"{settings.server_name}-web",)
            if len(wanted) == 1
            else (
                f"{settings.server_name}-ssh",
                f"{settings.server_name}-web",
            )
        )
        self._parts = tuple(Part(name, (_ipv4(rule),)) for name, rule in zip(names, wanted, strict=True))

    def parts(self) -> Sequence[Part]:
        return self._parts

    def look(self, part: Part) -> FoundFirewall | None:
        found = self._google.find("look for the firewall rule", f"/global/firewalls/{part.name}")
        if found is None:
            return None
        self._may_be_repaired(part, found)
        rules = tuple(
            Rule(
                tuple(sorted(each.get("ports", ()), key=lambda port: (len(port), port))),
                tuple(sorted(map(_network, found.get("sourceRanges", ())))),
                each["IPProtocol"],
            )
            for each in found.get("allowed", ())
        )
        applies = found.get("targetTags") == [self.tag]
        return FoundFirewall(rules, applies, enabled=not found.get("disabled", False))

    def _may_be_repaired(self, part: Part, found: dict[str, Any]) -> None:
        """Raises ProvisionError for a rule of this name that is another thing altogether."""
        network = found.get("network", "").rpartition("/")[2]
        wrong = (
            f"is one of the network {network}, and the server's is {self._network} (server_network)"
            if network != self._network
            else "is one for the way out"
            if found.get("direction") != "INGRESS"
            else "forbids instead of letting in"
            if found.get("denied")
            else ""
        )
        if wrong:
            raise ProvisionError(
                f"The firewall rule {part.name} {wrong}. It was not touched. Delete it in the console if nothing "
                "needs it, or choose another server_name."
            )

    def do(self, part: Part, what: str) -> None:
        body = self._body(part)
        if what == "create":
            self._google.make("create the firewall rule", "/global/firewalls", body)
            return
        # One request repairs all of it; those after it find nothing left to do.
        found = self.look(part)
        if found is not None and (found.rules != part.rules or not found.applies or not found.enabled):
            changed = {key: value for key, value in body.items() if key not in ("network", "direction")}
            self._google.patch("repair the firewall rule", f"/global/firewalls/{part.name}", changed)

    def rules_of_others(self) -> Sequence[str]:
        names = {part.name for part in self._parts}
        found = [
            each
            for each in self._google.all("list firewall rules", "/global/firewalls")
            if each["name"] not in names
            and each.get("network", "").endswith(f"/{self._network}")
            and each.get("direction") == "INGRESS"
            and not each.get("disabled")
            and EVERYWHERE_IPV4 in each.get("sourceRanges", [])
            and (not each.get("targetTags") or self.tag in each["targetTags"])
        ]
        opening = [
            f"the rule {each['name']} of the network {self._network} also lets {_allowed(each)} in from anywhere. "
            "If nothing needs it, disable it in the console."
            for each in found
            if any(allowed["IPProtocol"] not in ("icmp",) for allowed in each.get("allowed", ()))
            and not _within(each, self._parts)
        ]
        shutting = [
            f"the rule {each['name']} of the network {self._network} keeps visitors from the ports {', '.join(shut)}, "
            "whatever ours lets in. If it is not meant for this server, give it a priority above 1000 or other target "
            "tags."
            for each in found
            if (shut := _shut(each, self._parts))
        ]
        return [*opening, *shutting]

    def _body(self, part: Part) -> dict[str, Any]:
        return {
            "name": part.name,
            "network": f"global/networks/{self._network}",
            "direction": "INGRESS",
            "priority": PRIORITY,
            "sourceRanges": list(part.rules[0].sources),
            "targetTags": [self.tag],
            "allowed": [{"IPProtocol": rule.protocol, "ports": list(rule.ports)} for rule in part.rules],
            "disabled": False,
        }


def _network(source: str) -> str:
    """One address may be written with its prefix or without."""
    try:
        return str(ipaddress.ip_network(source))
    except ValueError:
        return source


def _ipv4(rule: Rule) -> Rule:
    return Rule(rule.ports, tuple(source for source in rule.sources if ":" not in source), rule.protocol)


def _allowed(rule: dict[str, Any]) -> str:
    return "; ".join(
        " ".join([each["IPProtocol"], ", ".join(each.get("ports", ["all ports"]))]) for each in rule["allowed"]
    )


def _within(rule: dict[str, Any], parts: Sequence[Part]) -> bool:
    """True if the rule lets no more through than ours do."""
    ours = {port for part in parts for each in part.rules if EVERYWHERE_IPV4 in each.sources for port in each.ports}
    return all(each["IPProtocol"] == "tcp" and set(each.get("ports", ["all"])) <= ours for each in rule["allowed"])


def _shut(rule: dict[str, Any], parts: Sequence[Part]) -> list[str]:
    """Those of our ports that the rule of somebody else forbids before ours can let them in."""
    if rule.get("priority", PRIORITY) > PRIORITY:
        return []
    ours = sorted({port for part in parts for each in part.rules for port in each.ports}, key=int)
    return [
        port
        for port in ours
        if any(
            each["IPProtocol"] in ("tcp", "all")
            and any(_covers(ports, port) for ports in each.get("ports", ["0-65535"]))
            for each in rule.get("denied", ())
        )
    ]


def _covers(ports: str, port: str) -> bool:
    first, _, last = ports.partition("-")
    return int(first) <= int(port) <= int(last or first)
