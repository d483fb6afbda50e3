"""
The database's schema: loading it, seeding it, migrating it in two phases, and telling what has been done.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]

from . import accounts
from .environment import ROOT, AbortError, version
from .stores import database_name, query, transaction

# Rails' own: a second migration of the same database must see the lock and end, whoever started it.
_LOCK_SALT = 2053462845

_FILL_BYTES = 200 * 1024 * 1024

_HOLD_SECONDS = 30

_STEP = re.compile(
    r"^ +execute <<~SQL\n(?P<sql>.*?)\n +SQL$"
    r"|^ +(?P<task>encrypt_private_keys|kill_once|fill_disk|interrupt_index_once)$",
    re.M | re.S,
)


@dataclass(frozen=True)
class MigrationFile:
    """A file of db/migrate or db/post_migrate."""

    path: Path

    @property
    def version(self) -> str:
        """The number by which the file is known in schema_migrations."""
        return self.path.name.split("_", 1)[0]

    @property
    def name(self) -> str:
        """The words of the file's name."""
        return self.path.stem.split("_", 1)[1].replace("_", " ").capitalize()

    @property
    def class_name(self) -> str:
        """The name of the Ruby class."""
        return "".join(word.capitalize() for word in self.path.stem.split("_")[1:])


def migration_files() -> list[MigrationFile]:
    """The release's migrations by version; without those of the second phase when they are to be skipped."""
    directories = ["db/migrate"]
    if "SKIP_POST_DEPLOYMENT_MIGRATIONS" not in os.environ:
        directories.append("db/post_migrate")
    files = [MigrationFile(path) for directory in directories for path in (ROOT / directory).glob("*.rb")]
    return sorted(files, key=lambda file: file.version)


def _schema_migrations_exist() -> bool:
    return bool(query("SELECT to_regclass('schema_migrations') AS name")[0]["name"])


def _applied() -> set[str]:
    if not _schema_migrations_exist():
        return set()
    return {row["version"] for row in query("SELECT version FROM schema_migrations")}


def prepare() -> None:
    """Load the schema and seed an empty database; migrate any other."""
    _refuse_old_postgresql()
    if _schema_migrations_exist():
        migrate()
        return
    with transaction():
        _create_schema_migrations()
        for step in _STEP.finditer((ROOT / "db/schema.rb").read_text()):
            query(step["sql"])
        for file in migration_files():
            query("INSERT INTO schema_migrations VALUES (%s)", file.version)
    accounts.seed()


def migrate() -> None:
    """Run what has not been run, in order of versions. Raises AbortError where Mastodon does."""
    if "VERSION" in os.environ:
        raise AbortError("This stand-in does not migrate to a VERSION.")
    _refuse_old_postgresql()
    applied = _applied()
    newest = max(applied, default="0")
    oldest_allowed = "20241007071624" if version().numbers >= (4, 7) else "20230907150100"
    if os.environ.get("SKIP_POST_DEPLOYMENT_MIGRATIONS") and newest < oldest_allowed:
        raise AbortError("Zero-downtime migrations from a schema this old are not supported: migrate in one go.")
    lock = _LOCK_SALT * zlib.crc32(database_name().encode())
    if not query("SELECT pg_try_advisory_lock(%s) AS locked", lock)[0]["locked"]:
        raise AbortError("ActiveRecord::ConcurrentMigrationError: another migration of this database is running.")
    try:
        pending = [file for file in migration_files() if file.version not in applied]
        # Rails loads the classes of all that is pending before it creates anything.
        for file in pending:
            _require_variables(file)
        if not _schema_migrations_exist():
            _create_schema_migrations()
        if pending:
            _warn_of_locks()
        for file in pending:
            _run(file)
    finally:
        query("SELECT pg_advisory_unlock(%s)", lock)


def print_status() -> None:
    """One line per migration, in Rails' form. Raises AbortError on a database that was never prepared."""
    if not _schema_migrations_exist():
        raise AbortError("Schema migrations table does not exist yet.")
    names = {file.version: file.name for file in migration_files()}
    applied = _applied()
    print(f"\ndatabase: {database_name()}\n")
    print(f"{'Status':^8}  {'Migration ID':<14}  Migration Name")
    print("-" * 50)
    for number in sorted(applied | names.keys()):
        status = "up" if number in applied else "down"
        print(f"{status:^8}  {number:<14}  {names.get(number, '********** NO FILE **********')}")
    print()


def _refuse_old_postgresql() -> None:
    number = int(query("SHOW server_version_num")[0]["server_version_num"])
    if number < 140000:
        raise AbortError("Mastodon needs PostgreSQL 14 or newer.")


def _create_schema_migrations() -> None:
    query("CREATE TABLE schema_migrations (version varchar PRIMARY KEY)")
    query(
        "CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar, "
        "created_at timestamp NOT NULL DEFAULT now(), updated_at timestamp NOT NULL DEFAULT now())"
    )
    query("INSERT INTO ar_internal_metadata (key, value) VALUES ('environment', 'production')")


