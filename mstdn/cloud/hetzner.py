"""
Hetzner's interface (docs.hetzner.cloud, version 1): servers, firewalls and DNS zones of one project, one token.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from mstdn.cloud.errors import ProviderError, ProvisionError
from mstdn.cloud.http import Api, ErrorForm, session_with
from mstdn.cloud.waiting import pause

BASE = "https://api.hetzner.cloud/v1"
ACTION_SECONDS = 300
OURS = {"managed-by": "mstdn"}


def _error(body: Mapping[str, Any]) -> tuple[str, str]:
    error = body.get("error")
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code", "")), str(error.get("message", ""))


class Hetzner:
    """One project of Hetzner. Every method raises ProvisionError."""

    def __init__(self, token: SecretStr):
        self._api = Api("Hetzner", BASE, session_with(token), ErrorForm(_error))

    def all(self, doing: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every object of a list, page by page."""
        page: int | None = 1
        while page is not None:
            body = self.get(doing, path, page=page, per_page=50, **query)
            yield from body[key]
            page = body.get("meta", {}).get("pagination", {}).get("next_page")

    def get(self, doing: str, path: str, **query: Any) -> dict[str, Any]:
        with _in_words():
            return self._api.get(doing, path, **query)

    def post(self, doing: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Make or do, and wait until it is done: most answers are actions that only begin."""
        with _in_words():
            answer = self._api.post(doing, path, body)
        self._wait_for(doing, answer)
        return answer

    def put(self, doing: str, path: str, body: Mapping[str, Any]) -> None:
        """Change an object's own fields, at once."""
        with _in_words():
            self._api.call("PUT", doing, path, body=body)

    def delete(self, doing: str, path: str) -> None:
        """Only for record sets, under dns_replace. Nothing else is ever deleted."""
        with _in_words():
            answer = self._api.call("DELETE", doing, path)
        self._wait_for(doing, answer)

    def _wait_for(self, doing: str, answer: Mapping[str, Any]) -> None:
        actions = [answer.get("action"), *answer.get("actions", []), *answer.get("next_actions", [])]
        for action in filter(None, actions):
            self._wait(doing, action)

    def _wait(self, doing: str, action: Mapping[str, Any]) -> None:
        waited, poll = 0.0, 0.5
        while action["status"] == "running":
            if waited > ACTION_SECONDS:
                raise ProvisionError(
                    f"Hetzner was asked to {doing} and has not finished within {ACTION_SECONDS} seconds. Run "
                    "again: the "
                    "next run looks at what became of it."
                )
            pause(poll)
            waited, poll = waited + poll, min(5.0, poll * 1.5)
            action = self.get(doing, f"/actions/{action['id']}")["action"]
        if action["status"] == "error":
            error = action.get("error") or {}
            raise explained(ProviderError("Hetzner", doing, 200, str(error.get("code")), str(error.get("message")), {}))


class _in_words:  # noqa: N801 (it reads as a verb where it is used)
    """Turns Hetzner's refusals within it into sentences with a remedy."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ProviderError):
            raise explained(error) from None


def explained(refused: ProviderError) -> ProvisionError:
    """
    The refusal with its remedy; the refusal itself where there is no better one, or where a caller knows better.

    Codes: docs.hetzner.cloud, "Errors".
    """
    remedies = {
        "unauthorized": "Hetzner does not know the token in HCLOUD_TOKEN. Make one in the project's console under "
        "Security, API tokens, with Read & Write, and put it into secrets.env.",
        "token_readonly": f"Hetzner did not {refused.doing}: the token in HCLOUD_TOKEN may only read. Make one with "
        "Read & Write in the project's console under Security, API tokens.",
        "forbidden": f"Hetzner did not {refused.doing}: the token in HCLOUD_TOKEN lacks the right. Make one with "
        "Read & Write in the project's console under Security, API tokens.",
        "resource_limit_exceeded": f"Hetzner did not {refused.doing}: the project has reached its limit "
        f'("{refused.words}"). Have it raised in the console under Limits, or make room.',
        "resource_unavailable": f"Hetzner did not {refused.doing}: there is none to give at the moment "
        f'("{refused.words}"). Try another server_place or server_type. The reserved address stays yours.',
        "placement_error": f"Hetzner did not {refused.doing}: no room at this location at the moment. Try another "
        "server_place or run again later. The reserved address stays yours.",
        "rate_limit_exceeded": "Hetzner has had too many requests for this project. Run again in some minutes: each "
        "second lets one more through.",
        "locked": f"Hetzner did not {refused.doing}: something else is being done to it. Run again in a minute.",
        "conflict": f"Hetzner did not {refused.doing}: it was changed at the same time. Run again.",
        "incorrect_zone_mode": f"Hetzner did not {refused.doing}: the zone is a secondary one there, and its records "
        'come from another name server. Set dns_provider to whoever has that one, or to "manual".',
        "protected": f"Hetzner did not {refused.doing}: it is protected. Take the protection off in the console, and "
        "run again.",
        "maintenance": f"Hetzner did not {refused.doing}: it is in maintenance. See status.hetzner.com and run again.",
    }
    if refused.status == 401:
        return ProvisionError(remedies["unauthorized"])
    return ProvisionError(remedies[refused.code]) if refused.code in remedies else refused


def names_of(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of objects that a list offers, without those no longer sold."""
    return sorted(str(each["name"]) for each in objects if not each.get("deprecation") and not each.get("deprecated"))
