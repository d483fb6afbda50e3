"""
One client for every JSON interface over HTTPS: time limits, retries with the server's own waits, one form of error.

HTTPS_PROXY and REQUESTS_CA_BUNDLE of the environment count, as with any program built on requests.
"""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import requests
from pydantic import SecretStr
from typing_extensions import override

from mstdn.cloud.errors import ProviderError, UnreachableError
from mstdn.cloud.waiting import pause

CONNECT_SECONDS = 10
ANSWER_SECONDS = 30
TRIES = 5
# Longer than this no request is waited for: the operator is told when to come back.
PATIENCE_SECONDS = 90
# An answer with one of these says that the request was not carried out, so it may be sent again whatever it was.
NOT_CARRIED_OUT = (429, 503)
# After one of these nobody knows. Reading may be tried again, anything else may not.
UNCERTAIN = (500, 502, 504)


class Key(requests.auth.AuthBase):
    """
    A key in the header Authorization of each request. It shows itself nowhere, neither in a log nor in a traceback.

    requests takes the login of ~/.netrc for a host unless a request has an authentication of its own, which is why
    this is one and no plain header.
    """

    def __init__(self, key: SecretStr, form: str):
        self._key, self._form = key, form

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._form.format(self._key.get_secret_value())
        return request

    def hidden(self, text: str) -> str:
        """The text without the key, should a provider have repeated it."""
        return text.replace(self._key.get_secret_value(), "…")


@dataclass(frozen=True)
class ErrorForm:
    """
    Where a provider's error bodies keep code and words: (code, words) of a body that is a JSON object.

    `busy`: codes that say "too many requests" under another status than 429.
    """

    read: Callable[[Mapping[str, Any]], tuple[str, str]]
    busy: tuple[str, ...] = ()


