"""The server's own firewall."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Literal

from pyinfra import host, state
from pyinfra.api import StringCommand

from mstdn.asking import ask
from mstdn.files.commands import put_file
from mstdn.files.tree import ConfigFile
from mstdn.firewall.facts import FirewallSetup, PacketFilter, Rules, Setup
from mstdn.firewall.own import firewall_of_others, is_here, opens_everything
from mstdn.firewall.table import FAMILY, TABLE, WEB, Openings, merged_addresses, merged_ports
from mstdn.layout import FIREWALL_NOTE, FIREWALL_RULES, FIREWALL_UNIT
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.render import render
from mstdn.shell import Commands, script
from mstdn.ssh import another_connection

THE_TABLE = f"{FAMILY} {TABLE}"
# How long rules are in force that nobody has come in through yet: all tries to connect (10 s each) fit into it.
TRIAL_SECONDS = 60


@operation
def closed_server(enabled: Literal["auto"] | bool, openings: Openings) -> Commands:
    """
    Ensure that nothing comes in from outside but SSH, HTTP and HTTPS, to containers neither.

    + enabled: "auto" does nothing where the server has a firewall of its own; True closes it beside that one; False
    takes the suite's rules away
    + openings: what else is let in

    The rules stand in a table of their own, and nobody else's are touched. New ones are taken back by the server itself
    unless this machine has logged in through them. A firewall of others that came later is told, and changes nothing:
    what was closed does not open by itself.
    """
    rules, setup = ask(PacketFilter.of_the_server()), ask(FirewallSetup.of_the_server())
    here, others = is_here(rules, setup), firewall_of_others(rules)
    if enabled is False:
        if not here:
            host.noop("firewall_enabled is False")
            return
        announce("firewall_enabled is False: the suite's firewall is taken away")
        files = (f"{FIREWALL_RULES}.new", FIREWALL_RULES, FIREWALL_NOTE, FIREWALL_UNIT)
        yield script("firewall/remove", THE_TABLE, *files)
        return
    if others and enabled == "auto":
        if not here:
            announce(f"The firewall of this server is {others}: the suite adds none (firewall_enabled = True does)")
            host.noop("the server has a firewall of its own")
            return
        announce(
            f"{others} is a second firewall beside the suite's: what comes in has to pass both. firewall_enabled = "
            "False takes the suite's away"
        )
    if not (setup.ssh_ports or openings.tcp):
        yield from refuse(
            "Nothing on this server seems to listen for SSH, so its firewall would lock you out. Name the port by "
            "which you get in: firewall_tcp_ports = [22]; or set firewall_enabled = False."
        )
        return
    if problem := opens_everything(rules, setup, openings.interfaces):
        yield from refuse(problem)
        return
    text = ConfigFile(FIREWALL_RULES, wanted_rules(openings, setup)).text
    unit = ConfigFile(FIREWALL_UNIT, render("firewall/mstdn-firewall.service.j2", rules=FIREWALL_RULES, table=TABLE))
    changes = list(_changes(rules, setup, text))
    if here:
        announce(*changes)
    if not setup.program:
        yield script("apt/install", "nftables")
    if setup.unit != unit.sha256:
        if here:
            announce(f"{FIREWALL_UNIT} {'has another content' if setup.unit else 'does not exist or is masked'}")
        yield put_file(unit.path, unit.owner, unit.mode, unit.text)
        yield StringCommand("systemctl daemon-reload")
    if changes:
        yield from _tried_out(text)
    elif not (setup.enabled and setup.active):
        announce(
            "mstdn-firewall.service does not start at boot" if setup.active else "mstdn-firewall.service is stopped"
        )
        yield StringCommand("systemctl daemon-reload && systemctl enable --quiet --now mstdn-firewall.service")


def wanted_rules(openings: Openings, setup: Setup) -> str:
    """The file of the rules, for a server that is as the facts say."""
    return render(
        "firewall/firewall.nft.j2",
        table=TABLE,
        uplinks=setup.uplinks,
        interfaces=tuple(sorted({*openings.interfaces})),
        ipv4=merged_addresses(openings.addresses, 4),
        ipv6=merged_addresses(openings.addresses, 6),
        tcp=merged_ports((*setup.ssh_ports, *WEB, *openings.tcp)),
        udp=merged_ports(openings.udp),
    )


def _changes(rules: Rules, setup: Setup, text: str) -> Iterator[str]:
    """Why the rules have to be loaded, in words."""
    if not rules.ours:
        yield f"the table {THE_TABLE} is not in force"
    elif rules.ours != setup.note:
        yield f"the table {THE_TABLE} is not as it was loaded: somebody has changed it"
    if setup.rules != sha256(text.encode()).hexdigest():
        yield f"{FIREWALL_RULES} has another content" if setup.rules else f"{FIREWALL_RULES} does not exist"


def _tried_out(text: str) -> Commands:
    """Put the rules in force, come in through them, and only then keep them."""
    yield script("firewall/try", FIREWALL_RULES, THE_TABLE, str(TRIAL_SECONDS), stdin=text)
    if state.is_executing and (problem := another_connection(host)):
        yield script("firewall/undo")
        first_sentence = problem.partition(". ")[0].rstrip(".")
        yield from refuse(
            "With the new rules of the firewall you could not log in any more, so they were taken back: "
            f"{first_sentence}. If this is how you get in, name the port or your address: firewall_tcp_ports, "
            "firewall_trusted_addresses."
        )
        return
    yield script("firewall/keep", FIREWALL_RULES, THE_TABLE, FIREWALL_NOTE)
