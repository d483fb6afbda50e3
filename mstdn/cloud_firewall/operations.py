"""The provider's firewall."""

from __future__ import annotations

from functools import partial

from mstdn.cloud.steps import Plan, Step, carry_out
from mstdn.cloud_firewall.provider import cloud_firewall
from mstdn.cloud_firewall.rules import differences, in_words
from mstdn.operation import operation
from mstdn.secrets.operator import keys_for
from mstdn.settings.provision import ProvisionSettings
from mstdn.shell import Commands

REPAIRS = {"rules": "the ports and sources", "apply": "its tie to the tag", "enable": "it was switched off"}


@operation
def open_ports(settings: ProvisionSettings) -> Commands:
    """
    Ensure that the provider's firewall lets in SSH and the web, for servers with our tag, and by our rule nothing else.

    Without server_provider there is nothing to do. Refuses with what the provider says and the remedy.
    """
    yield from carry_out(lambda: _plan(settings))


def _plan(settings: ProvisionSettings) -> Plan:
    if not settings.server_provider:
        return Plan("", agrees='server_provider = "": the firewall is yours')
    keys = keys_for(settings)
    firewall = cloud_firewall(settings, keys)
    steps = []
    for part in firewall.parts():
        for what in differences(part, firewall.look(part)):
            created = what == "create"
            detail = f"{in_words(part.rules)} to tag {firewall.tag}"
            steps.append(
                Step(
                    "+" if created else "~",
                    "firewall",
                    part.name,
                    detail if created else f"{REPAIRS[what]}: {detail}",
                    partial(firewall.do, part, what),
                )
            )
    return Plan(firewall.heading, tuple(steps), warnings=tuple(firewall.rules_of_others()))
