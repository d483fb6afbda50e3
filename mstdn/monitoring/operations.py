"""Exporters: they run where the operator wants them, and leave nothing where he does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mstdn.asking import ask
from mstdn.compose.facts import AppliedProject
from mstdn.compose.operations import converge_project
from mstdn.docker.facts import Containers
from mstdn.docker.presence import needs_engine
from mstdn.fact import Question
from mstdn.files.operations import converge_tree, states_of
from mstdn.images.references import all_images
from mstdn.layout import MASTODON_PROJECT, NETWORKS, MastodonLayout
from mstdn.monitoring.facts import MonitoringRole
from mstdn.monitoring.project import monitoring_project
from mstdn.monitoring.rules import lacking, left_containers, left_network, left_secrets
from mstdn.networks.facts import DockerNetworks
from mstdn.operation import announce, operation
from mstdn.secrets.facts import SecretStates
from mstdn.secrets.parts import words_for
from mstdn.settings import Settings
from mstdn.shell import Commands, script


def monitoring_questions(settings: Settings) -> Iterator[Question[Any]]:
    """What is asked only where monitoring is on; where it is off, the answers to others' questions are enough."""
    if settings.monitoring_enabled:
        project = monitoring_project(settings)
        yield states_of(project.files, project.directories)
        yield AppliedProject.of(project.directory, project.made_from_paths, project.reloaded_paths)
        yield _role(settings)


def _role(settings: Settings) -> Question[Any]:
    return MonitoringRole.of(MASTODON_PROJECT, MastodonLayout(settings.mastodon_root).secrets)


@operation
def monitoring_files(settings: Settings) -> Commands:
    """Ensure the files of monitoring, where it is on."""
    if settings.monitoring_enabled:
        project = monitoring_project(settings)
        yield from converge_tree(project.files, project.directories)


@operation
@needs_engine
def monitoring_role(settings: Settings) -> Commands:
    """Ensure that PostgreSQL lets the exporter in and shows it statistics, and no more, where monitoring is on."""
    if settings.monitoring_enabled and (reason := lacking(ask(_role(settings)))):
        announce(reason)
        yield script("monitoring/let_in", settings.mastodon_root)


@operation
def running_monitoring(settings: Settings, timeout_seconds: int) -> Commands:
    """
    Ensure that the exporters run as their files say, where monitoring is on.

    + timeout_seconds: for all of them to become healthy
    """
    if settings.monitoring_enabled:
        yield from converge_project(monitoring_project(settings), all_images(settings), timeout_seconds)


@operation
def removed_monitoring(settings: Settings) -> Commands:
    """Ensure that nothing of monitoring is left where it is off. A network that others are on stays."""
    layout = MastodonLayout(settings.mastodon_root)
    if settings.monitoring_enabled:
        return
    containers = ask(Containers.all())
    state = ask(SecretStates.of(layout.secrets, layout.database, words_for(settings)))
    networks = ask(DockerNetworks.named(NETWORKS))
    network = left_network(networks, containers)
    if exporters := left_containers(containers):
        announce("exporters run, and monitoring_enabled is False")
        yield script("uninstall/remove_containers", *exporters)
    if network:
        yield script("uninstall/remove_networks", network)
    if left_secrets({*state.good, *state.damaged}):
        announce("the exporter's role and password are there, and monitoring_enabled is False")
        yield script("monitoring/remove", layout.root)