@dataclass
class Api:
    """
    A provider's interface. `provider`: its name for sentences. `base`: the URL that every path is put behind.

    `session` has the login: its `auth` is a Key, or it is a session of google-auth.
    """

    provider: str
    base: str
    session: requests.Session = field(repr=False)
    error_form: ErrorForm = field(repr=False)

    def get(self, doing: str, path: str, **query: Any) -> dict[str, Any]:
        """Read. Raises as `call` does."""
        return self.call("GET", doing, path, query=query)

    def find(self, doing: str, path: str, **query: Any) -> dict[str, Any] | None:
        """Read what may be absent: None for 404. Raises as `call` does."""
        try:
            return self.get(doing, path, **query)
        except ProviderError as refused:
            if refused.status != 404:
                raise
            # A proxy or a captive portal says 404 as well, and what it does not know may well be there.
            if not refused.details:
                raise self._no_object(doing) from None
            return None

    def post(self, doing: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        """Make or do. Raises as `call` does."""
        return self.call("POST", doing, path, body={} if body is None else body, query=query)

    def call(
        self,
        method: str,
        doing: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] = {},
        changes_nothing: bool = False,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> dict[str, Any]:
        """
        One request and its answer, a JSON object. `doing`: what it is for, for the sentence of an error.

        changes_nothing: it may be sent again, whatever its method, as any GET may.
        answer_seconds: how long the answer may take.

        Raises ProviderError when the provider answered with an error, UnreachableError when there is no usable answer.
        """
        waited, reads = 0.0, changes_nothing or method == "GET"
        for attempt in range(1, TRIES + 1):
            last = attempt == TRIES
            try:
                answer = self.session.request(
                    method,
                    self.base + path,
                    params={name: value for name, value in query.items() if value is not None},
                    json=body,
                    timeout=(CONNECT_SECONDS, answer_seconds),
                    # A key is for the host that it was made for, not for where an answer points.
                    allow_redirects=False,
                )
            except OSError as error:
                never_sent = isinstance(error, requests.ConnectTimeout) or "NewConnectionError" in str(error)
                hopeless = not isinstance(error, requests.RequestException)
                if last or hopeless or not (reads or never_sent):
                    raise self._unreachable(doing, error) from None
                wait = 2.0 ** (attempt - 1)
            else:
                if answer.status_code < 400:
                    return self._object(doing, answer)
                refused = self._refused(doing, answer)
                again = answer.status_code in NOT_CARRIED_OUT or (reads and answer.status_code in UNCERTAIN)
                if last or not (again or refused.code in self.error_form.busy):
                    raise refused
                wait = seconds_to_wait(answer.headers, 2.0 ** (attempt - 1), time.time())
            waited += wait
            if waited > PATIENCE_SECONDS:
                raise UnreachableError(
                    f"{self.provider} wants no request for {round(wait)} seconds (there were too many). Run again then."
                )
            pause(wait)
        raise AssertionError("the last try ends the loop")

    def _object(self, doing: str, answer: requests.Response) -> dict[str, Any]:
        if answer.status_code == 204:
            return {}
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self._no_object(doing)
        return found

    def _no_object(self, doing: str) -> UnreachableError:
        return UnreachableError(
            f"{self.provider} was asked to {doing} and answered with something that is no JSON object. "
            "Is a proxy or a captive portal in between? Run again: what is done already is found then."
        )

    def _refused(self, doing: str, answer: requests.Response) -> ProviderError:
        try:
            found = answer.json()
        except ValueError:
            found = {}
        body = found if isinstance(found, dict) else {}
        code, words = self.error_form.read(body) if body else ("", "")
        return ProviderError(self.provider, doing, answer.status_code, self._hidden(code), self._hidden(words), body)

    def _unreachable(self, doing: str, error: OSError) -> UnreachableError:
        if not isinstance(error, requests.RequestException):
            # What requests says of a file of certificates that is not there: the one error of its own that is none.
            return UnreachableError(
                f"{self.provider} was asked to {doing}, but this computer cannot: {error}. "
                "Correct REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE in the environment."
            )
        reasons: tuple[tuple[type[Exception], str], ...] = (
            (requests.exceptions.ProxyError, "the connection through the proxy (HTTPS_PROXY) failed or broke"),
            (requests.exceptions.SSLError, "its certificate is not one that this computer trusts"),
            (requests.Timeout, "no answer came in time"),
        )
        reason = next((words for kind, words in reasons if isinstance(error, kind)), "the connection failed or broke")
        return UnreachableError(
            f"{self.provider} was asked to {doing}, but {reason}. Run again: what is done already is found then."
        )

    def _hidden(self, text: str) -> str:
        """The text without the key, or without the token of a session of google-auth."""
        if isinstance(self.session.auth, Key):
            return self.session.auth.hidden(text)
        token = getattr(getattr(self.session, "credentials", None), "token", None)
        return text.replace(token, "…") if token else text


@cache
def session_with(key: SecretStr, form: str = "Bearer {}") -> requests.Session:
    """A session that sends this key, the same one for all of a run: its connections stay open. See Key for `form`."""
    session = requests.Session()
    session.auth = Key(key, form)
    return session


def seconds_to_wait(headers: Mapping[str, str], otherwise: float, now: float) -> float:
    """
    How long the server wants no further request: Retry-After in seconds or as a date (RFC 9110). `now`: seconds since
    the epoch.

    Hetzner's RateLimit-Reset does not tell it: at that moment all requests of an hour are there again, while one more
    comes each second (docs.hetzner.cloud, "Rate Limiting").
    """
    after = headers.get("Retry-After", "").strip()
    if after.isdecimal():
        return float(after)
    if after:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - now)
        except ValueError:
            return otherwise
    return otherwise


def first_text(values: Iterable[object]) -> str:
    """The first that is text and not empty, or ""; other values as JSON."""
    for value in values:
        if value:
            return value if isinstance(value, str) else json.dumps(value)
    return ""
