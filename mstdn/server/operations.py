"""The server at a provider."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from pyinfra import host, logger, state

from mstdn.cloud.steps import Plan, Step, carry_out, in_words
from mstdn.operation import operation
from mstdn.operator_files import values_file
from mstdn.refusal import refuse
from mstdn.secrets.operator import keys_for
from mstdn.server.login import wait_until_it_lets_in
from mstdn.server.provider import ServerProvider, no_address, server_provider
from mstdn.server.rules import KINDS, SIGNS, actions, differences_to_report
from mstdn.server.settings import ssh_public_key
from mstdn.settings.provision import ProvisionSettings
from mstdn.shell import Commands

NO_PROVIDER = 'server_provider = "": you bring the server'


@operation
def server(settings: ProvisionSettings) -> Commands:
    """
    Ensure a server with a static address, our SSH key and the firewall's tag, running and protected against deletion.

    What cannot be changed in place is reported with its remedy. Nothing is ever deleted or made anew.
    """
    yield from carry_out(lambda: _plan(settings))


def _plan(settings: ProvisionSettings) -> Plan:
    if not settings.server_provider:
        return Plan("", agrees=NO_PROVIDER)
    keys = keys_for(settings)
    provider = server_provider(settings, keys)
    found, wanted = provider.look(), provider.wanted()
    steps = tuple(
        Step(
            SIGNS.get(action, "~"),
            KINDS.get(action, "server"),
            wanted.name,
            provider.describe(action),
            partial(provider.do, action),
        )
        for action in actions(found, wanted)
    )
    return Plan(provider.heading, steps, warnings=tuple(differences_to_report(found, wanted)))


@operation
def server_that_lets_in(settings: ProvisionSettings) -> Commands:
    """
    Ensure that the server lets the operator in with his SSH key. Changes nothing; waits while it boots.

    Refuses after server_wait_seconds with what was tried and the likely reason.
    """
    if not settings.server_provider or not settings.server_wait_seconds:
        host.noop(NO_PROVIDER if not settings.server_provider else "server_wait_seconds is 0")
        return
    if not state.is_executing:
        host.noop("a plan does not log in")
        return
    keys = keys_for(settings)
    try:
        provider = server_provider(settings, keys)
        address = _own_address(provider)
        key = ssh_public_key(settings.server_ssh_key, Path.home())
        if not address:
            raise no_address(provider.wanted())
        if key:
            wait_until_it_lets_in(address, provider.user, key[0], settings.server_wait_seconds)
    except Exception as error:
        yield from refuse(in_words(error))
        return
    host.noop(f"{provider.user}@{address} lets you in")
    yield from ()


@operation
def next_steps(settings: ProvisionSettings) -> Commands:
    """
    Say what to do next: the line for inventory.py, and what is still to be done by hand. Changes nothing.
    """
    if not state.is_executing:
        host.noop("said at the end of a run")
        return
    keys = keys_for(settings)
    try:
        provider = server_provider(settings, keys) if settings.server_provider else None
        address = _own_address(provider) if provider else settings.public_ipv4 or settings.public_ipv6
    except Exception as error:
        yield from refuse(in_words(error))
        return
    user = provider.user if provider else "admin"
    for line in next_lines(settings, address, user, behind_nat=provider is not None and provider.behind_nat):
        host.log(line, logger.info)
    host.noop("nothing is left to provision")
    yield from ()


def _own_address(provider: ServerProvider) -> str:
    """Of the provider's server, wherever the names of the site lead; "" where there is none."""
    found = provider.look()
    address = found.ipv4 or found.ipv6
    return address.value if address else ""


def next_lines(settings: ProvisionSettings, address: str, user: str, *, behind_nat: bool = False) -> list[str]:
    """
    The last lines of a run.

    address: the server's, "" where nobody knows it. behind_nat: preflight, on the server, has to be told of it.
    """
    ready = "The server is ready. Put it into inventory.py:" if address else "Put your server into inventory.py:"
    host_data = {"ssh_user": user} | ({"public_ipv4": address} if behind_nat and address else {})
    lines = [ready, f'    ("{address or "your-server.example.org"}", {json.dumps(host_data)}),']
    if not settings.server_provider:
        lines.append("If your provider has a firewall of its own, let TCP ports 22, 80 and 443 through.")
    if not settings.dns_provider:
        lines.append(f"Point {', '.join(settings.site_names) or 'the name of your site'} to it in the DNS.")
    if not settings.mail_domain_provider:
        lines.append("Register the sending domain at your mail provider and publish its records.")
    elif settings.mail_domain_provider == "sparkpost" and not settings.smtp_server:
        region = "" if settings.mail_domain_region == "us" else ".eu"
        lines += [
            f"Mail goes through SparkPost. Put this into {values_file()}, and a key with the right Send via SMTP as",
            "SMTP_PASSWORD into secrets.env:",
            f'    smtp_server = "smtp{region}.sparkpostmail.com"',
            '    smtp_login = "SMTP_Injection"',
            '    smtp_authentication = "login"',
        ]
        if not settings.smtp_from_address:
            lines.append(f'    smtp_from_address = "Mastodon <notifications@{settings.mail_domain}>"')
    return [*lines, "Then: pyinfra inventory.py deploy.py"]
