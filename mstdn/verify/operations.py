"""The proof: the site as a visitor sees it, and what Mastodon itself meets when it goes out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread

from pyinfra import host, logger, state

from mstdn.app.names import served_names
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
from mstdn.settings import Settings
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


@dataclass(frozen=True)
class Site:
    """
    `domain`: the site's host name. `names`: all of its host names, its own among them. `local_domain`: the name after
    the @ of every account; if it is none of the site's, it has to lead others to the site. `local_domain_is_here`: the
    proxy answers for it. `public_addresses`: where visitors connect, none for what the name resolves to. `ca_bundle`:
    file with further roots to trust, or "". `version`: that the site shall report, without its v.
    """

    domain: str
    names: tuple[str, ...]
    local_domain: str
    local_domain_is_here: bool
    public_addresses: tuple[str, ...]
    ca_bundle: str
    version: str


def site_of(settings: Settings) -> Site:
    """The site with these settings."""
    return Site(
        settings.site_domain,
        settings.public_domains,
        settings.local_domain,
        settings.local_domain in served_names(settings),
        tuple(address for address in (settings.public_ipv4, settings.public_ipv6) if address),
        settings.acme_ca_bundle,
        settings.mastodon_version.removeprefix("v"),
    )


class Visit:
    """
    All looks at the site, each of them begun. `first`: the certificates, and then whether Mastodon answers: without
    these nothing else can be right, and on a new server they take their time. `checks`: what has to be right as well.
    `cautions`: what keeps nobody away. On a healthy site everything is right at the first look, so nothing waits for
    anything else.
    """

    def __init__(self, site: Site):
        self.names = [Visitor(name, site.public_addresses, site.ca_bundle, site.version) for name in site.names]
        self.site = next(each for each in self.names if each.domain == site.domain)
        addresses = site.public_addresses if site.local_domain_is_here else ()
        handle = Visitor(site.local_domain, addresses, site.ca_bundle, site.version)
        handles = [Handles(site.local_domain, site.domain, handle)] if site.local_domain not in site.names else []
        self.certified = [*self.names, *([handle] if handles and site.local_domain_is_here else [])]
        self.first: list[Check] = [*(visitor.certificate for visitor in self.certified), self.site.health]
        self.checks: list[Check] = [
            *(visitor.redirect for visitor in self.names),
            *(visitor.health for visitor in self.names if visitor is not self.site),
            self.site.strict_transport_security,
            self.site.instance_version,
            self.site.streaming,
            self.site.unknown_host,
        ]
        self.cautions: list[Check] = []
        # Where somebody else serves the name, only he can mend it.
        (self.checks if site.local_domain_is_here else self.cautions).extend(each.lead_to_the_site for each in handles)
        self.looks = [_begun_together(each) for each in (self.first, self.checks, self.cautions)]

    def problems(self) -> list[str]:
        """Waits for all looks but the cautions."""
        return [problem for each in self.looks[:2] for problem in _found_by(each)]


@operation
def verified_site(
    site: Site,
    open_ports: tuple[int, ...],
    mail_server: MailServer,
    elsewhere: str,
    timeout_seconds: int,
) -> Commands:
    """
    Ensure that visitors get what they should, as seen from this machine and not from the server.

    + site: its names and what it shall be
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
    trust(site.ca_bundle)
    begin = time.monotonic()
    visit = Visit(site)
    if problems := _found_by(_begun_together(visitor.name for visitor in visit.names)):
        yield from refuse(_explain(problems))
        return
    published = [
        (each.address, each.port, f"{container.project}/{container.service}" if container.project else container.name)
        for container in ask(Containers.all())
        for each in container.published
        if each.protocol == "tcp"
    ]

    def closed() -> str | None:
        return visit.site.closed_ports(published, open_ports)

    closed_now = _begun_together([closed])
    if _found_by(visit.looks[0]):
        if _found_by(_begun_together(_patient(visit.first[:-1], begin + timeout_seconds / 3))):
            # After a failure acme-companion sleeps for an hour. Once is enough: authorities count failures.
            yield script("proxy/ask_companion", before=CONTAINER)
        awaited = [*visit.first[:-1], *(each.health for each in visit.names)]
        if problems := _found_by(_begun_together(_patient(awaited, begin + timeout_seconds))):
            yield from refuse(_explain(problems))
            return
        visit = Visit(site)
    out = ask(way_out)
    problems = [*visit.problems(), *_found_by(closed_now)]
    if problems:
        # Names inside of Docker are not found for a moment where it was started again; what is wrong stays so.
        deadline = time.monotonic() + min(MOMENT_SECONDS, timeout_seconds)
        problems = _found_by(_begun_together(_patient([*visit.first, *visit.checks, closed], deadline)))
    warnings = [caution for visitor in visit.certified if (caution := visitor.certificate_age())]
    warnings += _found_by(visit.looks[2])
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
    host.noop(f"https://{site.domain} is as visitors should see it")


def _begun_together(checks: Iterable[Check]) -> list[Future[str | None]]:
    """These checks, each begun now. What is still on its way when the run ends is not waited for."""
    begun: list[Future[str | None]] = []
    for check in checks:
        answer: Future[str | None] = Future()
        Thread(target=_answer, args=(check, answer), daemon=True).start()
        begun.append(answer)
    return begun


def _answer(check: Check, answer: Future[str | None]) -> None:
    try:
        answer.set_result(attempt(check))
    except BaseException as error:
        answer.set_exception(error)


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
