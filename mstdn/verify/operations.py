"""The proof: the site as a visitor sees it."""

from __future__ import annotations

import time

from pyinfra import host, state

from mstdn.docker.facts import Containers
from mstdn.fact import ask
from mstdn.operation import operation
from mstdn.proxy.companion import telling_lines
from mstdn.proxy.facts import CompanionLog
from mstdn.refusal import refuse
from mstdn.shell import Commands, script
from mstdn.verify.visitor import Visitor, attempt, patiently


@operation
def verified_site(
    domain: str,
    public_addresses: tuple[str, ...],
    ca_bundle: str,
    version: str,
    open_ports: tuple[int, ...],
    timeout_seconds: int,
) -> Commands:
    """
    Ensure that visitors get what they should, as seen from this machine and not from the server.

    + domain: the site's host name
    + public_addresses: where visitors connect, none for what the name resolves to
    + ca_bundle: file with further roots to trust, or ""
    + version: that the site shall report, without its v
    + open_ports: of other containers, that may answer as well
    + timeout_seconds: how long certificate and first answer may take

    Refuses with every check that failed and the likely reason. The only thing it may do is to have acme-companion try
    again for a certificate that is missing.
    """
    if not state.is_executing:
        host.noop("a plan looks at the server only")
        return
    visitor = Visitor(domain, public_addresses, ca_bundle, version)
    if problem := attempt(visitor.name):
        yield from refuse(_explain([problem]))
        return
    begin = time.monotonic()
    if patiently(visitor.certificate, begin + timeout_seconds / 3):
        # After a failure acme-companion sleeps for an hour. Once is enough: authorities count failures.
        yield script("proxy/ask_companion")
    deadline = begin + timeout_seconds
    if problem := patiently(visitor.certificate, deadline) or patiently(visitor.health, deadline):
        yield from refuse(_explain([problem]))
        return
    published = [
        (each.address, each.port, f"{container.project}/{container.service}")
        for container in ask(Containers.all())
        for each in container.published
        if each.protocol == "tcp"
    ]
    checks = (
        visitor.redirect,
        visitor.strict_transport_security,
        visitor.instance_version,
        visitor.streaming,
        visitor.unknown_host,
        lambda: visitor.closed_ports(published, open_ports),
    )
    if problems := [problem for check in checks if (problem := attempt(check))]:
        yield from refuse(_explain(problems))
        return
    host.noop(f"https://{domain} is as visitors should see it")


def _explain(problems: list[str]) -> str:
    lines = ["The site is not as visitors should see it:", *(f"  - {problem}" for problem in problems)]
    if any("certificate" in problem for problem in problems):
        log = ask(CompanionLog.last_lines())
        lines += ["acme-companion wrote last:", *(f"  {line}" for line in telling_lines(log))]
    return "\n".join(lines)
