"""The proof: the site as a visitor sees it."""

import time

from pyinfra import host, state
from pyinfra.api import operation

from mstdn.proxy.facts import ProxyReport, Report
from mstdn.refusal import refuse
from mstdn.shell import Commands
from mstdn.verify.visitor import Visitor, attempt, patiently


@operation()
def verified_site(
    domain: str,
    public_addresses: tuple[str, ...],
    ca_bundle: str,
    version: str,
    open_ports: tuple[int, ...],
    timeout_seconds: int,
) -> Commands:
    """
    Ensure that visitors get what they should. Changes nothing; looks from this machine, not from the server.

    + domain: the site's host name
    + public_addresses: where visitors connect, none for what the name resolves to
    + ca_bundle: file with further roots to trust, or ""
    + version: that the site shall report, without its v
    + open_ports: of other containers, that may answer as well
    + timeout_seconds: how long certificate and first answer may take

    Refuses with every check that failed and the likely reason.
    """
    if not state.is_executing:
        host.noop("a plan looks at the server only")
        return
    visitor = Visitor(domain, public_addresses, ca_bundle, version)
    if trouble := _wait_until_reachable(visitor, timeout_seconds):
        yield from refuse(_explain([trouble], host.get_fact(ProxyReport)))
        return
    report = host.get_fact(ProxyReport)
    checks = (
        visitor.redirect,
        visitor.strict_transport_security,
        visitor.instance_version,
        visitor.streaming,
        visitor.unknown_host,
        lambda: visitor.closed_ports(report.published, open_ports),
    )
    if troubles := [trouble for check in checks if (trouble := attempt(check))]:
        yield from refuse(_explain(troubles, report))
        return
    host.noop(f"https://{domain} is as visitors should see it")
    yield from ()


def _wait_until_reachable(visitor: Visitor, timeout_seconds: int) -> str | None:
    begin = time.monotonic()
    if trouble := attempt(visitor.name):
        return trouble
    if patiently(visitor.certificate, begin + timeout_seconds / 3):
        # After a failure acme-companion sleeps for an hour. Once is enough: authorities count failures.
        host.get_fact(ProxyReport, ask_again=True)
    deadline = begin + timeout_seconds
    return patiently(visitor.certificate, deadline) or patiently(visitor.health, deadline)


def _explain(troubles: list[str], report: Report) -> str:
    lines = ["The site is not as visitors should see it:", *(f"  - {trouble}" for trouble in troubles)]
    if any("certificate" in trouble for trouble in troubles) and report.companion:
        lines += ["acme-companion's last words:", *(f"  {line}" for line in report.companion)]
    return "\n".join(lines)
