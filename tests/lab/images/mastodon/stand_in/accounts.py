"""
Accounts, users, roles, statuses, media and tokens: the rows that the other modules speak of.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import encryption, jobs
from .environment import ROOT, site, version
from .stores import Row, query, transaction

# Mastodon's own account, in whose name the instance signs.
INSTANCE_ACTOR = -99

VISIBILITIES = ("public", "unlisted", "private", "direct")

_ROLES = ((-99, "", -1, 65_536), (1, "Moderator", 10, 1_308), (2, "Admin", 100, 983_036), (3, "Owner", 1_000, 1))

# The first bytes, and what they announce.
_TYPES = (
    (re.compile(rb"\x89PNG"), "image/png", "png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg", "jpg"),
    (re.compile(rb"GIF8"), "image/gif", "gif"),
    (re.compile(rb"....ftyp", re.DOTALL), "video/mp4", "mp4"),
)

_IMAGE_LIMIT_BYTES = 16 * 1024 * 1024
_VIDEO_LIMIT_BYTES = 99 * 1024 * 1024


@dataclass(frozen=True)
class InvalidRecordError(Exception):
    """A record that does not pass validation: its attributes, each with the kind of error."""

    errors: tuple[tuple[str, str], ...]


def snowflake() -> int:
    """A new identifier as Mastodon makes them: milliseconds since 1970, then 16 random bits."""
    return (time.time_ns() // 1_000_000 << 16) | secrets.randbits(16)


def _has_keypairs() -> bool:
    return version().numbers >= (4, 7)


def _openssl(*arguments: str, content: str = "") -> str:
    command = ["/usr/bin/openssl", *arguments]
    return subprocess.run(command, input=content, capture_output=True, text=True, check=True).stdout


def _create_account(identifier: int, username: str) -> None:
    private_key = _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    public_key = _openssl("pkey", "-pubout", content=private_key)
    query("INSERT INTO accounts (id, username) VALUES (%s, %s)", identifier, username)
    if _has_keypairs():
        query(
            "INSERT INTO keypairs (account_id, public_key, private_key) VALUES (%s, %s, %s)",
            identifier,
            public_key,
            encryption.encrypt(private_key),
        )
    else:
        query(
            "UPDATE accounts SET public_key = %s, private_key = %s WHERE id = %s",
            public_key,
            private_key,
            identifier,
        )


def encrypt_private_keys() -> None:
    """Part of 4.7's migrations: copy the private keys of accounts, encrypted, to a table of their own."""
    for row in query(
        "SELECT id, public_key, private_key FROM accounts "
        "WHERE private_key IS NOT NULL AND id NOT IN (SELECT account_id FROM keypairs)"
    ):
        query(
            "INSERT INTO keypairs (account_id, public_key, private_key) VALUES (%s, %s, %s)",
            row["id"],
            row["public_key"],
            encryption.encrypt(row["private_key"]),
        )


def seed() -> None:
    """The rows of a fresh instance: roles and the instance's own account."""
    for identifier, name, position, permissions in _ROLES:
        query(
            "INSERT INTO user_roles (id, name, position, permissions) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            identifier,
            name,
            position,
            permissions,
        )
    if not query("SELECT 1 FROM accounts WHERE id = %s", INSTANCE_ACTOR):
        with transaction():
            _create_account(INSTANCE_ACTOR, site().local_domain)


def check_records() -> None:
    """
    Read what every page needs, in the shape this release's schema has it.

    Raises psycopg2.ProgrammingError while migrations are pending, and DecryptionError when the instance's keys are
    not those with which the instance's own key and its users' second factors were encrypted.
    """
    if version().numbers >= (4, 6):
        query("SELECT show_media, deleted_at FROM accounts LEFT JOIN statuses ON false LIMIT 1")
    else:
        query("SELECT hide_collections, deleted_at FROM accounts LEFT JOIN statuses ON false LIMIT 1")
    if _has_keypairs():
        rows = query("SELECT private_key AS value FROM keypairs WHERE account_id = %s", INSTANCE_ACTOR)
    else:
        query("SELECT private_key FROM accounts LIMIT 1")
        rows = []
    rows += query("SELECT otp_secret AS value FROM users WHERE otp_secret IS NOT NULL ORDER BY id LIMIT 1")
    for row in rows:
        encryption.decrypt(row["value"])


def count_undecipherable() -> tuple[int, int]:
    """How many encrypted values there are, and how many of them the instance's keys do not open."""
    values = [row["value"] for row in query("SELECT otp_secret AS value FROM users WHERE otp_secret IS NOT NULL")]
    if _has_keypairs():
        values += [row["value"] for row in query("SELECT private_key AS value FROM keypairs")]
    failures = 0
    for value in values:
        try:
            encryption.decrypt(value)
        except encryption.DecryptionError:
            failures += 1
    return len(values), failures


def setting(name: str, default: str) -> str:
    """A setting of the instance, from the table that the administration pages write."""
    rows = query("SELECT value FROM settings WHERE var = %s", name)
    return str(rows[0]["value"]).removeprefix("--- ").strip() if rows else default


