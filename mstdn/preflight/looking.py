"""Ask everything that preflight has to know of the server at work; the rules of each component judge it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace

from mstdn.adopt import rules as adopt
from mstdn.alerts.rules import webhook_findings
from mstdn.apt import sources
from mstdn.asking import ask
from mstdn.backup.facts import BackupState
from mstdn.backup.rules import age_findings, restore_findings, secrets_findings
from mstdn.database import rules as database
from mstdn.database.facts import DatabaseDumps, DuplicateAccounts, Installed, StoresAtWork
from mstdn.docker import obstacles
from mstdn.docker import operations as docker
from mstdn.docker import rules as docker_rules
from mstdn.docker.engine import SILENT
from mstdn.docker.facts import Container, Containers, Engine, Setup
from mstdn.docker.packages import KEYRING, PACKAGES, PREREQUISITES, SOURCES
from mstdn.docker.versions import numbers_of
from mstdn.fact import CouldNotLook
from mstdn.files import rules as files
from mstdn.finding import Finding
from mstdn.firewall import own as own_firewall
from mstdn.firewall import rules as firewall
from mstdn.firewall.facts import FirewallSetup, PacketFilter
from mstdn.layout import FRONT, MASTODON_PROJECT, NETWORKS, MastodonLayout
from mstdn.networks import rules as networks_rules
from mstdn.networks.facts import DockerNetworks, Network
from mstdn.postgres.rules import collation_findings
from mstdn.preflight import files_question, findings, question_about_the_server, releases
from mstdn.preflight.facts import ServerReport
from mstdn.preflight.machine import SYSTEMS
from mstdn.preflight.names import leads_somewhere_by_ipv6
from mstdn.proxy import neighbours
from mstdn.render import render
from mstdn.secrets.operator import alert_secrets_for, backup_secrets_for
from mstdn.settings import Settings
from mstdn.storage import rules as storage
from mstdn.storage.operations import places_question
from mstdn.swap import rules as swap
from mstdn.swap.facts import SwapState
from mstdn.updates import rules as updates
from mstdn.updates.facts import UpdateState


def look(
    settings: Settings, now: float, *, postgres_moves: bool = False, leaving: Collection[str] | None = None
) -> list[Finding]:
    """
    Everything that is in the way, all at once.

    now: this machine's clock, in seconds since the epoch. postgres_moves: the run is there to let another PostgreSQL
    have the database. leaving: the run is a take-over, and retires the containers of these IDs. Raises FactProcessError
    if the server did not answer.
    """
    return list(_look(settings, now, postgres_moves=postgres_moves, leaving=leaving))


def _look(
    settings: Settings, now: float, *, postgres_moves: bool, leaving: Collection[str] | None
) -> Iterator[Finding]:
    report = ask(question_about_the_server(settings))
    if report.system not in SYSTEMS:
        # Nobody knows what the other questions mean there.
        yield from findings(report, (), settings, now)
        return
    containers: tuple[Container, ...] = ()
    front: Network | None = None
    # A daemon that does not run is started later; what holds a port now is seen without it.
    try:
        containers = ask(Containers.all())
    except CouldNotLook as reason:
        if str(reason) == SILENT:
            # Whose the ports and networks are, only the engine knows.
            yield docker_rules.silent_engine()
            return
    if leaving is None:
        yield from adopt.unfinished(report.adoption, settings.local_domain)
        if not report.installed:
            roots = (settings.mastodon_root, settings.proxy_root, *report.directories)
            yield from adopt.not_the_suites(containers, roots)
    else:
        listeners = adopt.remaining(report.listeners, containers, leaving)
        report, containers = replace(report, listeners=listeners), adopt.others(containers, leaving)
    engine, setup = ask(docker.engine_question()), ask(docker.setup_question(settings.docker_users))
    report_with_disks = replace(report, disks=(*report.disks, *setup.disks))
    yield from findings(report_with_disks, containers, settings, now, postgres_moves=postgres_moves)
    yield from networks_rules.ipv4_findings(report.addresses, settings.public_ipv4)
    wanted = json.loads(render("docker/daemon.json.j2", settings=settings))
    yield from docker_rules.findings(engine, setup, containers, settings, wanted, installed=bool(report.installed))
    yield from obstacles.findings(engine, setup, report.packages, installed=bool(report.installed))
    yield from neighbours.claims(containers, settings)
    # Of an instance that is half removed, what is missing is no wonder.
    if not report.removing:
        yield from storage.findings(
            ask(places_question(settings)),
            settings.mastodon_root,
            settings.local_domain,
            settings.site_domain,
            settings.proxy_root,
        )
        yield from files.findings(ask(files_question(settings)))
    at = report.installed.get("MASTODON_VERSION", settings.mastodon_version)
    if settings.mastodon_version not in (at, report.installed.get("NEXT_VERSION")):
        # Only where an upgrade is due: it takes a moment, and one more remote command.
        layout = MastodonLayout(settings.mastodon_root)
        # A run that waits for the upgrade at work needs no room for another dump.
        installed = ask(Installed.of(layout.installed, layout.database))
        if database.work(installed) is not database.Work.AT_WORK:
            size_mib = ask(DatabaseDumps.under(settings.mastodon_root, size=True)).database_mib
            yield from database.room_findings(size_mib, report.disks, settings.mastodon_root)
        yield from _before_an_upgrade(at, report, settings)
    if not postgres_moves:
        with suppress(CouldNotLook):
            yield from collation_findings(ask(StoresAtWork.of(MASTODON_PROJECT)).collation)
    yield from swap.findings(ask(SwapState.of(settings.swap_path)), settings.swap_path, settings.swap_size_mib)
    with suppress(CouldNotLook):
        front = ask(DockerNetworks.named(NETWORKS)).get(FRONT)
        yield from _ipv6(report, engine, setup, front, containers, settings)
    rules, ours = ask(PacketFilter.of_the_server()), ask(FirewallSetup.of_the_server())
    yield from firewall.findings(rules, _situation(report, engine, settings, front))
    yield from own_firewall.findings(rules, ours, containers, report.addresses, settings)
    repository = f"{settings.docker_repository.rstrip('/')}/{engine.distribution}"
    needed = not {*PREREQUISITES, *PACKAGES} <= engine.packages.keys()
    found = ask(docker.sources_question(settings.docker_repository))
    yield from sources.findings(found, SOURCES, repository, KEYRING, needed=needed)
    yield from secrets_findings(settings.backup_repository, backup_secrets_for(settings))
    yield from updates.findings(ask(UpdateState.of_the_server()), enabled=settings.updates_enabled)
    yield from webhook_findings(alert_secrets_for(settings))
    if settings.backup_repository:
        yield from restore_findings(ask(BackupState.of_the_server()).restoring)


def _before_an_upgrade(at: str, report: ServerReport, settings: Settings) -> Iterator[Finding]:
    if place := settings.backup_repository:
        last, hours = ask(BackupState.of_the_server()), settings.backup_before_upgrade_hours
        yield from age_findings(last.location, last.time, report.clock, place, hours, last.restoring)
    if releases.makes_addresses_unique(at, settings.mastodon_version):
        with suppress(CouldNotLook):
            duplicates = ask(DuplicateAccounts.of(MASTODON_PROJECT))
            collation = ask(StoresAtWork.of(MASTODON_PROJECT)).collation
            yield from releases.duplicate_findings(settings.mastodon_version, duplicates, collation)


def _ipv6(
    report: ServerReport,
    engine: Engine,
    setup: Setup,
    front: Network | None,
    containers: tuple[Container, ...],
    settings: Settings,
) -> Iterator[Finding]:
    mine = {*report.addresses, settings.public_ipv6}
    if any(":" in address for address in mine):
        names = [name for name in settings.public_domains if leads_somewhere_by_ipv6(name, report)]
        attached = [each for each in containers if FRONT in each.networks]
        version = numbers_of(engine.packages.get("docker-ce", ""))
        yield from networks_rules.ipv6_findings(front, attached, version, names, settings.networks_ipv6)
        reached = networks_rules.ipv6_reaches_containers(front, True, settings.networks_ipv6, version)
        yield from obstacles.ipv6_findings(setup, ipv6=reached)


def _situation(report: ServerReport, engine: Engine, settings: Settings, front: Network | None) -> firewall.Situation:
    """An engine before 27 has no rules for IPv6 of its own: its process docker-proxy takes those visitors in."""
    version = numbers_of(engine.packages.get("docker-ce", ""))
    by_process = front is not None and front.ipv6 and (0, 0) < version < (27, 0)
    by_ipv6 = any(leads_somewhere_by_ipv6(name, report) for name in settings.public_domains)
    return firewall.Situation(
        bridges=(f"br-{front.id[:12]}",) if front else (),
        ipv6=by_ipv6 or settings.preflight_dns == "skip",
        ipv6_by_process=by_process and by_ipv6,
        smtp_port=settings.smtp_port,
    )
