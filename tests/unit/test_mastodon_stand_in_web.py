"""What the lab's Mastodon stand-in answers: what caches may keep, for whom it is, and what it does with deliveries."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from tests.harness import ROOT
from tests.lab.images.mastodon.stand_in import rack
from tests.lab.images.mastodon.stand_in.environment import Site

PACKAGE = "tests.lab.images.mastodon.stand_in"
ACCOUNT = {"id": 1, "username": "alice"}
TOKEN = {
    "id": 7,
    "resource_owner_id": 3,
    "account_id": 1,
    "username": "alice",
    "confirmed_at": "2026-11-25",
    "approved": True,
    "disabled": False,
}


@pytest.fixture(name="modules", scope="module")
def _modules() -> Iterator[Any]:
    """The modules that speak to PostgreSQL and Redis, without either."""
    drivers = {name: MagicMock() for name in ("psycopg2.extras", "redis", "setproctitle")}
    psycopg2 = ModuleType("psycopg2")
    psycopg2.Error = type("Error", (Exception,), {"pgcode": None})  # type: ignore[attr-defined]
    psycopg2.extras = drivers["psycopg2.extras"]  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        for name, module in {**drivers, "psycopg2": psycopg2}.items():
            patch.setitem(sys.modules, name, module)
        names = ("application", "migrations", "jobs", "sidekiq")
        before = set(sys.modules)
        yield SimpleNamespace(**{name: importlib.import_module(f"{PACKAGE}.{name}") for name in names})
        for name in set(sys.modules) - before:
            del sys.modules[name]


class Web:
    """The application with one account and one token, and nothing behind it."""

    def __init__(self, modules: Any, monkeypatch: pytest.MonkeyPatch, trusted_proxies: str = "") -> None:
        self.jobs: list[tuple[object, ...]] = []
        module = modules.application
        application = module.Application.__new__(module.Application)
        site = Site("social.example.org", "social.example.org", ())
        for name, value in {"site": site, "script": "/packs/a.js", "style": "/packs/a.css", "asset_host": ""}.items():
            setattr(application, f"_{name}", value)
        application._title = "Mastodon"
        application._proxies = rack.trusted_proxies(trusted_proxies)
        for name, replacement in {
            "find_token": lambda token: TOKEN if token == "secret" else None,
            "find_account": lambda name: ACCOUNT if name == "alice" else None,
            "find_statuses": lambda *_, **__: [],
            "check_records": lambda: None,
            "setting": lambda _, default: default,
        }.items():
            monkeypatch.setattr(module.accounts, name, replacement)
        monkeypatch.setattr(module, "query", lambda *_: [{"count": 1}])
        monkeypatch.setattr(module, "version", lambda: SimpleNamespace(text="4.7.60"))
        monkeypatch.setattr(module.jobs, "enqueue", lambda *job: self.jobs.append(job))
        monkeypatch.setattr(module.Application, "_throttle", lambda *_: None)
        monkeypatch.setattr(module.Application, "_static_file", lambda *_: None)
        self._application = application

    def ask(self, path: str, method: str = "GET", form: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"host": "social.example.org", "x-forwarded-proto": "https", **named}
        return self._application.answer(rack.Request(method, path, given, "172.18.0.2", form=form or {}))


@pytest.fixture(name="web")
def _web(modules: Any, monkeypatch: pytest.MonkeyPatch) -> Web:
    return Web(modules, monkeypatch)


DAY = "stale-while-revalidate=30, stale-if-error=86400"
DOCUMENT = "application/activity+json"


@pytest.mark.parametrize(
    ("path", "accept", "cache", "vary"),
    [
        ("/", "text/html", f"max-age=15, public, {DAY}", "Accept, Accept-Language, Cookie"),
        (
            "/@alice",
            "text/html",
            "max-age=15, public, stale-while-revalidate=30, stale-if-error=3600",
            "Accept, Accept-Language, Cookie",
        ),
        ("/@alice", DOCUMENT, "max-age=180, public", "Accept, Accept-Language, Cookie"),
        ("/api/v1/timelines/public", "*/*", f"max-age=15, public, {DAY}", "Authorization"),
        ("/api/v2/instance", "*/*", f"max-age=300, public, {DAY}", None),
        ("/nothing-here", "*/*", "private, no-store", None),
        ("/auth/password/new", "text/html", "private, no-store", None),
    ],
)
def test_what_everybody_sees_alike_may_be_kept(web: Web, path: str, accept: str, cache: str, vary: str | None) -> None:
    headers = web.ask(path, accept=accept).headers
    assert (headers["Cache-Control"], headers.get("Vary")) == (cache, vary)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"cookie": "a=b; _session_id=secret"}),
        ("/@alice", {"cookie": "_session_id=secret"}),
        ("/api/v1/timelines/public", {"authorization": "Bearer secret"}),
    ],
)
def test_what_was_made_for_somebody_is_private(web: Web, path: str, headers: dict[str, str]) -> None:
    assert web.ask(path, **headers).headers["Cache-Control"] == "private, no-store"
    assert "public" in web.ask(path, cookie="_session_id=wrong").headers["Cache-Control"]


def test_a_page_knows_who_is_signed_in(web: Web) -> None:
    assert '"me": "1"' in web.ask("/", cookie="_session_id=secret").body.decode()
    assert '"me"' not in web.ask("/").body.decode()


def test_a_delivery_is_accepted_and_left_to_sidekiq(web: Web, modules: Any) -> None:
    activity = {"id": "https://example.net/1", "type": "Create"}
    for path in ("/inbox", "/users/alice/inbox"):
        assert web.ask(path, "POST", activity).status == 202
    assert web.ask("/inbox", "POST").status == 400
    assert [job[:2] for job in web.jobs] == [("ingress", "ActivityPub::ProcessingWorker")] * 2
    redis = MagicMock()
    modules.sidekiq._JOBS[web.jobs[0][1]](redis, *web.jobs[0][2:])
    redis.rpush.assert_called_once_with("lab:deliveries", json.dumps(activity))


@pytest.mark.parametrize(("value", "status"), [("true", 401), ("True", 200)])
@pytest.mark.parametrize("name", ["DISALLOW_UNAUTHENTICATED_API_ACCESS", "LIMITED_FEDERATION_MODE"])
def test_a_closed_instance_answers_users_only_and_tells_who_it_is(
    web: Web, monkeypatch: pytest.MonkeyPatch, name: str, value: str, status: int
) -> None:
    monkeypatch.setenv(name, value)
    assert web.ask("/api/v1/timelines/public").status == status
    assert web.ask("/api/v1/timelines/public", authorization="Bearer secret").status == 200
    assert web.ask("/api/v2/instance").status == 200


def test_with_authorized_fetch_documents_are_for_those_who_sign(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHORIZED_FETCH", "true")
    assert web.ask("/users/alice", accept=DOCUMENT).status == 401
    assert web.ask("/@alice", accept="text/html").headers["Vary"] == "Accept, Accept-Language, Cookie, Signature"
    monkeypatch.setenv("AUTHORIZED_FETCH", "yes")
    assert web.ask("/users/alice", accept=DOCUMENT).status == 200


def test_without_the_private_networks_among_the_proxies_every_forwarded_request_fails(
    modules: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = Web(modules, monkeypatch, "203.0.113.0/24")
    assert web.ask("/", x_forwarded_for="198.51.100.1").status == 500
    assert web.ask("/health").status == 200
    web = Web(modules, monkeypatch, "10.0.0.0/8,172.16.0.0/12,203.0.113.0/24")
    told = web.ask("/_lab/request", x_forwarded_for="198.51.100.1, 203.0.113.5").body
    assert json.loads(told)["remote_ip"] == "198.51.100.1"


@pytest.mark.parametrize(
    ("setting", "accepted"),
    [("", True), ("10.0.0.0/8, 2001:db8::/32 192.0.2.1", True), ("loopback,uniquelocal", True), ("cdn.example", False)],
)
def test_the_streaming_server_does_not_start_on_proxies_that_express_cannot_read(
    modules: Any, monkeypatch: pytest.MonkeyPatch, setting: str, accepted: bool
) -> None:
    for name in ("aiohttp", "redis.asyncio"):
        monkeypatch.setitem(sys.modules, name, MagicMock())
    monkeypatch.syspath_prepend(str(ROOT / "tests/lab/images/mastodon-streaming"))
    monkeypatch.setenv("TRUSTED_PROXY_IP", setting)
    streaming = importlib.import_module("streaming_stand_in")
    outcome: AbstractContextManager[object] = nullcontext()
    if not accepted:
        outcome = pytest.raises(SystemExit, match="invalid IP address")
    with outcome:
        streaming.check_trusted_proxies()


def test_an_error_of_the_database_has_the_name_that_ruby_gives_it(modules: Any) -> None:
    base = modules.migrations.psycopg2.Error

    def told(name: str, message: str) -> str:
        return str(modules.migrations._in_ruby(type(name, (base,), {"pgcode": "42P07"})(message)))

    assert told("DuplicateTable", 'relation "x" already exists') == (
        'PG::DuplicateTable: ERROR:  relation "x" already exists'
    )
    assert told("LockNotAvailable", "canceling statement due to lock timeout") == (
        "ActiveRecord::LockWaitTimeout: PG::LockNotAvailable: ERROR:  canceling statement due to lock timeout"
    )
    assert modules.migrations._in_ruby(OSError("Errno::ENOSPC")) == "Errno::ENOSPC"


def test_a_task_of_a_migration_is_given_the_step_after_it(modules: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(modules.migrations, "query", done.append)
    monkeypatch.setitem(modules.migrations._TASKS, "interrupt_index_once", lambda sql: done.append(f"task: {sql}"))
    modules.migrations._run_steps(
        "    interrupt_index_once\n    execute <<~SQL\n      CREATE INDEX i ON t (c);\n    SQL\n"
    )
    assert done == ["task:       CREATE INDEX i ON t (c);", "      CREATE INDEX i ON t (c);"]


def test_sidekiq_needs_no_file_that_tells_that_it_is_ready(modules: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASTODON_SIDEKIQ_READY_FILENAME", raising=False)
    assert modules.sidekiq._ready_path() is None


def test_sidekiq_is_called_so_in_the_list_of_processes_only_once_it_takes_jobs(
    modules: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []
    monkeypatch.setattr(modules.sidekiq.setproctitle, "setproctitle", titles.append)
    for name in ("check_environment", "require_database", "_redis"):
        monkeypatch.setattr(modules.sidekiq, name, lambda *_: titles.append("booting"))
    monkeypatch.setattr(modules.sidekiq.Worker, "run", lambda worker: worker._title())
    monkeypatch.setattr(modules.sidekiq.signal, "signal", lambda *_: None)
    monkeypatch.setenv("LAB_BOOT_SECONDS", "0.001")
    monkeypatch.delenv("MASTODON_SIDEKIQ_READY_FILENAME", raising=False)
    assert modules.sidekiq.main(["-c", "5", "-q", "default"]) == 0
    assert titles[0].startswith("ruby3.3 ") and titles[0].endswith("/bin/sidekiq")
    assert titles[1:] == ["booting"] * 3 + ["sidekiq 8.1.6 mastodon [0 of 5 busy]"]
