"""
An instance that was set up by hand is taken over step by step; each is finished by the next run if one is cut off.

Until its data are complete in their new place it serves, or serves again; afterwards it can be started again.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Collection, Iterator
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import Host

from mstdn.adopt.facts import Old, OldInstance
from mstdn.adopt.obstacles import obstacles
from mstdn.adopt.report import report
from mstdn.adopt.rules import UNDER_WAY, VERB, carried_keys, leaving, note, way_back
from mstdn.asking import ask
from mstdn.docker.facts import Container, Containers
from mstdn.fact import CouldNotLook, Question
from mstdn.layout import (
    ADOPTION,
    ADOPTION_NOTE,
    ADOPTION_WAY_BACK,
    NETWORKS,
    MastodonLayout,
    ProxyLayout,
)
from mstdn.operation import announce, operation
from mstdn.preflight import question_about_the_server
from mstdn.preflight.looking import look
from mstdn.questions import of_a_deployment
from mstdn.refusal import refuse
from mstdn.secrets.operator import secrets_for
from mstdn.settings import Settings, settings_for
from mstdn.shell import Commands, script, text_of
from mstdn.timers.following import ENDED, followed

UNIT = f"{ADOPTION}.service"
# What one that was killed has left is put in order without waiting for whoever works on the server.
PROGRAM = (ENDED, "adopt/put_in_order", "connection", "lock", "timers/growth", "adopt/carry")


def adoption_questions(at: Host) -> Iterator[Question[Any]]:
    """What a take-over asks besides what a deployment does."""
    yield from of_a_deployment(at)
    yield _question(settings_for(at))


@operation
def looked_at_the_old_instance(settings: Settings) -> Commands:
    """
    Tell what is here and what becomes of it, and refuse what cannot be, before the first change.

    Nothing else happens until the name of the instance was said.
    """
    old, containers, roots = _old(settings), _containers(), _roots(settings)
    found = list(report(old, containers, settings, roots))
    problems = list(obstacles(old, containers, settings, secrets_for(settings), roots))
    if old.project or not problems:
        findings = look(settings, time.time(), leaving=_gone(settings))
        problems += [each.text for each in findings if each.level == "error"]
        found += [f"Warning: {each.text}" for each in findings if each.level == "warning"]
    if problems:
        yield from refuse("\n\n".join(["\n".join(found), *(f"- {each}" for each in problems)]).strip())
        return
    announce(*found)
    if old.phase == "finished":
        announce(f"{settings.local_domain} was taken over already. {way_back(old)}")
    elif settings.yes != settings.local_domain:
        announce(f"Nothing is changed. To take it over: {VERB} --data yes={settings.local_domain}")
    host.noop("this may be taken over")


@operation
def begun_adoption(settings: Settings) -> Commands:
    """Ensure that the take-over is noted as begun, with the old containers, and that the old keys are here."""
    old, layout = _old(settings), MastodonLayout(settings.mastodon_root)
    if old.phase in (*UNDER_WAY, "finished"):
        host.noop("it was begun")
        return
    gone = leaving(old, _containers(), _roots(settings))
    web = next((each.id for each in gone if each.role == "web"), "")
    if not web:
        yield from refuse("The old web does not run any more. Start it, and run again.")
        return
    announce(f"{settings.local_domain} is taken over from {old.directory or old.project}")
    text = note(old, gone, _containers(), settings, int(time.time()))
    yield script(
        "adopt/begin", ADOPTION_NOTE, layout.instance_secrets, web, *carried_keys(old), stdin=text.removesuffix("\n")
    )


@operation
def carried_data(settings: Settings, timeout_seconds: int) -> Commands:
    """
    Ensure that database, jobs and media are in their place, and that the old containers are stopped and kept.

    + timeout_seconds: for PostgreSQL to come up

    The work is that of a unit of the server: it goes on without this connection, and is joined by the next run.
    """
    old = _old(settings)
    if old.phase in ("carried", "finished"):
        host.noop("the data are in their place")
        return
    if not old.project and not state.is_executing:
        return
    announce("its data are carried over: rehearsed while it serves, then once more while visitors wait")
    program = "".join(map(text_of, PROGRAM))
    root, image = settings.mastodon_root, settings.postgres_image
    told = (root, image, ADOPTION_NOTE, str(timeout_seconds), ADOPTION_WAY_BACK, *NETWORKS)
    # Whatever ended it: as long as not all is carried over, the old one serves again.
    afterwards = shlex.join(["/bin/sh", f"/run/{ADOPTION}.program", *told])
    yield followed(UNIT, "The take-over", afterwards, *told, program=program)


@operation
def carried_certificates(settings: Settings) -> Commands:
    """Ensure that the old proxy's certificates are where the new one looks for them, as far as they are good."""
    old = _old(settings)
    if old.phase == "finished":
        host.noop("the certificates are carried over")
        return
    certs = ProxyLayout(settings.proxy_root).certificates
    for name, (directory, verdict) in sorted(old.certificates.items()):
        if verdict == "good":
            announce(f"the certificate of {name} is carried over from {directory}")
            yield script("adopt/certificate", name, directory, certs, settings.certificate_prefix)


@operation
def finished_adoption(settings: Settings) -> Commands:
    """Ensure that the take-over is noted as finished, and say how to go back."""
    old = _old(settings)
    if old.phase == "finished":
        host.noop("it is finished")
        return
    yield script("adopt/finish", ADOPTION_NOTE)
    if state.is_executing:
        logger.info(f"{host.print_prefix}{settings.local_domain} is taken over. {way_back(_old(settings))}")


def old_containers(settings: Settings) -> tuple[str, ...]:
    """The IDs of the containers that a take-over retires; none as long as nobody can look."""
    try:
        return tuple(_gone(settings))
    except CouldNotLook:
        return ()


def _question(settings: Settings) -> Question[Old]:
    return OldInstance.of(settings.adopt_from, settings.mastodon_root, settings.public_domains)


def _old(settings: Settings) -> Old:
    return ask(_question(settings))


def _containers() -> tuple[Container, ...]:
    return ask(Containers.all())


def _roots(settings: Settings) -> frozenset[str]:
    report_of_it = ask(question_about_the_server(settings))
    return frozenset((settings.mastodon_root, settings.proxy_root, *report_of_it.directories))


def _gone(settings: Settings) -> Collection[str]:
    old = _old(settings)
    if old.phase in (*UNDER_WAY, "finished"):
        return frozenset(old.listed)
    return frozenset(each.id for each in leaving(old, _containers(), _roots(settings)))
