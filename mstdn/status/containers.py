"""How the containers of the services are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mstdn.docker.facts import Container
from mstdn.layout import MONITORING_PROJECT, PROXY_PROJECT, MastodonLayout
from mstdn.status.complaint import DEPLOY, Complaint, Wanted

# Conditions of a service that nobody has to look at; not all have a health check.
GOOD = ("healthy", "running")


def complaints(containers: tuple[Container, ...], wanted: Wanted) -> Iterator[Complaint]:
    for project, services in wanted.services.items():
        directory = _directory(project, wanted)
        for service in services:
            state = condition(of_service(containers, project, service))
            if state in GOOD:
                continue
            yield Complaint(
                "warning" if state == "starting" else "error",
                f"{project}/{service}",
                f"{service} of {project} is {state}.",
                f"{'Look again in a minute' if state == 'starting' else f'Mend it: {DEPLOY}'}; what it says: cd "
                f"{directory} && docker compose logs --tail 30 {service}",
            )
    web = of_service(containers, "mstdn", "web")
    if web and all(each.reference != wanted.web_image for each in web):
        yield Complaint(
            "warning",
            "mstdn/web",
            f"web runs {web[0].reference}, and by its settings it would be {wanted.web_image}.",
            f"Deploy: {DEPLOY}",
        )


def _directory(project: str, wanted: Wanted) -> str:
    return {
        PROXY_PROJECT: wanted.proxy,
        MONITORING_PROJECT: MastodonLayout(wanted.root).monitoring,
    }.get(project, wanted.root)


def condition(containers: Iterable[Container]) -> str:
    """How a service is, from its containers: "healthy", "unhealthy", "exited" …; "missing" without one."""
    found = list(containers)
    if not found:
        return "missing"
    (first, *others) = found
    state = first.status if first.status != "running" else {"none": "running"}.get(first.health, first.health)
    return f"{state} ({len(found)} containers)" if others else state


def of_service(containers: Iterable[Container], project: str, service: str) -> list[Container]:
    """Its containers, but for those of "docker compose run"."""
    return [each for each in containers if (each.project, each.service, each.once) == (project, service, False)]
