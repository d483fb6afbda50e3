"""
Secrets: those of the instance are born on the server and stay there; the operator's are brought.

`secrets/instance.env` is the only copy of what an instance cannot live without. A key that exists is never replaced.
"""

from collections.abc import Mapping
from hashlib import sha256

from pydantic import SecretStr
from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from mstdn.refusal import refuse
from mstdn.secrets.facts import Secrets, SecretStates
from mstdn.shell import Commands, script

# Made together, useless apart.
GROUPS = (
    ("SECRET_KEY_BASE",),
    (
        "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY",
        "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT",
        "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY",
    ),
    ("VAPID_PRIVATE_KEY", "VAPID_PUBLIC_KEY"),
    ("POSTGRES_PASSWORD",),
    ("DB_PASS",),
    ("REDIS_PASSWORD",),
)
# A new one may be made although the instance has data: nothing was encrypted or stored with it.
REPLACEABLE = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
ACCESS = "0600 0:0"


@operation()
def secrets(directory: str, database: str, image: str, operator: Mapping[str, SecretStr]) -> Commands:
    """
    Ensure the instance's secrets, the operator's secrets, and that each container gets its part of them.

    + directory: of the secrets, mode 0700
    + database: PostgreSQL's data directory; once it is in use, a missing key is an accident and no first installation
    + image: reference of Mastodon's image, whose own commands make the keys
    + operator: by the name of the environment variable; without single quotes and line breaks

    Refuses, with what to do, for a damaged file. It is never repaired by guessing.
    """
    state = host.get_fact(SecretStates, directory=directory, database=database)
    file = f"{directory}/instance.env"
    if trouble := _trouble(state, file):
        yield from refuse(f"{trouble} {_instructions(file)}")
        return

    brought = "".join(f"{name}='{value.get_secret_value()}'\n" for name, value in sorted(operator.items()))
    missing = [name for group in GROUPS for name in group if name not in state.good]
    changed = False
    if brought and (state.operator_sha256, state.operator_access) != (_sha256(brought), ACCESS):
        changed = True
        yield script("files/write", f"{directory}/operator.env", "0:0", "0600", stdin=brought)
    if not brought and state.operator_sha256:
        changed = True
        yield StringCommand("rm -f", QuoteString(f"{directory}/operator.env"))
    if missing:
        changed = True
        yield script("secrets/generate", image, directory, *missing)
    elif state.access != ACCESS:
        yield StringCommand("chown 0:0", QuoteString(file), "&& chmod 0600", QuoteString(file))
    if changed or not state.handed_out:
        yield script("secrets/distribute", directory, "write")


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _trouble(state: Secrets, file: str) -> str | None:
    if state.damaged:
        return f"{file} is damaged: {', '.join(state.damaged)} does not have the form of what it should be."
    if state.exists and not state.complete:
        return f"{file} is only half there: its last line should be '# complete'."
    for group in GROUPS:
        missing = [name for name in group if name not in state.good]
        if missing and len(missing) < len(group):
            return f"{file} lacks {', '.join(missing)}, which belongs together with what it has."
        if missing and state.database and not REPLACEABLE.issuperset(missing):
            return f"This server has a database, but {file} lacks {', '.join(missing)}."
    return None


def _instructions(file: str) -> str:
    return (
        "Nothing was changed. These keys exist nowhere else: new ones would lock two-factor users out, and would break "
        "the signatures by which other servers know yours. "
        f"Put back {file} from your backup (owner root, mode 0600), then run again."
    )
