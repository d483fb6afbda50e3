"""SparkPost, now Bird Email (developers.sparkpost.com/api/sending-domains)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from mstdn.cloud.errors import ProviderError, ProvisionError
from mstdn.cloud.http import Api, ErrorForm, first_text, session_with
from mstdn.mail_domain.provider import SendingDomain
from mstdn.settings.provision import ProvisionSettings

BASES = {"us": "https://api.sparkpost.com/api/v1", "eu": "https://api.eu.sparkpost.com/api/v1"}
CONSOLES = {"us": "app.sparkpost.com", "eu": "app.eu.sparkpost.com"}
BOUNCES = {"us": "sparkpostmail.com", "eu": "eu.sparkpostmail.com"}
EXISTS = "1602"


def _error(body: Mapping[str, Any]) -> tuple[str, str]:
    first = next((each for each in body.get("errors") or [] if isinstance(each, dict)), {})
    words = " ".join(filter(None, (first_text([first.get("message")]), first_text([first.get("description")]))))
    return str(first.get("code", "")), words


class SparkPost:
    title = "SparkPost"
    domains: Mapping[str, str]
    verifies: tuple[str, ...]
    foreseen: tuple[tuple[str, str, str], ...]

    def __init__(self, settings: ProvisionSettings, key: SecretStr):
        self._region = settings.mail_domain_region
        # Nothing but the key stands in the header, without "Bearer".
        session = session_with(key, "{}")
        self._api = Api("SparkPost", BASES[self._region], session, ErrorForm(_error))
        self._domain = settings.sending_domain
        self._bounce = settings.mail_domain_bounce
        self._bits = settings.mail_domain_dkim_bits
        self.domains = {self._domain: f"DKIM {self._bits} bits"}
        self.verifies, self.foreseen = ("DKIM",), ()
        if self._bounce:
            self.domains = {**self.domains, self._bounce: "for bounces"}
            self.verifies, self.foreseen = ("DKIM", "bounce domain"), (self._bounce_record(),)

    def look(self) -> SendingDomain | None:
        found = self._find(self._domain)
        if found is None:
            return None
        records = [self._dkim(found)]
        unverified = [] if found["status"]["dkim_status"] == "valid" else ["DKIM"]
        missing = []
        if self._bounce:
            records.append(self._bounce_record())
            bounce = self._find(self._bounce)
            if bounce is None:
                missing.append(self._bounce)
            if bounce is None or bounce["status"]["cname_status"] != "valid":
                unverified.append("bounce domain")
        return SendingDomain(tuple(records), not unverified, tuple(unverified), tuple(missing))

    def register(self, domain: str) -> None:
        if self._find(domain) is not None:
            return
        wish = (
            {"generate_dkim": True, "dkim_key_length": self._bits}
            if domain == self._domain
            else {"generate_dkim": False}
        )
        try:
            self._call(domain, "register the sending domain", "/sending-domains", {"domain": domain} | wish)
        except ProviderError as refused:
            if refused.code != EXISTS or self._find(domain) is None:
                raise

    def verify(self) -> Sequence[str]:
        """SparkPost answers 200 whether it found the records or not: only its words tell."""
        complaints = []
        for domain, wish, status, said in (
            (self._domain, "dkim_verify", "dkim_status", "dkim_error"),
            (self._bounce, "cname_verify", "cname_status", "cname_error"),
        ):
            if domain:
                body = self._call(domain, f"verify {domain}", f"/sending-domains/{domain}/verify", {wish: True})[
                    "results"
                ]
                if body[status] != "valid":
                    words = first_text([(body.get("dns") or {}).get(said), f"{status} is {body[status]}"])
                    complaints.append(
                        f'{"the DKIM record" if domain == self._domain else "the CNAME"} of {domain}: "{words}"'
                    )
        return complaints

    def _dkim(self, found: Mapping[str, Any]) -> tuple[str, str, str]:
        """Form: SparkPost's console, under Sending Domains; the same in sending-domains.apib."""
        dkim = found.get("dkim")
        if not dkim:
            raise ProvisionError(
                f"The sending domain {self._domain} at SparkPost has no DKIM key: it was added for something else than "
                "sending. Give it one in the console, or remove it there: then it is registered anew by the next run."
            )
        return f"{dkim['selector']}._domainkey.{self._domain}", "TXT", f"v=DKIM1; k=rsa; h=sha256; p={dkim['public']}"

    def _bounce_record(self) -> tuple[str, str, str]:
        return self._bounce, "CNAME", BOUNCES[self._region]

    def _find(self, domain: str) -> dict[str, Any] | None:
        try:
            body = self._api.find("look for the sending domain", f"/sending-domains/{domain}")
        except ProviderError as refused:
            raise self._explained(refused, domain) from None
        found: dict[str, Any] | None = None if body is None else body["results"]
        if found is not None and found["status"].get("compliance_status") == "blocked":
            raise ProvisionError(
                f"SparkPost has blocked {domain}: it may not send. Ask its support why (support.sparkpost.com); "
                "nothing "
                "here can change that."
            )
        return found

    def _call(self, domain: str, doing: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._api.post(doing, path, body)
        except ProviderError as refused:
            raise self._explained(refused, domain) from None

    def _explained(self, refused: ProviderError, domain: str) -> ProvisionError:
        console = CONSOLES[self._region]
        other = "eu" if self._region == "us" else "us"
        if refused.status == 401:
            return ProvisionError(
                f"SparkPost does not know the key in SPARKPOST_API_KEY. Keys of {CONSOLES[other]} need "
                "mail_domain_region "
                f'= "{other}".'
            )
        if refused.status == 403:
            return ProvisionError(
                f"SparkPost did not {refused.doing}: the key in SPARKPOST_API_KEY may not manage sending domains. Tick "
                f'"Sending Domains: Read/Write" at {console}/account/api-keys.'
            )
        if refused.code == "7004":
            return ProvisionError(
                f"{domain} is a sending domain of another SparkPost account (or of the other region). Use that "
                "account's key, or remove the domain there."
            )
        if refused.code == "7000":
            return ProvisionError(
                f"SparkPost does not let anybody send from {domain} (a restricted domain). Set mail_domain to a domain "
                "of your own."
            )
        return refused
