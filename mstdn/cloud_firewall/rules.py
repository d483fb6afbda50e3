"""The provider's firewall: what it has, what it shall have. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mstdn.problems import Problem


@dataclass(frozen=True, order=True)
class Rule:
    """TCP ports from outside. `ports`: sorted text, such as ("22",). `sources`: networks, sorted."""

    ports: tuple[str, ...]
    sources: tuple[str, ...]
    protocol: str = "tcp"


EVERYWHERE = ("0.0.0.0/0", "::/0")


def somebody_may_log_in(server_provider: str, cloud_firewall_ssh_from: Sequence[str]) -> Iterator[Problem]:
    """For a rule that names no network, Google takes all of them; its rules of IPv4 are all that its server has."""
    instead = 'cloud_firewall_ssh_from = ["198.51.100.7/32"], with your own address'
    if not cloud_firewall_ssh_from:
        yield Problem("cloud_firewall_ssh_from", "it names nobody, so nobody could log in", instead)
    elif server_provider == "google" and all(":" in source for source in cloud_firewall_ssh_from):
        wrong = "the server at Google has an IPv4 address only, and it names no network of IPv4"
        yield Problem("cloud_firewall_ssh_from", wrong, instead, ", ".join(cloud_firewall_ssh_from))


def wanted_rules(ports: Sequence[int], ssh_from: Sequence[str]) -> tuple[Rule, ...]:
    """
    One rule for SSH, one for the other ports: only SSH can be narrowed without shutting out visitors.
    """
    others = tuple(str(port) for port in sorted(set(ports)) if port != 22)
    ssh = Rule(("22",), tuple(sorted(set(ssh_from))))
    web = Rule(others, EVERYWHERE)
    return (Rule(tuple(sorted(("22", *others), key=int)), EVERYWHERE),) if ssh.sources == EVERYWHERE else (ssh, web)


def in_words(rules: Sequence[Rule]) -> str:
    """For a line of the plan: "tcp 22, 80, 443 from anywhere"."""
    return "; ".join(_in_words(rule) for rule in sorted(rules, key=lambda rule: rule.protocol, reverse=True))


def _in_words(rule: Rule) -> str:
    ports = f" {', '.join(rule.ports)}" if rule.protocol == "tcp" else ""
    sources = "anywhere" if EVERYWHERE[0] in rule.sources else ", ".join(rule.sources)
    return f"{rule.protocol}{ports} from {sources}"


@dataclass(frozen=True)
class FoundFirewall:
    """`rules`: what it lets through. `applies`: it counts for servers with our tag."""

    rules: tuple[Rule, ...]
    applies: bool
    enabled: bool = True


@dataclass(frozen=True)
class Part:
    """A firewall or rule by its name at the provider, and what it shall let through."""

    name: str
    rules: tuple[Rule, ...]


def differences(part: Part, found: FoundFirewall | None) -> list[str]:
    """ "create", or which of "rules", "apply" and "enable" is to be repaired."""
    if found is None:
        return ["create"]
    due = (("rules", found.rules != part.rules), ("apply", not found.applies), ("enable", not found.enabled))
    return [what for what, is_due in due if is_due]
