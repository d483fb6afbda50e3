"""The project of the proxy: its files, and that it runs. It depends on the network front, which is made before."""

from __future__ import annotations

from mstdn.app.names import names_here
from mstdn.compose.operations import running_project
from mstdn.compose.project import Project
from mstdn.files.operations import converge_tree
from mstdn.images.references import all_images
from mstdn.layout import ProxyLayout
from mstdn.networks.reach import containers_have_ipv6
from mstdn.operation import operation
from mstdn.proxy.project import proxy_project
from mstdn.settings import Settings
from mstdn.shell import Commands


@operation
def proxy_files(settings: Settings) -> Commands:
    """Ensure every file of the proxy that holds no secret."""
    project = _project(settings)
    # vhost.d holds what other sites need as well: their files are theirs.
    yield from converge_tree(project.files, project.directories, shared=[ProxyLayout(settings.proxy_root).sites])


@operation
def running_proxy(settings: Settings, timeout_seconds: int) -> Commands:
    """
    Ensure that the proxy runs as its files say.

    + timeout_seconds: for all services to become healthy
    """
    yield from running_project(_project(settings), all_images(settings), timeout_seconds)


def _project(settings: Settings) -> Project:
    return proxy_project(settings, ipv6=containers_have_ipv6(settings), names=names_here(settings))
