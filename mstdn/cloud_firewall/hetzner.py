"""
Hetzner's firewall, bound to a label: the server is born behind it (docs.hetzner.cloud, "Firewalls").

What no rule lets in is dropped. ICMP is let in: without it, path MTU discovery fails and some visitors see nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from mstdn.cloud.errors import ProviderError
from mstdn.cloud.hetzner import OURS, Hetzner
from mstdn.cloud_firewall.rules import EVERYWHERE, FoundFirewall, Part, Rule, wanted_rules
from mstdn.settings.provision import ProvisionSettings

LABEL = "mstdn-firewall"


class HetznerFirewall:
    heading = "hetzner"

    def __init__(self, settings: ProvisionSettings, token: SecretStr):
        self._hetzner = Hetzner(token)
        self.tag = f"{LABEL}={settings.cloud_firewall_tag}"
        icmp = Rule(("echo and path MTU",), EVERYWHERE, "icmp")
        wanted = wanted_rules(settings.cloud_firewall_ports, settings.cloud_firewall_ssh_from)
        self._part = Part(f"{settings.server_name}-web", tuple(sorted((*wanted, icmp))))

    def parts(self) -> Sequence[Part]:
        return (self._part,)

    def look(self, part: Part) -> FoundFirewall | None:
        found = self._found(part)
        if found is None:
            return None
        incoming = [each for each in found["rules"] if each["direction"] == "in"]
        return FoundFirewall(_rules(incoming), applies=self._applies(found))

    def do(self, part: Part, what: str) -> None:
        found = self._found(part)
        if what == "create":
            if found is None:
                body = {"name": part.name, "labels": OURS, "rules": _written(part), "apply_to": [self._selector()]}
                try:
                    self._hetzner.post("create the firewall", "/firewalls", body)
                except ProviderError as refused:
                    if refused.code != "uniqueness_error" or self._found(part) is None:
                        raise
        elif found is not None and what == "rules":
            # Setting rules replaces all of them, and those for the way out are somebody's.
            outgoing = [_given(each) for each in found["rules"] if each["direction"] == "out"]
            path = f"/firewalls/{found['id']}/actions/set_rules"
            self._hetzner.post("set the firewall's rules", path, {"rules": [*_written(part), *outgoing]})
        elif found is not None and what == "apply" and not self._applies(found):
            path = f"/firewalls/{found['id']}/actions/apply_to_resources"
            self._hetzner.post("bind the firewall to its label", path, {"apply_to": [self._selector()]})

    def rules_of_others(self) -> Sequence[str]:
        return ()

    def _found(self, part: Part) -> dict[str, Any] | None:
        return next(self._hetzner.all("list firewalls", "/firewalls", "firewalls", name=part.name), None)

    def _selector(self) -> dict[str, Any]:
        return {"type": "label_selector", "label_selector": {"selector": self.tag}}

    def _applies(self, found: dict[str, Any]) -> bool:
        selectors = [each["label_selector"] for each in found["applied_to"] if each["type"] == "label_selector"]
        return {"selector": self.tag} in selectors


def _given(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as it is sent: Hetzner shows fields that nobody set as null."""
    return {name: value for name, value in rule.items() if value is not None and value != []}


def _rules(found: Sequence[dict[str, Any]]) -> tuple[Rule, ...]:
    """Hetzner has one port or range in a rule; rules of the same sources are put together."""
    ports: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for each in found:
        key = (each["protocol"], tuple(sorted(each["source_ips"])))
        ports.setdefault(key, set()).add(each.get("port") or "echo and path MTU")
    return tuple(
        sorted(
            Rule(tuple(sorted(named, key=lambda port: (len(port), port))), sources, protocol)
            for (protocol, sources), named in ports.items()
        )
    )


def _written(part: Part) -> list[dict[str, Any]]:
    return [
        {
            "direction": "in",
            "protocol": rule.protocol,
            "source_ips": list(rule.sources),
            **({"port": port} if rule.protocol == "tcp" else {}),
        }
        for rule in part.rules
        for port in rule.ports
    ]
