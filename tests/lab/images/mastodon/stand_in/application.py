"""
The pages and the API, behind the layers through which Rails passes a request.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import io
import json
import os
import re
import secrets
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import redis  # type: ignore[import-not-found]

from . import accounts, assets, jobs, rack
from .environment import ROOT, authorized_fetch, is_true, limited_federation, site, version
from .stores import Row, query, redis_client

_STATIC_SECONDS = 28 * 86_400

_PUBLIC_CACHE = "max-age={}, public, stale-while-revalidate=30, stale-if-error={}"
_DAY_SECONDS = 86_400

_PAGE_HEADERS = {
    "Server": "Mastodon",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "0",
    "Referrer-Policy": "same-origin",
    # What nobody said may be kept is kept by nobody: ApplicationController#set_cache_control_defaults.
    "Cache-Control": "private, no-store",
}


@dataclass
class Response:
    """An answer: a body, or the file that is one."""

    status: int
    body: bytes | Path = b""
    headers: dict[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """Ends a request with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass
class Call:
    """A request with what the layers found out about it."""

    request: rack.Request
    remote_ip: str
    token: Row | None
    captures: tuple[str, ...] = ()

    def wants_document(self) -> bool:
        """Whether the ActivityPub document is asked for and not the page."""
        return bool(re.search(r"application/(activity\+|ld\+)?json", self.request.headers.get("accept", "")))

    def account(self) -> Row:
        """The token of an account that may act. Raises RefusedError."""
        token = self.token
        if token is None:
            raise RefusedError(_json({"error": "The access token is invalid"}, 401))
        if token["account_id"] is None:
            raise RefusedError(_json({"error": "This method requires an authenticated user"}, 422))
        if token["confirmed_at"] is None:
            raise RefusedError(_json({"error": "Your login is missing a confirmed e-mail address"}, 403))
        if not token["approved"]:
            raise RefusedError(_json({"error": "Your login is currently pending approval"}, 403))
        if token["disabled"]:
            raise RefusedError(_json({"error": "Your login is currently disabled"}, 403))
        return token


def _json(content: object, status: int = 200, content_type: str = "application/json") -> Response:
    return Response(status, json.dumps(content).encode(), {"Content-Type": f"{content_type}; charset=utf-8"})


def _may_be_kept(
    response: Response,
    *,
    seconds: int = 15,
    after_errors: int = _DAY_SECONDS,
    vary: str = "Accept, Accept-Language, Cookie",
) -> Response:
    """Let caches on the way keep what everybody sees alike."""
    response.headers["Cache-Control"] = _PUBLIC_CACHE.format(seconds, after_errors)
    if vary:
        response.headers["Vary"] = vary
    return response


