"""
What a whole deployment asks a server, so that all of it travels together (mstdn/asking.py).

A question that is missing here costs one more remote command; a test holds that none is.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

from pyinfra.api import Host
from pyinfra.context import ctx_state

from mstdn.alerts.operations import alert_questions
from mstdn.app.project import mastodon_project
from mstdn.assets.facts import PublishedAssets
from mstdn.backup.operations import backup_questions
from mstdn.certificates.facts import CertificateStates
from mstdn.checkout.facts import GitCheckout
from mstdn.cleanup.facts import Images, OldScratch
from mstdn.cleanup.rules import SCRATCH_MINUTES
from mstdn.compose.facts import AppliedProject
from mstdn.compose.project import Project
from mstdn.database.facts import DatabaseDumps, Installed, StoresAtWork
from mstdn.docker.facts import Containers
from mstdn.docker.operations import (
    daemon_questions,
    engine_question,
    repository_question,
    setup_question,
    sources_question,
)
from mstdn.fact import Question
from mstdn.files.operations import contents_of, states_of, written_in
from mstdn.firewall.facts import FirewallSetup, PacketFilter
from mstdn.images.facts import ImageStates, RecordedImages, SourceTree
from mstdn.images.references import all_images
from mstdn.kernel.operations import overcommit_question
from mstdn.layout import MASTODON_PROJECT, NETWORKS, NETWORKS_THAT_LEAD_OUT, MastodonLayout, ProxyLayout
from mstdn.mail.facts import WayOut
from mstdn.monitoring.operations import monitoring_questions
from mstdn.networks.facts import DockerNetworks, FirewallWays
from mstdn.preflight import files_question, question_about_the_server
from mstdn.proxy.project import proxy_project
from mstdn.retention.operations import retention_question
from mstdn.secrets.facts import SecretStates
from mstdn.secrets.operator import fingerprint_of, secrets_for
from mstdn.secrets.parts import words_for
from mstdn.settings import settings_for
from mstdn.sizing.facts import ServerSize
from mstdn.storage.operations import note_question, places_question
from mstdn.suite import note
from mstdn.swap.facts import SwapState
from mstdn.timers.operations import timer_questions
from mstdn.updates.operations import update_questions


def of_a_deployment(host: Host) -> Iterator[Question[Any]]:
    """Every question that deploy.py asks about this host, in the order of its tasks."""
    settings = settings_for(host)
    layout = MastodonLayout(settings.mastodon_root)
    # Which files there are does not depend on the size of the server; what is in them does.
    projects = (mastodon_project(settings, memory_mib=1024, ipv6=False), proxy_project(settings, ipv6=False))
    yield question_about_the_server(settings)
    yield Containers.all()
    yield PacketFilter.of_the_server()
    yield FirewallSetup.of_the_server()
    yield places_question(settings)
    yield files_question(settings)
    yield note_question()
    yield SwapState.of(settings.swap_path)
    yield overcommit_question()
    yield engine_question()
    yield repository_question()
    yield sources_question(settings.docker_repository)
    yield from daemon_questions()
    yield setup_question(settings.docker_users)
    yield from update_questions()
    yield DockerNetworks.named(NETWORKS)
    yield FirewallWays.of(NETWORKS_THAT_LEAD_OUT)
    yield states_of([note(settings)])
    yield GitCheckout.of(layout.source, settings.mastodon_version)
    yield ServerSize.of_the_server()
    yield written_in(ProxyLayout(settings.proxy_root).sites)
    for project in projects:
        yield from _of_a_project(project)
    yield from monitoring_questions(settings)
    yield ImageStates.of(all_images(settings))
    yield RecordedImages.of(layout.images)
    if settings.mastodon_image_source == "source":
        yield SourceTree.of(layout.source)
    yield SecretStates.of(layout.secrets, layout.database, words_for(settings))
    yield Installed.of(layout.installed, layout.database)
    yield DatabaseDumps.under(layout.root)
    yield StoresAtWork.of(MASTODON_PROJECT)
    yield PublishedAssets.under(layout.assets)
    yield CertificateStates.of(settings.proxy_root, settings.certificate_prefix, settings.public_domains)
    yield retention_question(settings)
    yield Images.all()
    yield OldScratch.under(layout.scratch, SCRATCH_MINUTES)
    yield from backup_questions(settings)
    yield alert_questions(settings)
    yield from timer_questions(settings)
    # Not for a plan: it logs in at the mail server. It holds for the visit in the end if nothing is changed before.
    if _a_run_follows_at_once():
        yield WayOut.of(MASTODON_PROJECT, settings.acme_directory_url)


def while_the_server_looks(host: Host) -> None:
    """What a deployment needs later of this machine and takes a while: a slow checksum, libraries that read much."""
    settings = settings_for(host)
    # Before it ends, Python looks through everything that a run holds for cycles to free: a tenth of what the run does
    # on this machine. The end frees it all anyway.
    atexit.register(gc.freeze)
    fingerprint_of(secrets_for(settings))
    import_module("mstdn.verify.operations")
    # A file that cannot be read is told by whoever needs it.
    with suppress(OSError):
        import_module("mstdn.verify.visitor").trust(settings.acme_ca_bundle)


def _a_run_follows_at_once() -> bool:
    """With --yes nothing is planned, and nobody is asked in between."""
    return bool(ctx_state.isset() and not ctx_state.get().check_for_changes)  # type: ignore[no-untyped-call]


def _of_a_project(project: Project) -> Iterator[Question[Any]]:
    yield states_of(project.files, project.directories)
    yield from contents_of(project.directories)
    yield AppliedProject.of(project.directory, project.made_from_paths, project.reloaded_paths)
