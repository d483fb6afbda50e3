"""
`tootctl`: the commands an administrator types.
"""

from __future__ import annotations

import argparse
import os
import secrets
import urllib.request
from typing import Any, NoReturn

from . import accounts
from .environment import AbortError, check_environment, version
from .stores import query, redis_client

_MODIFIABLE = ("role_id", "email", "disabled", "approved", "otp_required_for_login", "encrypted_password")


class _Parser(argparse.ArgumentParser):
    """Thor ends with exit code 1, not 2, and knows no shortened options."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise AbortError(message)


def main(arguments: list[str]) -> int:
    """Run one command. Raises AbortError as Thor's errors do: exit code 1."""
    check_environment(os.environ)
    options = _parser().parse_args(arguments)
    if options.version or options.command == "version":
        print(version().text)
        return 0
    if "run" not in options:
        raise AbortError("Could not find that command.")
    options.run(options)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tootctl", add_help=False)
    parser.add_argument("-v", "--version", action="store_true")
    parser.set_defaults(command="")
    commands = parser.add_subparsers(dest="command", parser_class=_Parser)
    commands.add_parser("version")
    _add_accounts(commands.add_parser("accounts").add_subparsers(parser_class=_Parser))
    _add_media(commands.add_parser("media").add_subparsers(parser_class=_Parser))
    _add_preview_cards(commands.add_parser("preview_cards").add_subparsers(parser_class=_Parser))
    settings = commands.add_parser("settings").add_subparsers(parser_class=_Parser)
    modes = settings.add_parser("registrations").add_subparsers(parser_class=_Parser)
    for name, mode in (("open", "open"), ("approved", "approved"), ("close", "none")):
        modes.add_parser(name).set_defaults(run=_registrations, mode=mode)
    search = commands.add_parser("search").add_subparsers(parser_class=_Parser)
    deploy = search.add_parser("deploy")
    for flag in ("--only-mapping", "--reset-chewy", "--no-import", "--no-clean"):
        deploy.add_argument(flag, action="store_true")
    deploy.add_argument("--only", nargs="+")
    deploy.add_argument("--concurrency", "-c", type=int, default=5)
    deploy.set_defaults(run=_search_deploy)
    feeds = commands.add_parser("feeds").add_subparsers(parser_class=_Parser)
    build = feeds.add_parser("build")
    build.add_argument("username", nargs="?")
    build.add_argument("--all", action="store_true")
    build.add_argument("--concurrency", "-c", type=int, default=5)
    build.set_defaults(run=_feeds_build)
    cache = commands.add_parser("cache").add_subparsers(parser_class=_Parser)
    cache.add_parser("clear").set_defaults(run=_cache_clear)
    return parser


