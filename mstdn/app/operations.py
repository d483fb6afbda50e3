"""The project of Mastodon: its files, and that it runs. It depends on the network front, which is made before."""

from __future__ import annotations

from mstdn.app.names import names_here
from mstdn.app.project import mastodon_project
from mstdn.asking import ask
from mstdn.compose.operations import running_project
from mstdn.compose.project import Project
from mstdn.database.facts import StoresAtWork
from mstdn.files.operations import converge_tree
from mstdn.images.references import all_images
from mstdn.layout import MASTODON_PROJECT
from mstdn.networks.reach import containers_have_ipv6
from mstdn.operation import operation
from mstdn.settings import Settings
from mstdn.shell import Commands
from mstdn.sizing.facts import ServerSize


@operation
def mastodon_files(settings: Settings) -> Commands:
    """Ensure every file of Mastodon that holds no secret."""
    project = _project(settings)
    yield from converge_tree(project.files, project.directories)


@operation
def running_mastodon(settings: Settings, timeout_seconds: int) -> Commands:
    """
    Ensure that Mastodon runs as its files say.

    + timeout_seconds: for all services to become healthy
    """
    yield from running_project(_project(settings), all_images(settings), timeout_seconds, _refusing)


def _refusing() -> dict[str, str]:
    # By then PostgreSQL has been given the password of today, without a restart.
    return {store: words for store, words in ask(StoresAtWork.of(MASTODON_PROJECT)).refused.items() if store == "redis"}


def _project(settings: Settings) -> Project:
    size = ask(ServerSize.of_the_server())
    return mastodon_project(settings, size.memory_mib, ipv6=containers_have_ipv6(settings), names=names_here(settings))