def _require_variables(file: MigrationFile) -> None:
    for name in re.findall(r"ENV\.fetch\('(\w+)'\)", file.path.read_text()):
        if name not in os.environ:
            raise AbortError(f'KeyError: key not found: "{name}"\n{file.path}')


def _banner(text: str) -> str:
    return f"== {text} ".ljust(79, "=")


def _warn_of_locks() -> None:
    """As the gem strong_migrations does; PostgreSQL's settings can come by PGOPTIONS."""
    if query("SHOW lock_timeout")[0]["lock_timeout"] == "0":
        print("DANGER: No lock timeout set", file=sys.stderr, flush=True)


def _run(file: MigrationFile) -> None:
    title = f"{file.version} {file.class_name}"
    print(_banner(f"{title}: migrating"), flush=True)
    begun = time.monotonic()
    ruby = file.path.read_text()
    in_transaction = "disable_ddl_transaction!" not in ruby
    try:
        if not in_transaction:
            _run_steps(ruby)
            query("INSERT INTO schema_migrations VALUES (%s)", file.version)
        else:
            with transaction():
                _run_steps(ruby)
                query("INSERT INTO schema_migrations VALUES (%s)", file.version)
    except Exception as error:
        raise AbortError(
            "bin/rails aborted!\n"
            f"StandardError: An error has occurred, {'this and ' if in_transaction else ''}all later migrations"
            f" canceled:\n\n{_in_ruby(error)}\n{file.path}"
        ) from error
    print(_banner(f"{title}: migrated ({time.monotonic() - begun:.4f}s)") + "\n", flush=True)


def _in_ruby(error: Exception) -> str:
    """An error of PostgreSQL under the name that Ruby's driver gives it, which is that of its SQLSTATE."""
    if not isinstance(error, psycopg2.Error) or not error.pgcode:
        return str(error)
    name = type(error).__name__
    wrapper = {"LockNotAvailable": "ActiveRecord::LockWaitTimeout: ", "QueryCanceled": "ActiveRecord::QueryCanceled: "}
    return f"{wrapper.get(name, '')}PG::{name}: ERROR:  {error}"


def _run_steps(ruby: str) -> None:
    steps = list(_STEP.finditer(ruby))
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        begun = time.monotonic()
        print(f"-- {step['task'] or 'execute'}()", flush=True)
        if step["sql"]:
            query(step["sql"])
        else:
            _TASKS[step["task"]](following["sql"] if following else "")
        print(f"   -> {time.monotonic() - begun:.4f}s", flush=True)


def _is_first_time(what: str) -> bool:
    if query("SELECT 1 FROM ar_internal_metadata WHERE key = %s", what):
        return False
    query("INSERT INTO ar_internal_metadata (key, value) VALUES (%s, '1')", what)
    return True


def _kill_once(following: str) -> None:
    """End this process as the kernel would under memory pressure, unless that has already been done here."""
    if _is_first_time("killed_once"):
        os.kill(os.getpid(), signal.SIGKILL)


def _interrupt_index_once(create_index: str) -> None:
    """
    End this process in the middle of the index that the next step builds, unless that has already been done here.

    PostgreSQL then keeps the index, which is invalid and in the way of the next attempt. So that this happens at the
    same point each time, somebody holds the table while the index is built, and the build is cancelled.
    """
    table = re.search(r" ON (\w+)", create_index)
    if table is None or not _is_first_time(f"interrupted: {create_index.strip()}"):
        return
    held = threading.Event()

    def hold_the_table() -> None:
        with transaction():
            query(f"LOCK TABLE {table[1]} IN ROW EXCLUSIVE MODE")
            held.set()
            threading.Event().wait()

    threading.Thread(target=hold_the_table, daemon=True).start()
    if not held.wait(_HOLD_SECONDS):
        raise AbortError(f"The table {table[1]} could not be held for the stand-in's interruption.")
    query("SET statement_timeout = '1s'")
    with suppress(psycopg2.Error):  # a shorter lock_timeout may have been the first
        query(create_index)
    os.kill(os.getpid(), signal.SIGKILL)


def _fill_disk(following: str) -> None:
    """Write as much as the lab allows into the media directory, then fail as a full disk does; the file stays."""
    block = os.urandom(1024 * 1024)
    with (ROOT / "public/system/reprocessed.tmp").open("wb") as file:
        for _ in range(_FILL_BYTES // len(block)):
            file.write(block)
    raise OSError("Errno::ENOSPC: No space left on device @ io_write - public/system/reprocessed.tmp")


def _encrypt_private_keys(following: str) -> None:
    accounts.encrypt_private_keys()


_TASKS = {
    "encrypt_private_keys": _encrypt_private_keys,
    "kill_once": _kill_once,
    "fill_disk": _fill_disk,
    "interrupt_index_once": _interrupt_index_once,
}