def _add_accounts(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    create = commands.add_parser("create")
    create.add_argument("username")
    create.add_argument("--email", required=True)
    create.add_argument("--role")
    create.add_argument("--confirmed", action="store_true")
    create.add_argument("--approve", action="store_true")
    create.set_defaults(run=_create)
    modify = commands.add_parser("modify")
    modify.add_argument("username")
    modify.add_argument("--email")
    modify.add_argument("--role")
    for flag in ("remove-role", "confirm", "enable", "disable", "disable-2fa", "approve", "reset-password"):
        modify.add_argument(f"--{flag}", action="store_true")
    modify.set_defaults(run=_modify)
    delete = commands.add_parser("delete")
    delete.add_argument("username")
    delete.set_defaults(run=_delete)


def _add_media(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    commands.add_parser("usage").set_defaults(run=_media_usage)
    remove = commands.add_parser("remove")
    remove.add_argument("--days", "-d", type=int, default=7)
    remove.add_argument("--concurrency", "-c", type=int, default=5)
    for flag in ("prune-profiles", "remove-headers", "include-follows", "dry-run"):
        remove.add_argument(f"--{flag}", action="store_true")
    remove.set_defaults(run=_media_remove)
    orphans = commands.add_parser("remove-orphans")
    for option in ("--start-after", "--prefix"):
        orphans.add_argument(option)
    for flag in ("--fix-permissions", "--dry-run"):
        orphans.add_argument(flag, action="store_true")
    orphans.set_defaults(run=_remove_orphans)


def _add_preview_cards(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    remove = commands.add_parser("remove")
    remove.add_argument("--days", type=int, default=180)
    remove.add_argument("--concurrency", "-c", type=int, default=5)
    for flag in ("--verbose", "--dry-run", "--link"):
        remove.add_argument(flag, action="store_true")
    remove.set_defaults(run=lambda _: print("Removed 0 preview cards (approx. 0 Bytes)"))


def _role(name: str | None) -> int | None:
    if name is None:
        return None
    identifier = accounts.role_id(name)
    if identifier is None:
        raise AbortError("Cannot find user role with that name")
    return identifier


def _reported(error: accounts.InvalidRecordError) -> AbortError:
    return AbortError("\n".join(f"Failure/Error: {attribute}\n    {kind}" for attribute, kind in error.errors))


def _create(options: argparse.Namespace) -> None:
    password = secrets.token_hex(16)
    try:
        accounts.create_user(
            options.username,
            options.email,
            password,
            role=_role(options.role),
            confirmed=options.confirmed,
            approved=options.approve,
        )
    except accounts.InvalidRecordError as error:
        raise _reported(error) from None
    print(f"OK\nNew password: {password}")


def _modify(options: argparse.Namespace) -> None:
    user = accounts.find_user(options.username)
    if user is None:
        raise AbortError("No user with such username")
    if options.role or options.remove_role:
        user["role_id"] = _role(options.role)
    if options.email:
        try:
            accounts.validate_email(options.email)
        except accounts.InvalidRecordError as error:
            raise _reported(error) from None
        user["email"] = options.email
    if options.enable or options.disable:
        user["disabled"] = options.disable
    if options.approve:
        user["approved"] = True
    if options.disable_2fa:
        user["otp_required_for_login"] = False
    password = secrets.token_hex(16)
    if options.reset_password:
        user["encrypted_password"] = accounts.hashed(password)
    query(
        "UPDATE users SET role_id = %s, email = %s, disabled = %s, approved = %s, otp_required_for_login = %s, "
        "encrypted_password = %s WHERE id = %s",
        *(user[column] for column in _MODIFIABLE),
        user["id"],
    )
    if options.confirm:
        query("UPDATE users SET confirmed_at = coalesce(confirmed_at, now()) WHERE id = %s", user["id"])
    print("OK")
    if options.reset_password:
        print(f"New password: {password}")


def _delete(options: argparse.Namespace) -> None:
    account = accounts.find_account(options.username)
    if account is None:
        raise AbortError("No user with such username")
    count = query("SELECT count(*) FROM statuses WHERE account_id = %s", account["id"])[0]["count"]
    print(f"Deleting user with {count} statuses, this might take a while...")
    query("DELETE FROM accounts WHERE id = %s", account["id"])
    print("OK")


def _registrations(options: argparse.Namespace) -> None:
    accounts.set_setting("registrations_mode", options.mode)
    print("OK")


def _human_size(size: int) -> str:
    number, units = float(size), ["Bytes", "KB", "MB", "GB", "TB"]
    while number >= 1024 and len(units) > 1:
        number, units = number / 1024, units[1:]
    return f"{number:.3g} {units[0]}"


def _media_usage(_: argparse.Namespace) -> None:
    total = query("SELECT coalesce(sum(file_file_size), 0)::bigint AS size FROM media_attachments")[0]["size"]
    local = query(
        "SELECT coalesce(sum(file_file_size), 0)::bigint AS size FROM media_attachments WHERE remote_url = ''"
    )[0]["size"]
    print(f"Attachments:\t{_human_size(total)} ({_human_size(local)} local)")
    for name in ("Custom emoji", "Avatars", "Headers"):
        print(f"{name}:\t0 Bytes (0 Bytes local)")
    for name in ("Preview cards", "Backups", "Imports", "Settings"):
        print(f"{name}:\t0 Bytes")


def _media_remove(options: argparse.Namespace) -> None:
    suffix = " (DRY RUN)" if options.dry_run else ""
    if options.prune_profiles and options.remove_headers:
        raise AbortError("--prune-profiles and --remove-headers exclude each other")
    if options.prune_profiles or options.remove_headers:
        print(f"Visited 0 accounts and removed profile media totaling 0 Bytes{suffix}")
        return
    rows = query(
        "SELECT id, file_file_name, file_file_size FROM media_attachments WHERE remote_url <> '' "
        "AND file_file_name IS NOT NULL AND created_at < now() - make_interval(days => %s)",
        options.days,
    )
    if not options.dry_run:
        for row in rows:
            for style in ("original", "small"):
                path = accounts.media_path(row["id"], style, row["file_file_name"])
                (accounts.media_root() / "cache" / path).unlink(missing_ok=True)
            query("UPDATE media_attachments SET file_file_name = NULL WHERE id = %s", row["id"])
    size = _human_size(sum(row["file_file_size"] or 0 for row in rows))
    print(f"Removed {len(rows)} media attachments (approx. {size}){suffix}")


def _remove_orphans(options: argparse.Namespace) -> None:
    root, removed, size = accounts.media_root(), 0, 0
    for path in sorted(path for path in root.glob("media_attachments/files/**/*") if path.is_file()):
        # media_attachments/files/115/…/original/name.png
        segments = path.relative_to(root).parts
        identifier = "".join(segment for segment in segments[2:-2])
        if len(segments) in (7, 10) and not query(
            "SELECT 1 FROM media_attachments WHERE id = %s", int(identifier) if identifier.isdecimal() else 0
        ):
            removed, size = removed + 1, size + path.stat().st_size
            if not options.dry_run:
                path.unlink()
            print(f"Found and removed orphan: {path.relative_to(root)}")
    print(f"Removed {removed} orphans (approx. {_human_size(size)})")


def _search_deploy(_: argparse.Namespace) -> None:
    address = f"http://{os.environ.get('ES_HOST', 'localhost')}:{os.environ.get('ES_PORT', '9200')}/"
    try:
        urllib.request.urlopen(address, timeout=10).close()
    except OSError as error:
        raise AbortError(f"The search server does not answer: {error}") from error
    raise AbortError("The lab has no search server, and this stand-in does not fill one.")


def _feeds_build(options: argparse.Namespace) -> None:
    if options.all or not options.username:
        count = query("SELECT count(*) FROM users WHERE confirmed_at IS NOT NULL AND NOT disabled")[0]["count"]
        redis_client().ping()
        print(f"Regenerated feeds for {count} accounts")
    elif accounts.find_account(options.username):
        redis_client().ping()
        print("OK")
    else:
        raise AbortError("No such account")


def _cache_clear(_: argparse.Namespace) -> None:
    client = redis_client("CACHE_")
    for key in client.scan_iter("cache:*"):
        client.delete(key)
    print("OK")
