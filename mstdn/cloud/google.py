"""
Google Compute Engine's REST interface (compute/v1) with google-auth's logins: a key file, gcloud's, or the machine's.

Requests that make something carry a requestId made from what they ask for, so that a repeated one is the same
operation and not a second server.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from mstdn.cloud.errors import ProviderError, ProvisionError, UnreachableError
from mstdn.cloud.extras import extra
from mstdn.cloud.http import ANSWER_SECONDS, Api, ErrorForm
from mstdn.cloud.waiting import pause
from mstdn.settings.provision import ProvisionSettings

BASE = "https://compute.googleapis.com/compute/v1"
SCOPE = "https://www.googleapis.com/auth/compute"
OURS = {"managed-by": "mstdn"}
OPERATION_SECONDS = 600
# An operation's wait answers after two minutes at the latest. Source: compute/v1, zoneOperations.wait.
WAIT_ANSWER_SECONDS = 150
# How many earlier requests for the same thing, in the same hour, are passed by.
EARLIER_REQUESTS = 20
NEEDED_FOR = 'server_provider = "google"'
NO_LOGIN = (
    "Google's login (oauth2.googleapis.com) answered with something that is no login. Run again; if it stays: is a "
    "proxy or a captive portal in between?"
)
# It also calls too many requests forbidden (403). Source: cloud.google.com/compute/api-quota, "Error codes".
BUSY = ("rateLimitExceeded", "userRateLimitExceeded")
EXISTS = ("alreadyExists", "RESOURCE_ALREADY_EXISTS")
# Rights that "Compute Instance Admin (v1)" does not have: it may use an address and not make one. Source: what
# JetBrains/teamcity-google-agent#5 lists; cloud.google.com/iam/docs/roles-permissions/compute has all of them.
ROLES = {
    "compute.firewalls.": "securityAdmin",
    "compute.networks.updatePolicy": "securityAdmin",
    "compute.addresses.create": "publicIpAdmin",
    "compute.addresses.setLabels": "publicIpAdmin",
}


def _error(body: Mapping[str, Any]) -> tuple[str, str]:
    error = body.get("error")
    if not isinstance(error, dict):
        return "", ""
    first: dict[str, Any] = next((each for each in error.get("errors") or [] if isinstance(each, dict)), {})
    return str(first.get("reason", error.get("status", ""))), str(error.get("message", ""))


class Google:
    """One project. Every method raises ProvisionError."""

    def __init__(self, settings: ProvisionSettings):
        credentials, default_project = _login(settings.server_credentials)
        self.project = settings.server_project or default_project or ""
        if not self.project:
            raise ProvisionError(
                "Which project of Google shall it be? Set server_project to its ID, as the console shows it beside the "
                "project's name."
            )
        # The account's name for sentences: a person's login does not tell it.
        self.account = str(getattr(credentials, "service_account_email", "") or "your account")
        transport = extra("google.auth.transport.requests", "google-auth", NEEDED_FOR)
        self._credentials = credentials
        self._log_in = partial(transport.Request(), timeout=ANSWER_SECONDS)
        session = transport.AuthorizedSession(credentials)
        self._api = Api("Google", f"{BASE}/projects/{self.project}", session, ErrorForm(_error, BUSY))

    def find(self, doing: str, path: str) -> dict[str, Any] | None:
        with self._in_words():
            return self._api.find(doing, path)

    def names(self, doing: str, path: str) -> list[str]:
        """The names of what a list offers, without what is deprecated."""
        return sorted(each["name"] for each in self.all(doing, path) if not each.get("deprecated"))

    def all(self, doing: str, path: str) -> list[dict[str, Any]]:
        """Every object of a list, page by page."""
        return [each for page in self._pages(doing, path) for each in page.get("items", [])]

    def everywhere(self, doing: str, kind: str, name: str) -> list[dict[str, Any]]:
        """Those of this name in all zones or regions. Source: compute/v1, aggregatedList."""
        pages = self._pages(doing, f"/aggregated/{kind}", filter=f"name={name}")
        return [each for page in pages for scope in page.get("items", {}).values() for each in scope.get(kind, [])]

    def _pages(self, doing: str, path: str, **query: str) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            with self._in_words():
                page = self._api.get(doing, path, maxResults=500, pageToken=token, **query)
            yield page
            token = page.get("nextPageToken")
            if not token:
                return

    def make(self, doing: str, path: str, body: Mapping[str, Any]) -> None:
        """
        Make something that has a name; nothing happens where it is there already.

        The requestId is of what is asked for, so that a changed wish is another request, and of the hour, because
        Google remembers a request for long. An answer that is done at once is that of an earlier run. It counts only
        where it is still true: that run may have failed, or what it made was deleted by hand. Then the next is sent.
        """
        seed = f"{self.project} {path} {sorted(body.items(), key=str)} {int(time.time() // 3600)}"
        failure: ProvisionError | None = None
        for number in range(EARLIER_REQUESTS):
            request_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed} {number}"))
            earlier, failure = False, None
            try:
                operation = self._begin("POST", doing, path, body, requestId=request_id)
                earlier = operation["status"] == "DONE"
                self._wait(doing, operation)
            except ProvisionError as refused:
                failure = refused
                if not (earlier or getattr(refused, "code", "") in EXISTS):
                    raise
            else:
                if not earlier:
                    return
            if self.find(doing, f"{path}/{body['name']}") is not None:
                return
            if not earlier:
                break
        raise failure or UnreachableError(f"Google says that it did {doing}, but it is not there. Run again.")

    def post(self, doing: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        self._do("POST", doing, path, body or {})

    def patch(self, doing: str, path: str, body: Mapping[str, Any]) -> None:
        self._do("PATCH", doing, path, body)

    def _do(self, method: str, doing: str, path: str, body: Mapping[str, Any], **query: str) -> None:
        self._wait(doing, self._begin(method, doing, path, body, **query))

    def _begin(self, method: str, doing: str, path: str, body: Mapping[str, Any], **query: str) -> dict[str, Any]:
        """The operation that this begins, or began before."""
        with self._in_words():
            return self._api.call(method, doing, path, body=body, query=query)

    def _wait(self, doing: str, operation: Mapping[str, Any]) -> None:
        """An operation's wait returns after two minutes at most, done or not."""
        deadline = time.monotonic() + OPERATION_SECONDS
        while operation["status"] != "DONE":
            if time.monotonic() > deadline:
                raise ProvisionError(
                    f"Google was asked to {doing} and has not finished within {OPERATION_SECONDS} seconds. Run again: "
                    "the next run looks at what became of it."
                )
            path = operation["selfLink"].partition(f"/projects/{self.project}")[2]
            before = time.monotonic()
            with self._in_words():
                operation = self._api.call(
                    "POST", doing, f"{path}/wait", changes_nothing=True, answer_seconds=WAIT_ANSWER_SECONDS
                )
            if operation["status"] != "DONE" and time.monotonic() - before < 1:
                pause(1)
        # The operation says whether it failed; the thing itself is then simply not there (nodejs-compute#377).
        errors = (operation.get("error") or {}).get("errors") or []
        if errors:
            status = int(operation.get("httpErrorStatusCode", 400))
            refused = ProviderError(
                "Google", doing, status, errors[0]["code"], errors[0].get("message", ""), {"errors": errors}
            )
            raise self._explained(refused)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        exceptions = extra("google.auth.exceptions", "google-auth", NEEDED_FOR)
        try:
            self._logged_in()
            yield
        except ProviderError as refused:
            raise self._explained(refused) from None
        except exceptions.RefreshError as error:
            raise _no_login(error) from None
        except exceptions.TransportError:
            raise UnreachableError("Google's login (oauth2.googleapis.com) cannot be reached. Run again.") from None

    def _logged_in(self) -> None:
        """google-auth would do it with the next request; what is no answer of a login comes out of it as any error."""
        if self._credentials.valid:
            return
        try:
            self._credentials.refresh(self._log_in)
        except OSError as error:
            raise UnreachableError(
                f"Google's login (oauth2.googleapis.com) cannot be asked: {error}. Correct REQUESTS_CA_BUNDLE or "
                "CURL_CA_BUNDLE in the environment."
            ) from None
        except (AttributeError, KeyError, TypeError, ValueError):
            raise UnreachableError(NO_LOGIN) from None

    def _explained(self, refused: ProviderError) -> ProvisionError:
        project, words = self.project, refused.words
        if refused.code == "accessNotConfigured" or "has not been used in project" in words:
            return ProvisionError(
                f"The Compute Engine API is off in the project {project}. Turn it on at "
                f"https://console.cloud.google.com/apis/library/compute.googleapis.com?project={project} (the project "
                "needs a billing account), wait two minutes, run again."
            )
        if "requires billing to be enabled" in words:
            return ProvisionError(
                f"The project {project} has no billing account, and Google makes nothing in it. Link one at "
                f"https://console.cloud.google.com/billing/linkedaccount?project={project}, wait two minutes, and run "
                "again."
            )
        if refused.code.lower() in ("quotaexceeded", "quota_exceeded"):
            return ProvisionError(
                f"Google did not {refused.doing}: {words} Ask for more at "
                f"https://console.cloud.google.com/iam-admin/quotas?project={project}, or use another server_place."
            )
        if refused.code in BUSY:
            return ProvisionError(f"Google has had too many requests for the project {project}. Run again in a minute.")
        if refused.status == 403:
            right = words.partition("Required '")[2].partition("'")[0]
            if not right:
                return refused
            role = next((role for part, role in ROLES.items() if part in right), "instanceAdmin.v1")
            member = "serviceAccount:" if self.account.endswith("gserviceaccount.com") else "user:"
            who = self.account if "@" in self.account else "YOUR-ADDRESS"
            return ProvisionError(
                f"Google did not {refused.doing}: {self.account} lacks {right} in {project}. Give it the role: gcloud "
                f"projects add-iam-policy-binding {project} --member={member}{who} --role=roles/compute.{role}"
            )
        if refused.status == 401:
            return _login_refused(words)
        if refused.status == 404 and f"'projects/{project}'" in words:
            return ProvisionError(
                f'Google knows no project "{project}", or {self.account} may not see it. Correct server_project.'
            )
        return refused


