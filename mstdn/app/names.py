"""The host names that the proxy answers for on the server at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyinfra.api.exceptions import DeployError, FactProcessError

from mstdn.fact import ask
from mstdn.preflight import question_about_the_server
from mstdn.preflight.names import leads_here

if TYPE_CHECKING:
    from mstdn.settings import Settings


def served_names(settings: Settings) -> tuple[str, ...]:
    """The names_here(), for tasks. Raises DeployError if the server did not answer."""
    try:
        return names_here(settings)
    except FactProcessError as error:
        raise DeployError(str(error)) from None


def names_here(settings: Settings) -> tuple[str, ...]:
    """
    The site's names; and, where the site has another name than the accounts (web_domain), also theirs if the DNS says
    that it leads to this server. Others ask there for the accounts, and nobody else could answer.
    """
    names = settings.public_domains
    if settings.local_domain in names or settings.preflight_dns == "skip":
        return names
    report = ask(question_about_the_server(settings))
    return (*names, settings.local_domain) if leads_here(settings.local_domain, report, settings) else names