def _html(content: str, status: int = 200) -> Response:
    return Response(status, content.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _plain(content: str) -> Response:
    return Response(200, content.encode(), {"Content-Type": "text/plain; charset=utf-8"})


class Application:
    """Answers requests; everything that cannot change while the process runs is read once, at the start."""

    def __init__(self) -> None:
        """Raises FileNotFoundError where assets were never compiled, ValueError for a bad TRUSTED_PROXY_IP."""
        self._site = site()
        self._proxies = rack.trusted_proxies(os.environ.get("TRUSTED_PROXY_IP", ""))
        self._script, self._style = assets.entry_paths()
        self._asset_host = os.environ.get("CDN_HOST", "")
        self._cache = redis_client("CACHE_", socket_timeout=1, socket_connect_timeout=1)
        english = (ROOT / "config/locales/en.yml").read_text()
        match = re.search(r"^ +hosted_on: (.+)$", english, re.MULTILINE)
        self._title = match[1].replace("%{domain}", self._site.local_domain) if match else ""

    def answer(self, request: rack.Request) -> Response:
        """The answer to one request; never raises."""
        if request.path != "/health" and not rack.is_allowed_host(request, self._site.hosts):
            print(f"[ActionDispatch::HostAuthorization::DefaultResponseApp] Blocked hosts: {request.host}", flush=True)
            return Response(403, b"", {"Content-Type": "text/html; charset=UTF-8"})
        if request.scheme != "https":
            return self._redirect_to_https(request) or self._below_tls(request)
        response = self._below_tls(request)
        # Rails' own default for force_ssl, which Mastodon does not change.
        response.headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
        return response

    def _redirect_to_https(self, request: rack.Request) -> Response | None:
        host = re.sub(r":\d+$", "", request.headers.get("host", ""))
        if request.path.startswith("/health") or host.endswith((".onion", ".i2p")):
            return None
        query_string = f"?{request.query_string}" if request.query_string else ""
        location = f"https://{request.host}{request.path}{query_string}"
        status = 301 if request.method in {"GET", "HEAD"} else 308
        return Response(status, b"", {"Location": location, "Content-Type": "text/html; charset=utf-8"})

    def _below_tls(self, request: rack.Request) -> Response:
        if (file := self._static_file(request)) is not None:
            return file
        identifier, begun, status = secrets.token_hex(16), time.monotonic(), 500
        try:
            response = self._dispatch(request)
            status = response.status
        except RefusedError as refused:
            response, status = refused.response, refused.response.status
        except Exception as error:
            print(f"[{identifier}] {type(error).__name__} ({error}):", flush=True)
            traceback.print_exc()
            response = self._server_error(request)
        if request.path != "/health" and os.environ.get("RAILS_LOG_LEVEL", "info") in {"debug", "info"}:
            duration = (time.monotonic() - begun) * 1000
            print(
                f"[{identifier}] method={request.method} path={request.path} status={status} duration={duration:.2f}",
                flush=True,
            )
        response.headers = {**_PAGE_HEADERS, "X-Request-Id": identifier, **response.headers}
        return response

    def _static_file(self, request: rack.Request) -> Response | None:
        if request.method not in {"GET", "HEAD"} or not os.environ.get("RAILS_SERVE_STATIC_FILES"):
            return None
        public = ROOT / "public"
        path = Path(os.path.normpath(public / unquote(request.path).lstrip("/")))
        if not path.is_relative_to(public) or "\0" in str(path) or not path.is_file():
            return None
        headers = {
            "Cache-Control": f"public, max-age={_STATIC_SECONDS}, must-revalidate",
            "X-Content-Type-Options": "nosniff",
        }
        if request.path.startswith("/system"):
            headers["Cache-Control"] = f"public, max-age={_STATIC_SECONDS}, immutable"
            headers["Content-Security-Policy"] = "default-src 'none'; form-action 'none'"
        elif request.path.startswith("/sw.js"):
            headers["Cache-Control"] = f"public, max-age={7 * 86_400}, must-revalidate"
        return Response(200, path, headers)

    def _server_error(self, request: rack.Request) -> Response:
        if "json" in request.headers.get("accept", "") or request.path.startswith("/api"):
            return _json({"status": 500, "error": "Internal Server Error"}, 500)
        page = ROOT / "public/500.html"
        return _html(page.read_text() if page.exists() else "", 500)

    def _dispatch(self, request: rack.Request) -> Response:
        remote_ip = request.remote_ip(self._proxies)
        if request.path == "/health":
            return _plain("OK")
        token = self._token(request)
        self._throttle(request, remote_ip, token)
        if token is None and self._is_only_for_users(request.path):
            return _json({"error": "This method requires an authenticated user"}, 401)
        for method, pattern, handler in _ROUTES:
            match = re.fullmatch(pattern, request.path)
            if match and (request.method == method or (request.method, method) == ("HEAD", "GET")):
                accounts.check_records()
                return handler(self, Call(request, remote_ip, token, match.groups()))
        if request.path.startswith("/api") or "json" in request.headers.get("accept", ""):
            return _json({"error": "Not Found"}, 404)
        return _html("<!DOCTYPE html><title>The page you are looking for isn't here.</title>", 404)

    def _token(self, request: rack.Request) -> Row | None:
        """Of the API by its header; of pages by the cookie of a browser that is signed in."""
        if request.path.startswith("/api"):
            scheme, _, value = request.headers.get("authorization", "").partition(" ")
            return accounts.find_token(value) if scheme.lower() == "bearer" else None
        session = re.search(r"(?:^|; ?)_session_id=([^;]+)", request.headers.get("cookie", ""))
        return accounts.find_token(session[1]) if session else None

    def _is_only_for_users(self, path: str) -> bool:
        """The instance itself is told to everybody, also where nothing else is."""
        closed = is_true("DISALLOW_UNAUTHENTICATED_API_ACCESS") or limited_federation()
        return closed and bool(re.match(r"/api/(?!v[12]/instance$|v1/apps$)", path))

    def _throttle(self, request: rack.Request, remote_ip: str, token: Row | None) -> None:
        if remote_ip in {"127.0.0.1", "::1"}:
            return
        address = rack.throttle_address(remote_ip)
        is_api, is_post = request.path.startswith("/api"), request.method == "POST"
        throttles: list[tuple[str, object, int, int]] = []
        if is_api and token is not None:
            throttles.append(("throttle_authenticated_api", token["resource_owner_id"], 1_500, 300))
            throttles.append(("throttle_per_token_api", token["id"], 300, 300))
        if is_api and (token is None or token["resource_owner_id"] is None):
            throttles.append(("throttle_unauthenticated_api", address, 300, 300))
        if is_post and token is not None and re.fullmatch(r"/api/v\d+/media", request.path):
            throttles.append(("throttle_api_media", token["resource_owner_id"], 30, 1_800))
        if is_post and request.path == "/auth/password":
            throttles.append(("throttle_password_resets/ip", address, 25, 300))
        for name, discriminator, limit, period in throttles:
            if discriminator is not None and self._count(name, str(discriminator), period) > limit:
                raise RefusedError(_json({"error": "Too many requests"}, 429))

    def _count(self, name: str, discriminator: str, period: int) -> int:
        """How often in this period; 0 while the cache does not answer, as Rails' cache swallows such errors."""
        key = f"cache:rack::attack:{int(time.time()) // period}:{name}:{discriminator}"
        try:
            pipeline = self._cache.pipeline()
            pipeline.incr(key)
            pipeline.expire(key, period)
            return int(pipeline.execute()[0])
        except redis.RedisError:
            return 0

    # Pages

    def home(self, call: Call) -> Response:
        """The landing page; in single user mode, the way to the one account's page."""
        if os.environ.get("SINGLE_USER_MODE") == "true":
            rows = query("SELECT username FROM accounts WHERE id > 0 AND domain IS NULL ORDER BY id LIMIT 1")
            if rows:
                return Response(302, b"", {"Location": f"https://{self._site.web_domain}/@{rows[0]['username']}"})
        state = {
            "meta": {
                "version": version().text,
                "domain": self._site.local_domain,
                "streaming_api_base_url": self._streaming_url(),
                **({"me": str(call.token["account_id"])} if call.token else {}),
            }
        }
        title = html.escape(self._title)
        page = _html(
            f'<!DOCTYPE html>\n<html lang="{html.escape(os.environ.get("DEFAULT_LOCALE") or "en")}">\n<head>\n'
            f'<meta charset="utf-8">\n<title>{title}</title>\n'
            f'<link rel="stylesheet" href="{self._asset_host}{self._style}">\n'
            f'<script type="module" src="{self._asset_host}{self._script}"></script>\n'
            f'<script id="initial-state" type="application/json">{json.dumps(state)}</script>\n'
            f"</head>\n<body><h1>{title}</h1></body>\n</html>\n"
        )
        return page if call.token else _may_be_kept(page)

    def profile(self, call: Call) -> Response:
        """A local account's page, or its document for other servers."""
        if call.wants_document():
            return self.actor(call)
        account = self._account(call)
        page = _html(f"<!DOCTYPE html><title>@{account['username']}@{self._site.local_domain}</title>")
        vary = "Accept, Accept-Language, Cookie" + (", Signature" if authorized_fetch() else "")
        return page if call.token else _may_be_kept(page, after_errors=3_600, vary=vary)

    def _account(self, call: Call) -> Row:
        account = accounts.find_account(call.captures[0])
        if account is None:
            raise RefusedError(_html("<!DOCTYPE html><title>The page you are looking for isn't here.</title>", 404))
        return account

    def actor(self, call: Call) -> Response:
        """A local account as other servers see it. Nothing here can sign, so that who has to sign gets nothing."""
        account = self._account(call)
        home = f"https://{self._site.web_domain}"
        if not call.wants_document():
            return Response(302, b"", {"Location": f"{home}/@{account['username']}"})
        if authorized_fetch():
            return _json({"error": "Request not signed"}, 401)
        name = f"{home}/users/{account['username']}"
        document = {"id": name, "type": "Person", "preferredUsername": account["username"], "inbox": f"{name}/inbox"}
        response = _json(document, content_type="application/activity+json")
        response.headers.update({"Cache-Control": "max-age=180, public", "Vary": "Accept, Accept-Language, Cookie"})
        return response

    def inbox(self, call: Call) -> Response:
        """Take a delivery of another server and leave it to Sidekiq. Signatures are not looked at."""
        if not call.request.form:
            return Response(400)
        jobs.enqueue("ingress", jobs.ACTIVITY_JOB, json.dumps(call.request.form))
        return Response(202)

    def password_form(self, call: Call) -> Response:
        """The form by which a new password is asked for, with its token against forgery in a session."""
        session = secrets.token_hex(16)
        return Response(
            200,
            f'<form action="/auth/password" method="post"><input type="hidden" name="authenticity_token" '
            f'value="{_authenticity_token(session)}"><input name="user[email]" type="email"></form>'.encode(),
            {
                "Content-Type": "text/html; charset=utf-8",
                "Set-Cookie": f"_mastodon_session={session}; path=/; secure; HttpOnly; SameSite=Lax",
            },
        )

    def ask_for_password(self, call: Call) -> Response:
        """Queue the mail. Forged forms, and forms from another origin than the request's, are refused."""
        request = call.request
        match = re.search(r"_mastodon_session=([0-9a-f]{32})", request.headers.get("cookie", ""))
        expected = _authenticity_token(match[1]) if match else ""
        given = str(request.form.get("authenticity_token", ""))
        origin = request.headers.get("origin", request.base_url)
        if not match or not hmac.compare_digest(expected, given) or origin != request.base_url:
            return _html("<!DOCTYPE html><title>Security verification failed.</title>", 422)
        accounts.request_password_reset(str(request.form.get("user[email]", "")))
        return Response(303, b"", {"Location": f"{request.base_url}/auth/sign_in"})

    def confirm(self, call: Call) -> Response:
        """Confirm an e-mail address by the token in the mail."""
        rows = query(
            "UPDATE users SET confirmed_at = now(), confirmation_token = NULL "
            "WHERE confirmation_token = %s RETURNING id",
            call.request.query.get("confirmation_token"),
        )
        if not rows:
            return _html("<!DOCTYPE html><title>Confirmation token is invalid</title>")
        return Response(302, b"", {"Location": f"{call.request.base_url}/auth/sign_in"})

    def webfinger(self, call: Call) -> Response:
        """Where an account of the instance's domains is."""
        match = re.fullmatch(r"(?:acct:)?@?([^@]+)@(.+)", call.request.query.get("resource", ""))
        if match is None:
            return Response(400)
        account = accounts.find_account(match[1]) if match[2].lower() in self._site.hosts else None
        if account is None:
            return Response(404)
        name, home = account["username"], f"https://{self._site.web_domain}"
        document = {
            "subject": f"acct:{name}@{self._site.local_domain}",
            "aliases": [f"{home}/@{name}", f"{home}/users/{name}"],
            "links": [{"rel": "self", "type": "application/activity+json", "href": f"{home}/users/{name}"}],
        }
        return _json(document, content_type="application/jrd+json")

    # API

    def _streaming_url(self) -> str:
        return os.environ.get("STREAMING_API_BASE_URL") or f"wss://{self._site.web_domain}"

    def instance_v2(self, call: Call) -> Response:
        """The instance, with its release."""
        users = query("SELECT count(*) FROM users WHERE confirmed_at IS NOT NULL")[0]["count"]
        mode = accounts.setting("registrations_mode", "none")
        return _instance_json(
            {
                "domain": self._site.local_domain,
                "title": accounts.setting("site_title", "Mastodon"),
                "version": version().text,
                "source_url": "https://github.com/mastodon/mastodon",
                "description": "",
                "usage": {"users": {"active_month": users}},
                "languages": [os.environ.get("DEFAULT_LOCALE") or "en"],
                "configuration": {
                    "urls": {"streaming": self._streaming_url()},
                    "vapid": {"public_key": os.environ.get("VAPID_PUBLIC_KEY")},
                    "statuses": {"max_characters": 500, "max_media_attachments": 4},
                    "limited_federation": limited_federation(),
                },
                "registrations": {"enabled": mode != "none", "approval_required": mode == "approved"},
                "rules": [],
            }
        )

    def instance_v1(self, call: Call) -> Response:
        """The instance in the older form."""
        counts = query(
            "SELECT (SELECT count(*) FROM users) AS user_count, (SELECT count(*) FROM statuses) AS status_count, "
            "(SELECT count(DISTINCT domain) FROM accounts) AS domain_count"
        )[0]
        return _instance_json(
            {
                "uri": self._site.local_domain,
                "title": accounts.setting("site_title", "Mastodon"),
                "version": version().text,
                "urls": {"streaming_api": self._streaming_url()},
                "stats": counts,
            }
        )

    def create_application(self, call: Call) -> Response:
        """Register a client application."""
        form = call.request.form
        if not form.get("client_name") or not form.get("redirect_uris"):
            return _json({"error": "Validation failed: Name can't be blank"}, 422)
        uid, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        rows = query(
            "INSERT INTO oauth_applications (name, uid, secret, redirect_uri, scopes) VALUES (%s, %s, %s, %s, %s) "
            "RETURNING id",
            form["client_name"],
            uid,
            secret,
            form["redirect_uris"],
            form.get("scopes", "read"),
        )
        return _json({"id": str(rows[0]["id"]), "name": form["client_name"], "client_id": uid, "client_secret": secret})

    def create_token(self, call: Call) -> Response:
        """A token for a client itself. The password grant was removed in 4.4 and is refused."""
        form = call.request.form
        if form.get("grant_type") != "client_credentials":
            return _json({"error": "unsupported_grant_type"}, 400)
        rows = query(
            "SELECT id, scopes FROM oauth_applications WHERE uid = %s AND secret = %s",
            form.get("client_id"),
            form.get("client_secret"),
        )
        if not rows:
            return _json({"error": "invalid_client"}, 401)
        return _token_json(accounts.create_token(None, "read", rows[0]["id"]), "read")

    def lab_token(self, call: Call) -> Response:
        """
        Only here: a user's token for an e-mail address and password, in place of the browser's way.

        It comes as a cookie too, by which a browser is signed in.
        """
        form = call.request.form
        rows = query("SELECT * FROM users WHERE lower(email) = lower(%s)", form.get("email"))
        if not rows or not accounts.password_matches(str(form.get("password", "")), rows[0]["encrypted_password"]):
            return _json({"error": "invalid_grant"}, 401)
        token = accounts.create_token(rows[0]["id"], "read write follow push")
        response = _token_json(token, "read write follow push")
        response.headers["Set-Cookie"] = f"_session_id={token}; path=/; secure; HttpOnly; SameSite=Lax"
        return response

    def lab_deliveries(self, call: Call) -> Response:
        """Only here: what other servers delivered and Sidekiq has worked off, the oldest first."""
        return _json([json.loads(activity) for activity in redis_client("SIDEKIQ_").lrange(jobs.DELIVERIES, 0, -1)])

    def lab_request(self, call: Call) -> Response:
        """Only here: what the application takes a request to be."""
        request = call.request
        return _json({"remote_ip": call.remote_ip, "base_url": request.base_url, "headers": dict(request.headers)})

    def verify_credentials(self, call: Call) -> Response:
        """The token's own account."""
        token = call.account()
        return _json(accounts.account_json(token["account_id"], token["username"]))

    def create_status(self, call: Call) -> Response:
        """Post."""
        token, form = call.account(), call.request.form
        text, visibility = str(form.get("status", "")), str(form.get("visibility", "public"))
        media = form.get("media_ids[]") or form.get("media_ids") or []
        media_ids = [int(value) for value in (media if isinstance(media, list) else [media])]
        if not text and not media_ids:
            return _json({"error": "Validation failed: Text can't be blank"}, 422)
        if len(text) > 500 or visibility not in accounts.VISIBILITIES:
            return _json({"error": "Validation failed"}, 422)
        identifier = accounts.create_status(token["account_id"], text, visibility, media_ids)
        return _json(accounts.status_json(accounts.find_statuses(identifier)[0]))

    def show_status(self, call: Call) -> Response:
        """One public status."""
        rows = accounts.find_statuses(int(call.captures[0]), up_to="unlisted")
        if not rows:
            return _json({"error": "Record not found"}, 404)
        return self._api_json(call, accounts.status_json(rows[0]))

    def public_timeline(self, call: Call) -> Response:
        """The newest public statuses."""
        return self._api_json(call, [accounts.status_json(row) for row in accounts.find_statuses(up_to="public")])

    def _api_json(self, call: Call, content: object) -> Response:
        """What may be kept unless it was made for somebody: Api::CachingConcern#cache_if_unauthenticated!."""
        response = _json(content)
        response.headers["Vary"] = "Authorization"
        return response if call.token else _may_be_kept(response, vary="Authorization")

    def create_media(self, call: Call) -> Response:
        """Store an upload below public/system; a film is said to be worked on still."""
        token, file = call.account(), call.request.form.get("file")
        if not isinstance(file, io.BufferedIOBase):
            return _json({"error": "Validation failed: File can't be blank"}, 422)
        try:
            medium = accounts.create_media(token["account_id"], file)
            return _json({**medium, "url": None}, 202) if medium["type"] == "video" else _json(medium)
        except accounts.InvalidRecordError as error:
            return _json({"error": f"Validation failed: {error.errors[0][0]} {error.errors[0][1]}"}, 422)

    def show_media(self, call: Call) -> Response:
        """An own medium that no status has yet."""
        rows = query(
            "SELECT id, file_file_name FROM media_attachments WHERE id = %s AND account_id = %s AND status_id IS NULL",
            int(call.captures[0]),
            call.account()["account_id"],
        )
        if not rows:
            return _json({"error": "Record not found"}, 404)
        return _json(accounts.media_json(rows[0]["id"], rows[0]["file_file_name"]))


def _instance_json(content: object) -> Response:
    """Kept for five minutes, and the same for everybody: Api::CachingConcern#cache_even_if_authenticated!."""
    response = _json(content)
    return response if limited_federation() else _may_be_kept(response, seconds=300, vary="")


def _authenticity_token(session: str) -> str:
    return hmac.new(os.environ["SECRET_KEY_BASE"].encode(), session.encode(), hashlib.sha256).hexdigest()


def _token_json(token: str, scopes: str) -> Response:
    return _json({"access_token": token, "token_type": "Bearer", "scope": scopes, "created_at": int(time.time())})


_Handler = Callable[[Application, Call], Response]

_ROUTES: tuple[tuple[str, str, _Handler], ...] = (
    ("GET", "/", Application.home),
    ("GET", r"/@(\w+)", Application.profile),
    ("GET", r"/users/(\w+)", Application.actor),
    ("POST", r"(?:/users/\w+)?/inbox", Application.inbox),
    ("GET", "/auth/password/new", Application.password_form),
    ("POST", "/auth/password", Application.ask_for_password),
    ("GET", "/auth/confirmation", Application.confirm),
    ("GET", "/.well-known/webfinger", Application.webfinger),
    ("GET", "/api/v1/instance", Application.instance_v1),
    ("GET", "/api/v2/instance", Application.instance_v2),
    ("POST", "/api/v1/apps", Application.create_application),
    ("POST", "/oauth/token", Application.create_token),
    ("GET", "/api/v1/accounts/verify_credentials", Application.verify_credentials),
    ("POST", "/api/v1/statuses", Application.create_status),
    ("GET", r"/api/v1/statuses/(\d+)", Application.show_status),
    ("GET", "/api/v1/timelines/public", Application.public_timeline),
    ("POST", r"/api/v[12]/media", Application.create_media),
    ("GET", r"/api/v1/media/(\d+)", Application.show_media),
    ("POST", "/_lab/token", Application.lab_token),
    ("GET", "/_lab/request", Application.lab_request),
    ("GET", "/_lab/deliveries", Application.lab_deliveries),
)
