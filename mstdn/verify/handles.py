"""
Whether accounts are found by their name, where the site has another one (@alice@example.org at social.example.org).

Every other server asks the name after the @ first, by WebFinger (RFC 7033): whoever serves that name has to lead the
question to the site. Source: docs.joinmastodon.org/admin/config, WEB_DOMAIN.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from mstdn.verify.visitor import Visitor

MOVED = (301, 302, 307, 308)


@dataclass(frozen=True)
class Handles:
    """`local_domain`: the name after the @. `site_domain`: the site's. `visitor`: of local_domain, wherever that is."""

    local_domain: str
    site_domain: str
    visitor: Visitor

    def lead_to_the_site(self) -> str | None:
        """A question for an account at local_domain is led to the site, or answered there."""
        # Mastodon answers for itself under this name (app/controllers/well_known/webfinger_controller.rb).
        account = quote(f"acct:{self.local_domain}@{self.local_domain}", safe="")
        path = f"/.well-known/webfinger?resource={account}"
        problem = self.visitor.name() or self.visitor.certificate()
        if problem is None:
            answer = self.visitor.get(path)
            location = answer.headers.get("Location", "")
            if answer.status in MOVED and location.startswith(f"https://{self.site_domain}{path.partition('?')[0]}?"):
                return None
            if answer.status == 200 and _is_an_account(answer.data):
                return None
            problem = (
                f"https://{self.local_domain}/.well-known/webfinger got {answer.status} and Location '{location}'."
            )
        return "\n".join((f"Nobody elsewhere finds accounts @…@{self.local_domain}: {problem}", *self._remedies()))

    def _remedies(self) -> tuple[str, ...]:
        site = f"https://{self.site_domain}"
        return (
            f"The web server of {self.local_domain} has to lead the question here, with one of these lines:",
            f"  nginx:   location = /.well-known/webfinger {{ return 301 {site}$request_uri; }}",
            f"  Apache:  Redirect 301 /.well-known/webfinger {site}/.well-known/webfinger",
            f"  Caddy:   redir /.well-known/webfinger {site}{{uri}} permanent",
        )


def _is_an_account(data: bytes) -> bool:
    try:
        return "subject" in json.loads(data)
    except (ValueError, TypeError):
        return False
