"""
Secrets: those of the instance are made on the server and stay there; the operator's are brought.

`secrets/instance.env` is the only copy of what an instance cannot live without. A key that exists is never replaced.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from pydantic import SecretStr
from pyinfra.api import QuoteString, StringCommand

from mstdn.asking import ask
from mstdn.docker.presence import needs_engine
from mstdn.files.commands import put_file
from mstdn.kinds.dotenv import dotenv_text
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.secrets.facts import Secrets, SecretStates
from mstdn.secrets.parts import WORDS
from mstdn.secrets.table import ALWAYS_MADE, MADE_ON_THE_SERVER, REPLACEABLE, groups
from mstdn.shell import Commands, script

ACCESS = "0600 0:0"


@operation
@needs_engine
def secrets(
    directory: str,
    database: str,
    image: str,
    operator: Mapping[str, SecretStr],
    made: Sequence[str] = ALWAYS_MADE,
    words: Sequence[str] = WORDS,
) -> Commands:
    """
    Ensure the instance's secrets, the operator's secrets, and that each container gets its part of them.

    + directory: of the secrets, mode 0700
    + database: PostgreSQL's data directory; once it is in use, a missing key is an accident and no first installation
    + image: reference of Mastodon's image, whose own commands make the keys
    + operator: by the name of the environment variable; without single quotes and line breaks
    + made: names of those that the server makes
    + words: the parts of the containers, for the scripts

    Refuses, with what to do, for a damaged file. It is never repaired by guessing.
    """
    state = ask(SecretStates.of(directory, database, words))
    file = f"{directory}/instance.env"
    if problem := _problem(state, file, made):
        yield from refuse(f"{problem} {_instructions(file)}")
        return

    brought = dotenv_text({name: value.get_secret_value() for name, value in sorted(operator.items())})
    missing = [name for name in made if name not in state.good]
    if gone := sorted(state.operator.difference(operator)):
        announce(
            f"takes {', '.join(gone)} away from the server, because this run has no use for it: it is no longer among "
            "your secrets (secrets.env), or what needs it is turned off"
        )
    changed = False
    if state.exists:
        announce(*_reasons(state, directory, brought))
    if brought and (state.operator_sha256, state.operator_access) != (_sha256(brought), ACCESS):
        changed = True
        yield put_file(f"{directory}/operator.env", "0:0", "0600", brought)
    if not brought and state.operator_sha256:
        changed = True
        yield StringCommand("rm -f", QuoteString(f"{directory}/operator.env"))
    if missing:
        changed = True
        makers = (f"{name}={MADE_ON_THE_SERVER[name].maker}" for name in missing)
        yield script("secrets/generate", image, directory, *makers)
    elif state.access != ACCESS:
        yield StringCommand("chown 0:0", QuoteString(file), "&& chmod 0600", QuoteString(file))
    if changed or state.differing:
        yield script("secrets/distribute", directory, *words, before="secrets/parts")


def _reasons(state: Secrets, directory: str, brought: str) -> Iterator[str]:
    """What is not as it should be, without a word of what is in it."""
    if brought and state.operator_sha256 != _sha256(brought):
        yield f"{directory}/operator.env {'has another content' if state.operator_sha256 else 'does not exist'}"
    elif brought and state.operator_access != ACCESS:
        yield f"{directory}/operator.env has mode and owner {state.operator_access}, not {ACCESS}"
    if not brought and state.operator_sha256:
        yield f"{directory}/operator.env is no longer needed"
    if state.access != ACCESS:
        yield f"{directory}/instance.env has mode and owner {state.access}, not {ACCESS}"
    for part in state.differing:
        # .env lies beside the directory of the secrets.
        path = directory.rpartition("/")[0] if part == ".env" else directory
        yield f"{path}/{part} is not what the secrets make, or not its reader's"


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _problem(state: Secrets, file: str, made: Sequence[str]) -> str | None:
    if state.damaged:
        return f"{file} is damaged: {', '.join(state.damaged)} does not have the form of what it should be."
    if state.exists and not state.complete:
        return f"{file} is only half there: its last line should be '# complete'."
    for group in groups():
        missing = [name for name in group if name in made and name not in state.good]
        if missing and len(missing) < len(group):
            return f"{file} lacks {', '.join(missing)}, which belongs together with what it has."
        if missing and state.database and not REPLACEABLE.issuperset(missing):
            return f"This server has a database, but {file} lacks {', '.join(missing)}."
    return None


def _instructions(file: str) -> str:
    return (
        "These keys exist nowhere else: new ones would lock two-factor users out, and would break "
        "the signatures by which other servers know yours. "
        f"Put back {file} from your backup (owner root, mode 0600), then run again."
    )