def set_setting(name: str, value: str) -> None:
    """Change a setting of the instance."""
    query(
        "INSERT INTO settings (var, value) VALUES (%s, %s) ON CONFLICT (var) DO UPDATE SET value = EXCLUDED.value",
        name,
        f"--- {value}\n",
    )


def hashed(password: str) -> str:
    """A password as it is stored."""
    salt = secrets.token_hex(16)
    return f"{salt}${hashlib.pbkdf2_hmac('sha256', password.encode(), salt.encode(), 10_000).hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Whether a password is the stored one."""
    salt, _, digest = stored.partition("$")
    made = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 10_000).hex()
    return hmac.compare_digest(made, digest)


def role_id(name: str) -> int | None:
    """The identifier of a role by its name."""
    rows = query("SELECT id FROM user_roles WHERE name = %s", name)
    return int(rows[0]["id"]) if rows else None


def validate_email(email: str) -> None:
    """
    Raises InvalidRecordError for an address that is malformed, taken, or of a domain that does not resolve.

    Mastodon asks the DNS for the domain's MX and addresses; here an address is needed, which is the stricter half.
    """
    domain = email.rpartition("@")[2]
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise InvalidRecordError((("email", "invalid"),))
    if query("SELECT 1 FROM users WHERE lower(email) = lower(%s)", email):
        raise InvalidRecordError((("email", "taken"),))
    try:
        socket.getaddrinfo(domain, 25)
    except OSError:
        raise InvalidRecordError((("email", "unreachable"),)) from None


def create_user(username: str, email: str, password: str, *, role: int | None, confirmed: bool, approved: bool) -> None:
    """
    Create an account with its user; an unconfirmed one gets a mail.

    Unless registrations are open, a user has to be approved before it may do anything. Raises InvalidRecordError.
    """
    if not re.fullmatch(r"[A-Za-z0-9_]{1,30}", username):
        raise InvalidRecordError((("account.username", "invalid"),))
    if find_account(username):
        raise InvalidRecordError((("account.username", "taken"),))
    validate_email(email)
    identifier, token = snowflake(), secrets.token_urlsafe(15)
    with transaction():
        _create_account(identifier, username)
        query(
            "INSERT INTO users (email, account_id, role_id, encrypted_password, confirmation_token, confirmed_at, "
            "approved, otp_secret) VALUES (%s, %s, %s, %s, %s, CASE WHEN %s THEN now() END, %s, %s)",
            email,
            identifier,
            role,
            hashed(password),
            token,
            confirmed,
            approved or setting("registrations_mode", "none") == "open",
            encryption.encrypt(secrets.token_hex(16)),
        )
    if not confirmed:
        jobs.deliver_later(
            email,
            f"Mastodon: Confirmation instructions for {site().local_domain}",
            f"https://{site().web_domain}/auth/confirmation?confirmation_token={token}\n",
        )


def find_account(username: str) -> Row | None:
    """A local account by its name, in any case."""
    rows = query("SELECT * FROM accounts WHERE lower(username) = lower(%s) AND domain IS NULL", username)
    return rows[0] if rows else None


def find_user(username: str) -> Row | None:
    """The user of a local account."""
    rows = query(
        "SELECT users.* FROM users JOIN accounts ON accounts.id = users.account_id "
        "WHERE lower(accounts.username) = lower(%s) AND accounts.domain IS NULL",
        username,
    )
    return rows[0] if rows else None


def request_password_reset(email: str) -> None:
    """Send a user the way to a new password; an unknown address gets nothing and nobody is told."""
    rows = query("SELECT id, email FROM users WHERE lower(email) = lower(%s)", email)
    if rows:
        token = secrets.token_urlsafe(15)
        query("UPDATE users SET reset_password_token = %s WHERE id = %s", token, rows[0]["id"])
        jobs.deliver_later(
            rows[0]["email"],
            "Mastodon: Reset password instructions",
            f"https://{site().web_domain}/auth/password/edit?reset_password_token={token}\n",
        )


def create_token(user_id: int | None, scopes: str, application_id: int | None = None) -> str:
    """A new access token."""
    token = secrets.token_urlsafe(32)
    query(
        "INSERT INTO oauth_access_tokens (token, resource_owner_id, application_id, scopes) VALUES (%s, %s, %s, %s)",
        token,
        user_id,
        application_id,
        scopes,
    )
    return token


def find_token(token: str) -> Row | None:
    """A token that has not been revoked, with its user and account where it has them."""
    rows = query(
        "SELECT tokens.id, tokens.scopes, tokens.resource_owner_id, users.account_id, users.confirmed_at, "
        "users.approved, users.disabled, accounts.username "
        "FROM oauth_access_tokens AS tokens LEFT JOIN users ON users.id = tokens.resource_owner_id "
        "LEFT JOIN accounts ON accounts.id = users.account_id WHERE token = %s AND revoked_at IS NULL",
        token,
    )
    return rows[0] if rows else None


