"""
The way to PostgreSQL and Redis, by the variables that Mastodon reads.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2  # type: ignore[import-untyped]
import psycopg2.extras  # type: ignore[import-untyped]
import redis  # type: ignore[import-not-found]

from .environment import AbortError

Row = dict[str, Any]

_IDLE_SECONDS = 2

_thread = threading.local()


def database_name() -> str:
    """The name of the database, as commands print it."""
    return str(psycopg2.extensions.parse_dsn(_dsn())["dbname"])


def _dsn() -> str:
    if url := os.environ.get("DATABASE_URL"):
        return url
    return str(
        psycopg2.extensions.make_dsn(
            host=os.environ.get("DB_HOST") or "localhost",
            port=os.environ.get("DB_PORT") or "5432",
            dbname=os.environ.get("DB_NAME") or "mastodon_production",
            user=os.environ.get("DB_USER") or "mastodon",
            password=os.environ.get("DB_PASS", ""),
            sslmode=os.environ.get("DB_SSLMODE") or "prefer",
            connect_timeout=10,
        )
    )


def _connection() -> Any:
    """
    This thread's connection, in autocommit mode; another when it is broken, which is looked at after a pause as in
    Rails. Raises psycopg2.OperationalError.
    """
    current = getattr(_thread, "connection", None)
    if current is not None and time.monotonic() - _thread.used > _IDLE_SECONDS:
        try:
            current.cursor().execute("SELECT 1")
        except psycopg2.Error:
            current.close()
    if current is None or current.closed:
        current = psycopg2.connect(_dsn(), cursor_factory=psycopg2.extras.RealDictCursor)
        current.autocommit = True
        _thread.connection = current
    _thread.used = time.monotonic()
    return current


def query(sql: str, *parameters: object) -> list[Row]:
    """Run one statement and give its rows. Raises psycopg2.Error."""
    connection = _connection()
    try:
        with connection.cursor() as cursor:
            # Without parameters psycopg2 leaves % alone.
            cursor.execute(sql, parameters or None)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        connection.close()
        raise


@contextmanager
def transaction() -> Iterator[None]:
    """Everything inside happens, or nothing."""
    query("BEGIN")
    try:
        yield
    except BaseException:
        query("ROLLBACK")
        raise
    query("COMMIT")


def require_database() -> None:
    """Raises AbortError when the database does not answer: a server that cannot reach it does not start."""
    try:
        query("SELECT 1")
    except psycopg2.OperationalError as error:
        raise AbortError(f"ActiveRecord::ConnectionNotEstablished: {error}") from error


def redis_client(prefix: str = "", **options: Any) -> redis.Redis:
    """A client by REDIS_*, or by CACHE_REDIS_* or SIDEKIQ_REDIS_* where those are set."""
    if not (os.environ.get(f"{prefix}REDIS_URL") or os.environ.get(f"{prefix}REDIS_HOST")):
        prefix = ""
    if url := os.environ.get(f"{prefix}REDIS_URL"):
        return redis.Redis.from_url(url, decode_responses=True, **options)
    return redis.Redis(
        host=os.environ.get(f"{prefix}REDIS_HOST") or "localhost",
        port=int(os.environ.get(f"{prefix}REDIS_PORT") or 6379),
        db=int(os.environ.get(f"{prefix}REDIS_DB") or 0),
        username=os.environ.get(f"{prefix}REDIS_USER") or None,
        password=os.environ.get(f"{prefix}REDIS_PASSWORD") or None,
        decode_responses=True,
        **options,
    )
