"""
`rails` and `rake`: the tasks that a deployment runs, with the real ones' output.
"""

from __future__ import annotations

import base64
import os
import secrets
import string
import subprocess
import sys
from collections.abc import Callable

from . import accounts, assets, migrations
from .environment import ENCRYPTION_KEYS, AbortError, check_environment
from .stores import query


def main(arguments: list[str]) -> int:
    """Run tasks in order. Raises AbortError for an unknown one and when one fails."""
    if arguments[:1] == ["runner"]:
        return _runner(arguments[1:])
    assignments = [argument for argument in arguments if "=" in argument]
    os.environ.update(dict(argument.split("=", 1) for argument in assignments))
    tasks = [argument for argument in arguments if argument not in assignments]
    if not tasks:
        raise AbortError("rails: which task?")
    for name in tasks:
        if name in _PLAIN_TASKS:
            _PLAIN_TASKS[name]()
        elif name in _ENVIRONMENT_TASKS:
            check_environment(os.environ)
            _ENVIRONMENT_TASKS[name]()
        else:
            raise AbortError(f'Unrecognized command "{name}" (Rails::Command::UnrecognizedCommandError)')
    return 0


def _secret() -> None:
    print(secrets.token_hex(64))


def _encryption_init() -> None:
    already_set = any(os.environ.get(name, "").strip() for name in ENCRYPTION_KEYS)
    if already_set and os.environ.get("IGNORE_ALREADY_SET_SECRETS") != "true":
        print("Secrets for this server have already been set: nothing to do.")
        print("Set IGNORE_ALREADY_SET_SECRETS=true where new ones are really wanted.")
        return
    if already_set:
        print("\033[31mWARNING: secrets are already set; other ones make what they encrypted unreadable.\033[0m")
    print("Put these into the environment of Mastodon (e.g. .env.production), the same on every node: \n")
    print("# Do NOT change these variables once they are set")
    for name in ENCRYPTION_KEYS:
        print(f"{name}={''.join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))}")


def _generate_vapid_key() -> None:
    """
    An elliptic curve key as RFC 5915 writes it: 32 octets from the eighth, the public point at the end.

    As in the real one, the private key loses its leading zero octets.
    """
    command = ["/usr/bin/openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-outform", "DER"]
    key = subprocess.run(command, capture_output=True, check=True).stdout
    print(f"VAPID_PRIVATE_KEY={base64.urlsafe_b64encode(key[7:39].lstrip(bytes(1))).decode()}")
    print(f"VAPID_PUBLIC_KEY={base64.urlsafe_b64encode(key[-65:]).decode()}")


def _setup() -> None:
    if query("SELECT to_regclass('schema_migrations') AS name")[0]["name"]:
        raise AbortError("ActiveRecord::ProtectedEnvironmentError: this is a production database, and it is not empty.")
    migrations.prepare()


def _check_keys() -> None:
    values, failures = accounts.count_undecipherable()
    print(f"encrypted: {values}\nunreadable: {failures}")
    if failures:
        raise AbortError("The instance's keys are not those with which these values were encrypted.")


def _runner(arguments: list[str]) -> int:
    """
    Ruby from standard input; the only programs known are those of the suite, such as one that reads every encrypted
    value (mstdn/drill/prove.rb).

    Each is told by what it asks Active Record for, so another program fails instead of seeming to work.
    """
    check_environment(os.environ)
    text = sys.stdin.read() if arguments[:1] == ["-"] else ""
    if "Setting.where(var: name).exists?" in text and "Setting.public_send" in text:
        # mstdn/retention/choose.rb.
        for pair in arguments[1:]:
            name, days = pair.split("=")
            if query("SELECT 1 FROM settings WHERE var = %s", name):
                print(f"kept {name}")
            else:
                accounts.set_setting(name, days)
                print(f"chosen {name} {days}")
        return 0
    if not all(word in text for word in ("encrypted_attributes", 'puts "encrypted #{read}"')):
        raise AbortError("The lab has no Ruby: this stand-in knows the programs of the suite only.")
    values, failures = accounts.count_undecipherable()
    print(f"encrypted {values}\nunreadable {failures}")
    return 0


_PLAIN_TASKS: dict[str, Callable[[], None]] = {
    "secret": _secret,
    "db:encryption:init": _encryption_init,
    "mastodon:webpush:generate_vapid_key": _generate_vapid_key,
}

_ENVIRONMENT_TASKS: dict[str, Callable[[], None]] = {
    "assets:precompile": assets.precompile,
    "db:prepare": migrations.prepare,
    "db:setup": _setup,
    "db:seed": accounts.seed,
    "db:migrate": migrations.migrate,
    "db:migrate:status": migrations.print_status,
    "_lab:check_keys": _check_keys,
}
