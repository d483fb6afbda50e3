"""The host names that the proxy answers for on the server at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyinfra.api.exceptions import DeployError, FactProcessError

from mstdn.asking import ask
from mstdn.docker.facts import Containers
from mstdn.fact import CouldNotLook
from mstdn.preflight import question_about_the_server
from mstdn.preflight.names import leads_here
from mstdn.proxy.neighbours import whose_name

if TYPE_CHECKING:
    from mstdn.settings import Settings


def served_names(settings: Settings) -> tuple[str, ...]:
    """
    The names_here(), for tasks. They want them before an engine that does not run has been started: until it can be
    asked, the name of the accounts counts as that of somebody else. Raises DeployError if the server did not answer.
    """
    try:
        return names_here(settings)
    except CouldNotLook:
        return settings.public_domains
    except FactProcessError as error:
        raise DeployError(str(error)) from None


def names_here(settings: Settings) -> tuple[str, ...]:
    """
    The site's names; and, where the site has another name than the accounts (web_domain), also theirs if the DNS says
    that it leads to this server and no container of somebody else asks the proxy for it. Others ask there for the
    accounts, and nobody else could answer. Where somebody has a site there, it is his: he leads them to us, and verify
    tells how.

    Raises CouldNotLook if it depends on an engine that does not run.
    """
    names = settings.public_domains
    if settings.local_domain in names or settings.preflight_dns == "skip":
        return names
    report = ask(question_about_the_server(settings))
    if not leads_here(settings.local_domain, report, settings):
        return names
    containers = ask(Containers.all())
    return names if whose_name(settings.local_domain, containers) else (*names, settings.local_domain)
