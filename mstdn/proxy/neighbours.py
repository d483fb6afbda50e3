"""Who else on this server has, or wants, what the proxy needs: its ports, its names, its place. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mstdn.docker.rules import ALIVE
from mstdn.finding import Finding
from mstdn.layout import MASTODON_PROJECT

if TYPE_CHECKING:
    from mstdn.docker.facts import Container
    from mstdn.preflight.facts import Listener, ServerReport
    from mstdn.settings import Settings

# What the projects' images were called before both moved to the organisation nginx-proxy: nobody builds these now.
DEAD_IMAGES = {
    "jwilder/nginx-proxy": "nginxproxy/nginx-proxy",
    "jwilder/docker-gen": "nginxproxy/docker-gen",
    "jrcs/letsencrypt-nginx-proxy-companion": "nginxproxy/acme-companion",
}
PROXY_IMAGES = ("nginxproxy/nginx-proxy", "nginxproxy/docker-gen", "nginxproxy/acme-companion")


def findings(report: ServerReport, containers: Sequence[Container], settings: Settings) -> Iterator[Finding]:
    """What holds the proxy's ports, and which other proxies run here. containers: those that hold their ports."""
    yield from _ports(report, containers, settings)
    for container in containers:
        yield from _image(container, report, settings)


def _ports(report: ServerReport, containers: Sequence[Container], settings: Settings) -> Iterator[Finding]:
    for port in (80, 443):
        publishers = [each for each in containers if port in _tcp_ports(each)]
        for container in publishers:
            if not _is_our_proxy(container, report, settings):
                yield Finding(
                    "error",
                    f"Port {port}, which the proxy needs, is published by the container {container.name} "
                    f"({container.reference}). Stop it for good: docker update --restart=no {container.name} && "
                    f"docker stop {container.name}",
                )
        listeners = [listener for listener in report.listeners if listener.port == port]
        if listeners and not publishers:
            yield Finding(
                "error", f"Port {port}, which the proxy needs, is held by {_holder(listeners[0], containers)}"
            )


def _holder(listener: Listener, containers: Sequence[Container]) -> str:
    """Who it is, and how to stop it for good."""
    for container in containers:
        if listener.owner and container.id.startswith(listener.owner):
            return (
                f"{listener.process} (process {listener.pid}) in the container {container.name} "
                f"({container.reference}), which uses the server's own network. Stop it for good: docker update "
                f"--restart=no {container.name} && docker stop {container.name}"
            )
    held = f"{listener.process or 'unknown'} (process {listener.pid}). Stop it for good"
    if listener.owner.endswith((".service", ".socket")):
        return f"{held}: systemctl disable --now {listener.owner}"
    return f"{held}, for example: systemctl disable --now {listener.process or 'unknown'}"


def claims(containers: Sequence[Container], settings: Settings) -> Iterator[Finding]:
    """Containers that ask the proxy for a name of the site: it would send each of them a part of the visitors."""
    for container in _others(containers):
        # nginx takes .example.org for that name and all below it.
        names = sorted({each.removeprefix(".") for each in _asked(container)} & {*settings.public_domains})
        if names:
            yield Finding(
                "error",
                f"The container {container.name} asks the proxy for {', '.join(names)} too (VIRTUAL_HOST), and would "
                "get a part of Mastodon's visitors. Give it another name, or stop it for good: docker update "
                f"--restart=no {container.name} && docker stop {container.name}",
            )


def whose_name(name: str, containers: Sequence[Container]) -> str:
    """The container of somebody else whose site has this name, by itself or by a pattern; "" if nobody has one."""
    return next((each.name for each in _others(containers) if any(_covers(own, name) for own in _asked(each))), "")


def _others(containers: Sequence[Container]) -> Iterator[Container]:
    """Those that are not Mastodon's. One that is between two attempts to start still has its name."""
    return (each for each in containers if each.status in ALIVE and each.project != MASTODON_PROJECT)


def _asked(container: Container) -> set[str]:
    return {name for variable in container.asks for name in names_in(variable)}


def _covers(asked: str, name: str) -> bool:
    """Whether nginx takes this name for that which was asked for. Source: nginx.org, "Server names"."""
    if asked.startswith("~"):
        try:
            return bool(re.search(asked[1:], name))
        except re.error:
            # nginx' expressions know more than Python's. What cannot be read is not a site of this name for sure.
            return False
    if asked.startswith("."):
        return name == asked[1:] or name.endswith(asked)
    if asked.startswith("*."):
        return name.endswith(asked[1:])
    if asked.endswith(".*"):
        return name.startswith(asked[:-1])
    return asked == name


def names_in(variable: str) -> frozenset[str]:
    """
    The host names in VIRTUAL_HOST=a,b or VIRTUAL_HOST_MULTIPORTS, which is YAML or JSON with a name for each key.

    Patterns (*.example.org, ~^…) are among them as they are: nginx prefers a name to each of them.
    """
    name, _, value = variable.partition("=")
    if name == "VIRTUAL_HOST":
        stripped = (each.strip() for each in value.split(","))
        # In an expression, a capital letter and a point at the end mean something of their own.
        return frozenset(each if each[0] == "~" else each.rstrip(".").lower() for each in stripped if each)
    return frozenset(each.lower() for each in re.findall(r"(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:\.\*)?", value))


def _tcp_ports(container: Container) -> set[int]:
    return {each.port for each in container.published if each.protocol == "tcp"}


def _is_our_proxy(container: Container, report: ServerReport, settings: Settings) -> bool:
    return container.project == "proxy" and container.directory in (settings.proxy_root, *report.directories)


def _image(container: Container, report: ServerReport, settings: Settings) -> Iterator[Finding]:
    image = container.reference.removeprefix("docker.io/")
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
