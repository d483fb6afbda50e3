"""What would get in the way of the suite's containers: ports, other engines, other proxies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mstdn.preflight.finding import Finding

if TYPE_CHECKING:
    from mstdn.preflight.facts import RunningContainer, ServerReport
    from mstdn.settings import Settings

# What the projects' images were called before both moved to the organisation nginx-proxy: nobody builds these now.
DEAD_IMAGES = {
    "jwilder/nginx-proxy": "nginxproxy/nginx-proxy",
    "jwilder/docker-gen": "nginxproxy/docker-gen",
    "jrcs/letsencrypt-nginx-proxy-companion": "nginxproxy/acme-companion",
}
PROXY_IMAGES = ("nginxproxy/nginx-proxy", "nginxproxy/docker-gen", "nginxproxy/acme-companion")


def findings(report: ServerReport, settings: Settings) -> Iterator[Finding]:
    """Everything about Docker and about what else runs here."""
    yield from _ports(report, settings)
    yield from _engines(report)
    yield from _projects(report, settings)
    for container in report.containers:
        yield from _image(container, report, settings)


def _ports(report: ServerReport, settings: Settings) -> Iterator[Finding]:
    for port in (80, 443):
        publishers = [container for container in report.containers if port in container.ports]
        for container in publishers:
            if not _is_our_proxy(container, report, settings):
                yield Finding(
                    "error",
                    f"Port {port}, which the proxy needs, is published by the container {container.name} "
                    f"({container.image}). Stop it for good: docker update --restart=no {container.name} && "
                    f"docker stop {container.name}",
                )
        listeners = [listener for listener in report.listeners if listener.port == port]
        if listeners and not publishers:
            process, pid = listeners[0].process or "unknown", listeners[0].pid
            yield Finding(
                "error",
                f"Port {port}, which the proxy needs, is held by {process} (process {pid}). Stop it for good, for "
                f"example: systemctl disable --now {process}",
            )


def _is_our_proxy(container: RunningContainer, report: ServerReport, settings: Settings) -> bool:
    return container.project == "proxy" and container.directory in (settings.proxy_root, *report.directories)


def _engines(report: ServerReport) -> Iterator[Finding]:
    others = sorted(report.packages - {"docker-ce", "snap:docker"})
    # Where docker-ce is installed, apt has already seen to it that nothing is in its way.
    if others and "docker-ce" not in report.packages:
        yield Finding(
            "error",
            f"Docker is here in the distribution's own packages ({', '.join(others)}), beside which Docker's cannot "
            f"be installed. Remove them: apt-get remove {' '.join(others)}. What is in /var/lib/docker stays.",
        )
    if "snap:docker" in report.packages:
        yield Finding(
            "error",
            "Docker is here as a snap, and two engines would fight over the same ports and networks. Save what its "
            "containers hold, then: snap remove --purge docker",
        )


def _projects(report: ServerReport, settings: Settings) -> Iterator[Finding]:
    roots = {"proxy": settings.proxy_root, "mstdn": settings.mastodon_root}
    for project, root in roots.items():
        containers = [container for container in report.containers if container.project == project]
        for directory in sorted({container.directory for container in containers} - {root, *report.directories}):
            yield Finding(
                "error",
                f"Another Compose project is called {project} (in {directory}), as the suite's own in {root} must "
                f"be. Rename it, or take it down: docker compose --project-directory {directory} down",
            )


def _image(container: RunningContainer, report: ServerReport, settings: Settings) -> Iterator[Finding]:
    image = container.image.removeprefix("docker.io/")
    name, _, tag = image.partition(":")
    if name in DEAD_IMAGES:
        yield Finding(
            "error",
            f"The container {container.name} runs {image}, which is abandoned. The suite brings its successor "
            f"({DEAD_IMAGES[name]}) and its own certificates, and the two would fight. Remove it: "
            f"docker rm --force {container.name}. Other sites behind it: attach their containers to the network front.",
        )
    elif name in PROXY_IMAGES and not re.search(r"\d", tag) and not _is_our_proxy(container, report, settings):
        yield Finding(
            "warning",
            f"The container {container.name} runs {image} without a version, so any pull may replace it by something "
            "else. Name a version, or remove it if it served this site: the suite brings its own.",
        )
