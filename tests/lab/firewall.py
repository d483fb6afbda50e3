"""
What an engine changes in the host's firewall, and how to take it back.

An engine makes chains named DOCKER…, jumps to them, turns IPv4 forwarding on and then forbids forwarding by default,
and leaves all that behind when it ends.
"""

import json
import shlex
from pathlib import Path

from tests.lab.commands import run

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
PROGRAMS = ("iptables", "ip6tables")
TABLES = ("filter", "nat")


def remember(file: Path) -> None:
    """Write the state of forwarding, and whose chains are already there, to `file` (JSON)."""
    policies = {program: _forward_policy(program) for program in PROGRAMS}
    chains = {f"{program} {table}": _chains(program, table) for program in PROGRAMS for table in TABLES}
    file.write_text(json.dumps({"forwarding": FORWARDING.read_text().strip(), "policies": policies, "chains": chains}))


def restore(file: Path) -> None:
    """Remove chains that are not in `file` and put forwarding back, unless another engine is at work here."""
    if _another_engine_runs():
        return
    before = json.loads(file.read_text())
    for program in PROGRAMS:
        for table in TABLES:
            _remove_chains(program, table, keep=before["chains"][f"{program} {table}"])
        run([program, "--policy", "FORWARD", before["policies"][program]])
    FORWARDING.write_text(before["forwarding"])


def _rules(program: str, table: str) -> list[list[str]]:
    return [shlex.split(line) for line in run([program, "--table", table, "--list-rules"]).stdout.splitlines()]


def _chains(program: str, table: str) -> list[str]:
    return [rule[1] for rule in _rules(program, table) if rule[0] == "-N" and rule[1].startswith("DOCKER")]


def _forward_policy(program: str) -> str:
    return next(rule[2] for rule in _rules(program, "filter") if rule[:2] == ["-P", "FORWARD"])


def _remove_chains(program: str, table: str, keep: list[str]) -> None:
    chains = [chain for chain in _chains(program, table) if chain not in keep]
    for rule in _rules(program, table):
        if rule[0] == "-A" and rule[1] not in chains and rule[-2] == "-j" and rule[-1] in chains:
            run([program, "--table", table, "--delete", *rule[1:]])
    for action in ("--flush", "--delete-chain"):
        for chain in chains:
            run([program, "--table", table, action, chain])


def _another_engine_runs() -> bool:
    """Whether any dockerd shares our network namespace; those inside the lab's servers have their own."""
    ours = Path("/proc/self/ns/net").readlink()
    for name in Path("/proc").glob("[0-9]*/comm"):
        try:
            if name.read_text().strip() == "dockerd" and (name.parent / "ns/net").readlink() == ours:
                return True
        except FileNotFoundError:  # it ended while we looked
            continue
    return False