@cache
def _login(key_file: str) -> tuple[Any, str | None]:
    """The credentials, and the project that comes with them. Once in a run: each login costs a request."""
    auth = extra("google.auth", "google-auth", NEEDED_FOR)
    exceptions = extra("google.auth.exceptions", "google-auth", NEEDED_FOR)
    wrong_file = (
        f"{key_file or 'The file in GOOGLE_APPLICATION_CREDENTIALS'} is not a key file of a service account of "
        "Google (a "
        "JSON file with private_key and client_email)."
    )
    if key_file:
        account = extra("google.oauth2.service_account", "google-auth", NEEDED_FOR)
        try:
            credentials = account.Credentials.from_service_account_file(key_file, scopes=[SCOPE])
        except (ValueError, exceptions.GoogleAuthError):
            raise ProvisionError(wrong_file) from None
        return credentials, credentials.project_id
    try:
        credentials, project = auth.default(scopes=[SCOPE])
    except exceptions.MalformedError:
        raise ProvisionError(wrong_file) from None
    except exceptions.GoogleAuthError:
        raise ProvisionError(
            "There is no login for Google on this computer. Type: gcloud auth application-default login  or name "
            "the key "
            "file of a service account: server_credentials."
        ) from None
    return credentials, project


def _no_login(error: Any) -> ProvisionError:
    """For google-auth's RefreshError, which it raises for whatever came instead of a token."""
    if error.retryable:
        return UnreachableError(
            "Google's login (oauth2.googleapis.com) has a fault of its own. Run again; if it stays, look at its status "
            "page."
        )
    words = str(error).strip()
    # A page for people, as a proxy sends it.
    if not words or words.startswith("<"):
        return UnreachableError(NO_LOGIN)
    return _login_refused(words)


def _login_refused(words: str) -> ProvisionError:
    if "Invalid JWT Signature" in words:
        return ProvisionError(
            "Google does not know the key in server_credentials any more: it was deleted or belongs to another "
            "account. "
            "Make a new key of the service account and name its file."
        )
    if "short-lived token" in words:
        return ProvisionError("Google refuses the login because this computer's clock is wrong. Set it, and run again.")
    if "expired or revoked" in words or "reauth" in words.lower():
        return ProvisionError("Your login at Google has expired. Type: gcloud auth application-default login")
    return ProvisionError(
        "Google does not accept the login. Type: gcloud auth application-default login  or correct server_credentials."
    )
