"""The proof: the site as a visitor sees it, and what Mastodon itself meets when it goes out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from pyinfra import host, logger, state

from mstdn.asking import ask, ask_ahead
from mstdn.docker.engine import CONTAINER
from mstdn.docker.facts import Containers
from mstdn.layout import MASTODON_PROJECT
from mstdn.mail.facts import WayOut
from mstdn.mail.way_out import mail_warning, outside_problem, outside_warning
from mstdn.operation import operation
from mstdn.proxy.companion import telling_lines
from mstdn.proxy.facts import CompanionLog
from mstdn.refusal import refuse
from mstdn.shell import Commands, script
from mstdn.verify.handles import Handles
from mstdn.verify.visitor import Visitor, attempt, patiently, trust

Check = Callable[[], str | None]
# How long something may be wrong that is right afterwards.
MOMENT_SECONDS = 15


@dataclass(frozen=True)
class MailServer:
    """Where Mastodon hands over its mail."""

    name: str
    port: int


@operation
def verified_site(
    domain: str,
    names: tuple[str, ...],
    local_domain: str,
    local_domain_is_here: bool,
    public_addresses: tuple[str, ...],
    ca_bundle: str,
    version: str,
    open_ports: tuple[int, ...],
    mail_server: MailServer,
    elsewhere: str,
    timeout_seconds: int,
) -> Commands:
    """
    Ensure that visitors get what they should, as seen from this machine and not from the server.

    + domain: the site's host name
    + names: all host names of the site, its own among them
    + local_domain: the name after the @ of every account; if it is none of the site's, it has to lead others to the
    site
    + local_domain_is_here: the proxy answers for it
    + public_addresses: where visitors connect, none for what the name resolves to
    + ca_bundle: file with further roots to trust, or ""
    + version: that the site shall report, without its v
    + open_ports: of other containers, that may answer as well
    + mail_server: that Mastodon hands its mail to
    + elsewhere: a URL on the Internet that Mastodon should be able to visit
    + timeout_seconds: how long certificates and the first answer may take

    Refuses with every check that failed and the likely reason; warns of what keeps no visitor away. The only thing it
    may do is to have acme-companion try again for a certificate that is missing.
    """
    if not state.is_executing:
        host.noop("a plan looks at the server only")
        return
    # The server looks while this machine visits.
    ask_ahead(way_out := WayOut.of(MASTODON_PROJECT, elsewhere))
    # Once, before many need it at the same time.
    trust(ca_bundle)
    site = Visitor(domain, public_addresses, ca_bundle, version)
    others = [Visitor(name, public_addresses, ca_bundle, version) for name in names if name != domain]
    handle = Visitor(local_domain, public_addresses if local_domain_is_here else (), ca_bundle, version)
    handles = [Handles(local_domain, domain, handle)] if local_domain not in names else []
    everybody = [site, *others]
    certified = [*everybody, *([handle] if handles and local_domain_is_here else [])]
    if problems := _found_by(_begun_together(visitor.name for visitor in everybody)):
        yield from refuse(_explain(problems))
        return
    published = [
        (each.address, each.port, f"{container.project}/{container.service}" if container.project else container.name)
        for container in ask(Containers.all())
        for each in container.published
        if each.protocol == "tcp"
    ]
    # Without these nothing else can be right, and on a new server they take their time.
    first: list[Check] = [*(visitor.certificate for visitor in certified), site.health]
    checks: list[Check] = [
        *(visitor.redirect for visitor in everybody),
        *(visitor.health for visitor in others),
        site.strict_transport_security,
        site.instance_version,
        site.streaming,
        site.unknown_host,
        lambda: site.closed_ports(published, open_ports),
    ]
    cautions: list[Check] = []
    # Where somebody else serves the name, only he can mend it.
    (checks if local_domain_is_here else cautions).extend(each.lead_to_the_site for each in handles)
    begin = time.monotonic()
    # On a healthy site everything is right at the first look, so nothing waits for anything else.
    looks = [_begun_together(each) for each in (first, checks, cautions)]
    if _found_by(looks[0]):
        if _found_by(_begun_together(_patient(first[:-1], begin + timeout_seconds / 3))):
            # After a failure acme-companion sleeps for an hour. Once is enough: authorities count failures.
            yield script("proxy/ask_companion", before=CONTAINER)
        awaited = [*first[:-1], *(each.health for each in everybody)]
        if problems := _found_by(_begun_together(_patient(awaited, begin + timeout_seconds))):
            yield from refuse(_explain(problems))
            return
        looks = [_begun_together(each) for each in (first, checks, cautions)]
    out = ask(way_out)
    if _found_by(looks[0]) or _found_by(looks[1]):
        # Names inside of Docker are not found for a moment where it was started again; what is wrong stays so.
        deadline = time.monotonic() + min(MOMENT_SECONDS, timeout_seconds)
        looks[:2] = [_begun_together(_patient(each, deadline)) for each in (first, checks)]
    problems = [problem for each in looks[:2] for problem in _found_by(each)]
    warnings = [caution for visitor in certified if (caution := visitor.certificate_age())]
    warnings += _found_by(looks[2])
    if problem := outside_problem(out):
        problems.append(problem)
    else:
        cautions_of_the_way_out = (
            outside_warning(out, elsewhere),
            mail_warning(out, mail_server.name, mail_server.port),
        )
        warnings += [caution for caution in cautions_of_the_way_out if caution]
    for text in warnings:
        host.log(f"Warning: {text}", logger.warning)
    if problems:
        yield from refuse(_explain(problems))
        return
    host.noop(f"https://{domain} is as visitors should see it")


def _begun_together(checks: Iterable[Check]) -> list[Future[str | None]]:
    """These checks, each begun now."""
    checks = list(checks)
    pool = ThreadPoolExecutor(max(1, len(checks)))
    begun = [pool.submit(attempt, check) for check in checks]
    pool.shutdown(wait=False)
    return begun


def _found_by(checks: Iterable[Future[str | None]]) -> list[str]:
    """Waits for each check. The problem of each that found one, in their order."""
    return [problem for check in checks if (problem := check.result())]


def _patient(checks: Iterable[Check], deadline: float) -> Iterator[Check]:
    for check in checks:
        yield lambda check=check: patiently(check, deadline)  # type: ignore[misc]


def _explain(problems: list[str]) -> str:
    lines = ["The site is not as visitors should see it:", *(f"  - {problem}" for problem in problems)]
    if any("certificate" in problem for problem in problems):
        log = ask(CompanionLog.last_lines())
        lines += ["acme-companion wrote last:", *(f"  {line}" for line in telling_lines(log))]
    return "\n".join(lines)
