"""
The releases of Mastodon that the lab offers, and the migrations each of them brings.

A release is told apart from its neighbours only by its number, its compiled assets and its migrations. The versions
of two migrations are the real ones, because the real Mastodon's checks name them (20240307180905, 20241007071624);
the others only keep the real order in time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum

try:
    from mstdn.versions import MASTODON
except ImportError:
    # While an image is built, which is told (tests/lab/catalogue.py).
    MASTODON = os.environ["NEWEST_RELEASE"]

NEWEST_GOOD_RELEASE = MASTODON


class Task(Enum):
    """A step of a migration that is not SQL; carried out by stand_in/migrations.py."""

    ENCRYPT_PRIVATE_KEYS = "encrypt_private_keys"
    KILL_ONCE = "kill_once"
    FILL_DISK = "fill_disk"
    INTERRUPT_INDEX_ONCE = "interrupt_index_once"  # stands before the step that builds the index


@dataclass(frozen=True)
class Migration:
    """One migration: SQL and tasks in order; `post` ones run after the new release's processes have started."""

    version: str
    name: str
    steps: tuple[str | Task, ...]
    post: bool = False
    in_transaction: bool = True
    needs_environment: str = ""
    in_schema: bool = True


@dataclass(frozen=True)
class Release:
    """One tag, with what it brings over its predecessor; `listens` is False for a web that never becomes healthy."""

    tag: str
    predecessor: str
    migrations: tuple[Migration, ...] = ()
    listens: bool = True

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Major, minor and patch."""
        major, minor, patch = self.tag.removeprefix("v").split(".")
        return int(major), int(minor), int(patch)


_MIGRATIONS_4_5 = (
    Migration(
        "20160220174730",
        "CreateAccounts",
        (
            """
            CREATE TABLE accounts (
              id bigint PRIMARY KEY,
              username varchar NOT NULL,
              domain varchar,
              uri varchar NOT NULL DEFAULT '',
              display_name varchar NOT NULL DEFAULT '',
              public_key text NOT NULL DEFAULT '',
              private_key text,
              hide_collections boolean,
              suspended_at timestamp,
              created_at timestamp NOT NULL DEFAULT now()
            );
            CREATE UNIQUE INDEX index_accounts_on_username_and_domain_lower
              ON accounts (lower(username), COALESCE(lower(domain), ''));
            """,
        ),
    ),
    Migration(
        "20160222143943",
        "CreateUsers",
        (
            """
            CREATE TABLE user_roles (
              id bigint PRIMARY KEY,
              name varchar NOT NULL DEFAULT '',
              position integer NOT NULL DEFAULT 0,
              permissions bigint NOT NULL DEFAULT 0
            );
            CREATE TABLE users (
              id bigserial PRIMARY KEY,
              email varchar NOT NULL,
              account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
              role_id bigint REFERENCES user_roles ON DELETE SET NULL,
              encrypted_password varchar NOT NULL DEFAULT '',
              reset_password_token varchar,
              confirmation_token varchar,
              confirmed_at timestamp,
              otp_secret varchar,
              otp_required_for_login boolean NOT NULL DEFAULT false,
              approved boolean NOT NULL DEFAULT true,
              disabled boolean NOT NULL DEFAULT false,
              chosen_languages varchar[],
              created_at timestamp NOT NULL DEFAULT now()
            );
            CREATE UNIQUE INDEX index_users_on_email ON users (lower(email));
            """,
        ),
    ),
    Migration(
        "20160223165723",
        "CreateStatuses",
        (
            """
            CREATE TABLE statuses (
              id bigint PRIMARY KEY,
              account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
              text text NOT NULL DEFAULT '',
              visibility integer NOT NULL DEFAULT 0,
              created_at timestamp NOT NULL DEFAULT now()
            );
            CREATE TABLE media_attachments (
              id bigint PRIMARY KEY,
              account_id bigint REFERENCES accounts ON DELETE SET NULL,
              status_id bigint REFERENCES statuses ON DELETE SET NULL,
              remote_url varchar NOT NULL DEFAULT '',
              file_file_name varchar,
              file_content_type varchar,
              file_file_size integer,
              created_at timestamp NOT NULL DEFAULT now()
            );
            CREATE TABLE lists (
              id bigserial PRIMARY KEY,
              account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
              title varchar NOT NULL DEFAULT ''
            );
            """,
        ),
    ),
    Migration(
        "20160306172223",
        "CreateDoorkeeperTables",
        (
            """
            CREATE TABLE oauth_applications (
              id bigserial PRIMARY KEY,
              name varchar NOT NULL,
              uid varchar NOT NULL UNIQUE,
              secret varchar NOT NULL,
              redirect_uri text NOT NULL,
              scopes varchar NOT NULL DEFAULT ''
            );
            CREATE TABLE oauth_access_tokens (
              id bigserial PRIMARY KEY,
              token varchar NOT NULL UNIQUE,
              resource_owner_id bigint REFERENCES users ON DELETE CASCADE,
              application_id bigint REFERENCES oauth_applications ON DELETE CASCADE,
              scopes varchar,
              revoked_at timestamp,
              created_at timestamp NOT NULL DEFAULT now()
            );
            """,
        ),
    ),
    Migration(
        "20160905150353",
        "CreateSettings",
        ("CREATE TABLE settings (id bigserial PRIMARY KEY, var varchar NOT NULL UNIQUE, value text);",),
    ),
    # What the update check has heard of (app/models/software_update.rb).
    Migration(
        "20230822081029",
        "CreateSoftwareUpdates",
        (
            """
            CREATE TABLE software_updates (
              id bigserial PRIMARY KEY,
              version varchar NOT NULL,
              urgent boolean NOT NULL DEFAULT false,
              type integer NOT NULL DEFAULT 0,
              release_notes varchar NOT NULL DEFAULT '',
              created_at timestamp NOT NULL DEFAULT now(),
              updated_at timestamp NOT NULL DEFAULT now()
            );
            """,
        ),
    ),
    # Reads OTP_SECRET while its class is loaded, so an empty database cannot be migrated from the beginning without it.
    Migration(
        "20240307180905",
        "MigrateDeviseTwoFactorSecrets",
        ("SELECT 1;",),
        post=True,
        needs_environment="OTP_SECRET",
    ),
    # The last of 4.3.0: the oldest schema that a migration in two phases may start from, since 4.7.
    Migration(
        "20241007071624",
        "AddDeletedAtToStatuses",
        ("ALTER TABLE statuses ADD COLUMN deleted_at timestamp;",),
    ),
)

_MIGRATIONS_4_6 = (
    Migration(
        "20260115093000",
        "AddShowMediaToAccounts",
        ("ALTER TABLE accounts ADD COLUMN show_media boolean NOT NULL DEFAULT true;",),
    ),
    Migration(
        "20260202110000",
        "RemoveHideCollectionsFromAccounts",
        ("ALTER TABLE accounts DROP COLUMN hide_collections;",),
        post=True,
    ),
)

_MIGRATIONS_4_7 = (
    Migration(
        "20260518120000",
        "CreateKeypairs",
        (
            """
            CREATE TABLE keypairs (
              id bigserial PRIMARY KEY,
              account_id bigint NOT NULL UNIQUE REFERENCES accounts ON DELETE CASCADE,
              public_key text NOT NULL,
              private_key text,
              created_at timestamp NOT NULL DEFAULT now()
            );
            """,
            Task.ENCRYPT_PRIVATE_KEYS,
        ),
    ),
    Migration(
        "20260519080000",
        "AddUniqueIndexToAccountsUri",
        ("CREATE UNIQUE INDEX index_accounts_on_uri ON accounts (uri) WHERE uri <> '';",),
    ),
    Migration(
        "20260601150000",
        "RemovePrivateKeyFromAccounts",
        (Task.ENCRYPT_PRIVATE_KEYS, "ALTER TABLE accounts DROP COLUMN private_key;"),
        post=True,
    ),
)

_MIGRATION_FAILS = Migration(
    "20261120000090",
    "AddSlugToStatuses",
    (
        """
        ALTER TABLE statuses ADD COLUMN slug varchar;
        DO $$ BEGIN
          RAISE unique_violation USING MESSAGE = 'could not create unique index "index_statuses_on_slug"';
        END $$;
        """,
    ),
    in_schema=False,
)

_MIGRATION_IS_KILLED_ONCE = Migration(
    "20261120000091",
    "CreateAnnualSummaries",
    (
        "CREATE TABLE IF NOT EXISTS annual_summaries (id bigserial PRIMARY KEY, account_id bigint, year integer);",
        Task.KILL_ONCE,
        "CREATE INDEX IF NOT EXISTS index_annual_summaries_on_account_id ON annual_summaries (account_id);",
    ),
    in_transaction=False,
)

_MIGRATION_FILLS_DISK = Migration(
    "20261120000093",
    "ReprocessMediaAttachments",
    (Task.FILL_DISK,),
    in_transaction=False,
    in_schema=False,
)

# As all of the real ones that build an index without holding the table: killed there, PostgreSQL keeps it as invalid,
# and every further attempt fails with "already exists" until somebody drops it.
_MIGRATION_IS_KILLED_WITH_AN_INDEX = Migration(
    "20261120000094",
    "AddIndexOnDeletedAtToStatuses",
    (
        Task.INTERRUPT_INDEX_ONCE,
        "CREATE INDEX CONCURRENTLY index_statuses_on_deleted_at ON statuses (deleted_at);",
    ),
    in_transaction=False,
    in_schema=False,
)

# Waits for everybody who has so much as read the table, and everybody else then waits behind it.
_MIGRATION_WANTS_A_TABLE_FOR_ITSELF = Migration(
    "20261120000095",
    "AddLanguageToAccounts",
    ("ALTER TABLE accounts ADD COLUMN language varchar;",),
    in_schema=False,
)

_POST_MIGRATION_IS_KILLED_WITH_AN_INDEX = Migration(
    "20261120000096",
    "AddIndexOnCreatedAtToStatuses",
    (
        Task.INTERRUPT_INDEX_ONCE,
        "CREATE INDEX CONCURRENTLY index_statuses_on_created_at ON statuses (created_at);",
    ),
    post=True,
    in_transaction=False,
    in_schema=False,
)

# The table it changes came with 4.8, which is why a minor release cannot be skipped.
_MIGRATION_OF_4_9 = Migration(
    "20270105000000",
    "AddVisibilityToCollections",
    ("ALTER TABLE collections ADD COLUMN visibility integer NOT NULL DEFAULT 0;",),
    in_schema=False,
)

_ALL = (
    Release("v4.5.20", "", _MIGRATIONS_4_5),
    Release("v4.6.9", "v4.5.20", _MIGRATIONS_4_6),
    Release("v4.7.0", "v4.6.9", _MIGRATIONS_4_7),
    Release("v4.7.5", "v4.7.0"),
    Release(NEWEST_GOOD_RELEASE, "v4.7.5"),
    Release("v4.7.90", NEWEST_GOOD_RELEASE, (_MIGRATION_FAILS,)),
    Release("v4.7.91", NEWEST_GOOD_RELEASE, (_MIGRATION_IS_KILLED_ONCE,)),
    Release("v4.7.92", NEWEST_GOOD_RELEASE, listens=False),
    Release("v4.7.93", NEWEST_GOOD_RELEASE, (_MIGRATION_FILLS_DISK,)),
    Release("v4.7.94", NEWEST_GOOD_RELEASE, (_MIGRATION_IS_KILLED_WITH_AN_INDEX,)),
    Release("v4.7.95", NEWEST_GOOD_RELEASE, (_MIGRATION_WANTS_A_TABLE_FOR_ITSELF,)),
    Release("v4.7.96", NEWEST_GOOD_RELEASE, (_POST_MIGRATION_IS_KILLED_WITH_AN_INDEX,)),
    Release("v4.9.0", NEWEST_GOOD_RELEASE, (_MIGRATION_OF_4_9,)),
)

RELEASE = {release.tag: release for release in _ALL}

RELEASES = tuple(RELEASE)


def migrations_up_to(tag: str) -> tuple[Migration, ...]:
    """All migrations of a release and of its predecessors, by version. Raises KeyError for an unknown tag."""
    release = RELEASE[tag]
    inherited = migrations_up_to(release.predecessor) if release.predecessor else ()
    return tuple(sorted(inherited + release.migrations, key=lambda migration: migration.version))
