"""The look at a server that tasks/status.py tells of: its questions, all in one command, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pyinfra.api import Host

from mstdn.asking import ask
from mstdn.certificates.facts import CertificateFiles, CertificateStates
from mstdn.database.facts import Installed, Stores, StoresAtWork
from mstdn.docker.facts import Containers
from mstdn.fact import CouldNotLook, Question
from mstdn.images.references import web_image
from mstdn.layout import (
    MASTODON_PROJECT,
    NOTES,
    MastodonLayout,
)
from mstdn.monitoring.rules import services_of
from mstdn.postgres.facts import DataDirectories
from mstdn.secrets.operator import alert_secrets_for
from mstdn.settings import Settings, settings_for
from mstdn.status.complaint import Seen, Wanted
from mstdn.status.facts import MachineState, Parts, PartStates
from mstdn.status.limits import watched_directories
from mstdn.suite import this_suite

T = TypeVar("T")


def questions(settings: Settings) -> tuple[Question[Any], ...]:
    """What is asked, in the order in which look() takes it."""
    layout = MastodonLayout(settings.mastodon_root)
    return (
        MachineState.of(NOTES, layout.suite, watched_directories(settings)),
        Installed.of(layout.installed, layout.database),
        Containers.all(),
        CertificateStates.of(settings.proxy_root, settings.certificate_prefix, settings.public_domains),
        PartStates.of(MASTODON_PROJECT),
        DataDirectories.under(layout.root),
        StoresAtWork.of(MASTODON_PROJECT),
    )


def of_a_look(host: Host) -> Iterator[Question[Any]]:
    """Every question of tasks/status.py about this host."""
    yield from questions(settings_for(host))


def look(settings: Settings) -> Seen:
    """What there is. Raises FactProcessError if the server did not answer."""
    machine, installed, containers, certificates, parts, directories, stores = questions(settings)
    found, silent = _or_why(containers, None)
    return Seen(
        machine=ask(machine),
        installed=ask(installed),
        containers=found,
        silent=silent,
        certificates=_or_why(certificates, CertificateFiles())[0],
        parts=_or_why(parts, Parts())[0],
        directories=ask(directories),
        collation=_or_why(stores, Stores())[0].collation,
    )


def _or_why(question: Question[T], otherwise: T) -> tuple[T, str]:
    try:
        return ask(question), ""
    except CouldNotLook as reason:
        return otherwise, str(reason)


def wanted(settings: Settings) -> Wanted:
    """What there should be."""
    return Wanted(
        release=settings.mastodon_version,
        services=services_of(settings),
        web_image=web_image(settings),
        names=tuple(settings.public_domains),
        root=settings.mastodon_root,
        proxy=settings.proxy_root,
        suite=str(this_suite()),
        swap=bool(settings.swap_size_mib),
        backups=bool(settings.backup_repository),
        alerts=settings.alerts_enabled,
        told=bool(settings.alerts_mail_to or alert_secrets_for(settings)),
        postgres=settings.postgres_image,
        disk_percent=settings.alerts_disk_percent,
    )
