"""Cloudflare's DNS (developers.cloudflare.com/api, DNS Records). What is made here is never proxied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from mstdn.cloud.errors import ProviderError, ProvisionError
from mstdn.cloud.http import Api, ErrorForm, session_with
from mstdn.dns.rules import Change, RecordSet, Zone, canonical, record_set, suffixes
from mstdn.dns.zone_file import quoted, unquoted

BASE = "https://api.cloudflare.com/client/v4"
EXISTS = ("81053", "81057", "81058")
UNKNOWN_TOKEN = ("1000", "6003", "10001")
TOKENS = "dash.cloudflare.com/profile/api-tokens"


def _error(body: Mapping[str, Any]) -> tuple[str, str]:
    errors = [each for each in body.get("errors") or [] if isinstance(each, dict)]
    chained = [link for each in errors for link in each.get("error_chain") or []]
    words = "; ".join(str(each.get("message", "")) for each in (*errors, *chained))
    return (str(errors[0].get("code", "")) if errors else ""), words


class CloudflareDns:
    title = "Cloudflare"
    by_hand = False

    def __init__(self, token: SecretStr):
        self._api = Api("Cloudflare", BASE, session_with(token), ErrorForm(_error))

    def zones(self, name: str) -> Sequence[Zone]:
        found = []
        for suffix in suffixes(name):
            for zone in self._all("list the zones", "/zones", name=suffix):
                servers = tuple(sorted(each.lower() for each in zone.get("name_servers") or ()))
                found.append(Zone(zone["id"], zone["name"], servers))
        return found

    def records(self, zone: Zone, name: str) -> Sequence[RecordSet]:
        by_type: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for each in self._all("list DNS records", f"/zones/{zone.id}/dns_records", **{"name.exact": name}):
            if each["name"].lower() == name:
                by_type[each["type"]].append(each)
        return [self._record_set(name, kind, found) for kind, found in by_type.items()]

    def _record_set(self, name: str, kind: str, found: list[dict[str, Any]]) -> RecordSet:
        values = [unquoted(each["content"]) if kind == "TXT" else _content(each) for each in found]
        special = "proxied" if any(each.get("proxied") for each in found) else ""
        ids = tuple((each["id"], canonical(kind, value)) for each, value in zip(found, values, strict=True))
        # 1 stands for "automatic", which is 300 seconds.
        return record_set(
            name, kind, values, max(300 if each["ttl"] == 1 else each["ttl"] for each in found), special, ids
        )

    def change(self, zone: Zone, change: Change) -> None:
        """
        One batch, in which deletions come first and which is all or nothing.

        Cloudflare takes a second address for a name that has one, so what is there is looked at once more just before.
        """
        subject = change.add or change.remove[0]
        expected = {old.type: old.raw for old in change.remove}
        now = {each.type: each.raw for each in self.records(zone, subject.name)}
        if {kind: raw for kind, raw in now.items() if kind in {*expected, subject.type}} != expected:
            raise _changed_meanwhile(subject)
        wanted = {(change.add.type, value) for value in change.add.values} if change.add else set()
        found = [(number, (old.type, value)) for old in change.remove for number, value in _ids(old)]
        # What stays is not touched: it may have a comment, and somebody's programs may know it by its ID.
        deletes = [{"id": number} for number, value in found if value not in wanted]
        missing = sorted(wanted - {value for _, value in found})
        posts = [_body(change.add, value) for _, value in missing] if change.add else []
        doing = f"change the record {subject.type} of {subject.name}"
        try:
            with _in_words():
                path, body = f"/zones/{zone.id}/dns_records/batch", {"deletes": deletes, "posts": posts}
                _succeeded(doing, self._api.post(doing, path, body))
        except ProviderError as refused:
            if refused.code not in EXISTS:
                raise
            raise _changed_meanwhile(subject) from None

    def _all(self, doing: str, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        page, pages = 1, 1
        while page <= pages:
            with _in_words():
                body = _succeeded(doing, self._api.get(doing, path, page=page, per_page=50, **query))
            yield from body["result"]
            page, pages = page + 1, (body.get("result_info") or {}).get("total_pages", 1)


def _succeeded(doing: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body, which says itself whether it is a success, whatever the status. Raises ProviderError."""
    if body.get("success") is False:
        raise ProviderError("Cloudflare", doing, 200, *_error(body), body)
    return body


class _in_words:  # noqa: N801 (it reads as a verb where it is used)
    """Turns Cloudflare's refusals within it into sentences with a remedy."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, ProviderError):
            return
        # 9109 stands for three things; the words tell which (jeessy2/ddns-go#890 and #1341).
        if "access token from location" in error.words:
            raise ProvisionError(
                f'Cloudflare does not take the token in CLOUDFLARE_API_TOKEN from here: "{error.words}". The token is '
                f"limited to other addresses. Add this one to it at {TOKENS}, or take the limit away."
            ) from None
        unknown = error.status == 401 or error.code in UNKNOWN_TOKEN or "Invalid access token" in error.words
        if error.code in ("9109", "10000") and error.status == 403 and not unknown:
            raise ProvisionError(
                f"Cloudflare did not {error.doing}: the token in CLOUDFLARE_API_TOKEN lacks the right. Give it the "
                f"permissions Zone: Zone: Read and Zone: DNS: Edit, for this zone, at {TOKENS}."
            ) from None
        if unknown:
            raise ProvisionError(
                "Cloudflare does not know the token in CLOUDFLARE_API_TOKEN, or it has expired. Make an API token (not "
                f"the Global API Key) with Zone: Zone: Read and Zone: DNS: Edit at {TOKENS}, and put it into "
                "secrets.env."
            ) from None


def _ids(records: RecordSet) -> tuple[tuple[str, str], ...]:
    assert isinstance(records.raw, tuple)
    return records.raw


def _content(record: Mapping[str, Any]) -> str:
    """MX keeps its preference in a field of its own."""
    return f"{record['priority']} {record['content']}" if record["type"] == "MX" else str(record["content"])


def _body(records: RecordSet, value: str) -> dict[str, Any]:
    body: dict[str, Any] = {"type": records.type, "name": records.name, "ttl": records.ttl, "proxied": False}
    if records.type == "MX":
        preference, _, target = value.partition(" ")
        return body | {"content": target, "priority": int(preference)}
    return body | {"content": quoted(value) if records.type == "TXT" else value}


def _changed_meanwhile(records: RecordSet) -> ProvisionError:
    return ProvisionError(
        f"Somebody changed the {records.type} record of {records.name} at the same moment. It was not touched; run "
        "again."
    )
