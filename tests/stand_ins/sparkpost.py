"""
api.sparkpost.com and api.eu.sparkpost.com: sending domains. Forms: SparkPost's own sending-domains.apib.

Strict: the key stands alone in its header; verify answers 200 whether it found the record or not, and looks into the
DNS; each registration has a selector of its own.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from tests.stand_ins.internet import Request, Response, answer
from tests.stand_ins.names import Names

HOSTS = {"us": "api.sparkpost.com", "eu": "api.eu.sparkpost.com"}
SMTP_HOSTS = {"us": "smtp.sparkpostmail.com", "eu": "smtp.eu.sparkpostmail.com"}
SMTP_USER, SMTP_KEY = "SMTP_Injection", "sparkpost-smtp-canary"
BOUNCES = {"us": "sparkpostmail.com", "eu": "eu.sparkpostmail.com"}


def error(status: int, message: str, code: str = "", description: str = "") -> Response:
    body = (
        {"message": message} | ({"code": code} if code else {}) | ({"description": description} if description else {})
    )
    return answer(status, {"errors": [body]})


class SparkPostStandIn:
    """`elsewhere`: domains of other accounts. `may_manage`: the key has the grant for sending domains."""

    def __init__(self, names: Names, key: str = "sparkpost-canary", region: str = "us"):
        self.names, self.key, self.region, self.may_manage = names, key, region, True
        self.elsewhere: set[str] = set()
        self.domains: dict[str, dict[str, Any]] = {}
        self._selectors = itertools.count(1126)

    def __call__(self, request: Request) -> Response:
        if request.headers.get("authorization") != self.key:
            return error(401, "Unauthorized.")
        if not self.may_manage:
            return error(403, "Forbidden.")
        match = re.fullmatch(r"/api/v1/sending-domains(?:/([^/]+)(/verify)?)?", request.path)
        if match is None:
            return error(404, "resource not found", "1600")
        name, verify = match.groups()
        if request.method == "GET" and name and not verify:
            found = self.domains.get(name)
            return error(404, "resource not found", "1600") if found is None else answer(200, {"results": found})
        if request.method == "POST" and name is None:
            return self._register(request.json)
        if request.method == "POST" and verify:
            return self._verify(str(name), request.json)
        return error(405, "method not allowed")

    def forget(self, domain: str) -> None:
        """What happens to a domain that stays unverified for two weeks."""
        del self.domains[domain]

    def lets_in(self, user: str, password: str) -> bool:
        """True for the one user of SMTP with a key that may send."""
        return (user, password) == (SMTP_USER, SMTP_KEY)

    def refusal(self, sender: str) -> str:
        """Why a mail with this address in From is not taken, in SMTP's words; "" where it is."""
        domain = sender.rpartition("@")[2].lower()
        verified = [
            name for name, found in self.domains.items() if found["status"]["ownership_verified"] and "dkim" in found
        ]
        return "" if domain in verified else f"550 5.7.1 Unconfigured Sending Domain <{domain}>"

    def _register(self, body: dict[str, Any]) -> Response:
        domain = body.get("domain", "")
        if set(body) - {"domain", "generate_dkim", "dkim_key_length"} or not re.fullmatch(
            r"[a-z0-9.-]+\.[a-z]+", domain
        ):
            return error(400, "invalid params", "1200")
        if domain in self.domains:
            return error(409, "resource conflict", "1602")
        if domain in self.elsewhere:
            return error(400, "Domain in use by another account", "7004", "Domain is registered to another account")
        if domain.endswith("gmail.com"):
            return error(400, "Restricted domain", "7000", f"Domain {domain} is restricted")
        status = {
            "ownership_verified": False,
            "dkim_status": "unverified",
            "cname_status": "unverified",
            "mx_status": "unverified",
            "compliance_status": "valid",
            "spf_status": "unverified",
            "abuse_at_status": "unverified",
            "postmaster_at_status": "unverified",
            "verification_mailbox_status": "unverified",
        }
        found: dict[str, Any] = {"status": status, "is_default_bounce_domain": False}
        if body.get("generate_dkim", True):
            length = {1024: 216, 2048: 392}[body.get("dkim_key_length", 2048)]
            public = ("MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ" * 20)[:length]
            selector = f"scph{next(self._selectors)}"
            found["dkim"] = {"public": public, "selector": selector, "signing_domain": domain, "headers": "from:to"}
        self.domains[domain] = found
        named = {"message": "Successfully Created domain.", "domain": domain}
        return answer(200, {"results": named | {"dkim": found.get("dkim")}})

    def _verify(self, domain: str, body: dict[str, Any]) -> Response:
        found = self.domains.get(domain)
        if found is None:
            return error(404, "resource not found", "1600")
        dns: dict[str, str] = {}
        if body.get("dkim_verify"):
            dkim = found["dkim"]
            name = f"{dkim['selector']}._domainkey.{domain}"
            texts = self.names.values(name, "TXT")
            there = any(f"p={dkim['public']}" in text.replace(" ", "") for text in texts)
            found["status"]["dkim_status"] = "valid" if there else "invalid"
            found["status"]["ownership_verified"] = there
            if not there:
                dns["dkim_error"] = f"DNS DKIM query error: queryTxt ENOTFOUND {name}"
        if body.get("cname_verify"):
            there = self.names.values(domain, "CNAME") == (f"{BOUNCES[self.region]}.",)
            found["status"]["cname_status"] = "valid" if there else "invalid"
            if not there:
                dns["cname_error"] = f"DNS CNAME query error: queryCname ENOTFOUND {domain}"
        return answer(200, {"results": found["status"] | ({"dns": dns} if dns else {})})