def create_status(account_id: int, text: str, visibility: str, media_ids: list[int]) -> int:
    """A new status, which Sidekiq then distributes to the streams."""
    identifier = snowflake()
    with transaction():
        query(
            "INSERT INTO statuses (id, account_id, text, visibility) VALUES (%s, %s, %s, %s)",
            identifier,
            account_id,
            text,
            VISIBILITIES.index(visibility),
        )
        query(
            "UPDATE media_attachments SET status_id = %s WHERE id = ANY(%s) AND account_id = %s",
            identifier,
            media_ids,
            account_id,
        )
    jobs.enqueue("default", jobs.DISTRIBUTION_JOB, identifier)
    return identifier


def find_statuses(identifier: int | None = None, *, up_to: str = "direct") -> list[Row]:
    """The newest statuses, or the one, at most as private as `up_to`, with their account's name and their media."""
    return query(
        "SELECT statuses.id, text, visibility, statuses.created_at, accounts.id AS account_id, username, "
        "(SELECT coalesce(json_agg(media ORDER BY media.id), '[]') FROM media_attachments AS media "
        "WHERE status_id = statuses.id) AS media "
        "FROM statuses JOIN accounts ON accounts.id = statuses.account_id "
        "WHERE deleted_at IS NULL AND visibility <= %s AND statuses.id = coalesce(%s, statuses.id) "
        "ORDER BY statuses.id DESC LIMIT 20",
        VISIBILITIES.index(up_to),
        identifier,
    )


def publish_status(identifier: int) -> list[tuple[str, str]]:
    """The messages by which a status reaches the streams: channel and JSON."""
    rows = find_statuses(identifier)
    if not rows:
        return []
    payload = status_json(rows[0])
    message = json.dumps({"event": "update", "payload": payload})
    channels = [f"timeline:{rows[0]['account_id']}"]
    if payload["visibility"] == "public":
        channels += ["timeline:public", "timeline:public:local"]
        if payload["media_attachments"]:
            channels += ["timeline:public:media", "timeline:public:local:media"]
        channels += [f"timeline:hashtag:{tag.lower()}" for tag in re.findall(r"#(\w+)", rows[0]["text"])]
    return [(channel, message) for channel in channels]


def account_json(identifier: int, username: str) -> Row:
    """An account as the API shows it."""
    return {
        "id": str(identifier),
        "username": username,
        "acct": username,
        "display_name": "",
        "url": f"https://{site().web_domain}/@{username}",
    }


def status_json(row: Row) -> Row:
    """A status as the API shows it."""
    return {
        "id": str(row["id"]),
        "created_at": row["created_at"].isoformat(timespec="milliseconds") + "Z",
        "visibility": VISIBILITIES[row["visibility"]],
        "language": "en",
        "uri": f"https://{site().web_domain}/users/{row['username']}/statuses/{row['id']}",
        "url": f"https://{site().web_domain}/@{row['username']}/{row['id']}",
        "content": f"<p>{_escaped(row['text'])}</p>",
        "account": account_json(row["account_id"], row["username"]),
        "media_attachments": [media_json(media["id"], media["file_file_name"]) for media in row["media"]],
        "mentions": [],
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def media_path(identifier: int, style: str, file_name: str) -> str:
    """Where a medium lies below public/system: nine or more digits of its identifier, by threes."""
    digits = f"{identifier:012d}" if identifier >= 1_000_000_000 else f"{identifier:09d}"
    parts = "/".join(re.findall(r"\d{3}", digits))
    return f"media_attachments/files/{parts}/{style}/{file_name}"


def media_json(identifier: int, file_name: str) -> Row:
    """A medium as the API shows it."""
    is_video = file_name.endswith(".mp4")
    address = f"https://{site().web_domain}/system/"
    return {
        "id": str(identifier),
        "type": "video" if is_video else "image",
        "url": address + media_path(identifier, "original", file_name),
        "preview_url": None if is_video else address + media_path(identifier, "small", file_name),
        "remote_url": None,
        "description": None,
    }


def create_media(account_id: int, file: io.BufferedIOBase) -> Row:
    """
    Store an uploaded image or film below public/system.

    Raises InvalidRecordError for another type or too many bytes, OSError when the directory is not writable.
    """
    start = file.read(16)
    size = file.seek(0, os.SEEK_END)
    kind = next((kind for kind in _TYPES if kind[0].match(start)), None)
    if kind is None:
        raise InvalidRecordError((("file", "content_type"),))
    _, content_type, suffix = kind
    if size > (_VIDEO_LIMIT_BYTES if suffix == "mp4" else _IMAGE_LIMIT_BYTES):
        raise InvalidRecordError((("file", "file_size"),))
    identifier, file_name = snowflake(), f"{secrets.token_hex(8)}.{suffix}"
    for style in ("original", "small") if suffix != "mp4" else ("original",):
        path = media_root() / media_path(identifier, style, file_name)
        path.parent.mkdir(parents=True)
        file.seek(0)
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
    query(
        "INSERT INTO media_attachments (id, account_id, file_file_name, file_content_type, file_file_size) "
        "VALUES (%s, %s, %s, %s, %s)",
        identifier,
        account_id,
        file_name,
        content_type,
        size,
    )
    return media_json(identifier, file_name)


def media_root() -> Path:
    """The directory of uploaded media."""
    return ROOT / "public/system"
