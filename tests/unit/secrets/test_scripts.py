"""The scripts on secrets: what they say, what they make, and who gets what."""

from __future__ import annotations

import base64
import os
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mstdn.layout import MASTODON, POSTGRES
from mstdn.secrets.facts import SecretStates
from mstdn.secrets.parts import FORMS, WORDS
from mstdn.secrets.table import MADE_ON_THE_SERVER
from tests.harness import OWNER, calls_in, read, run_script, stand_in

SECRETS = {
    "SECRET_KEY_BASE": "0123456789abcdef" * 8,
    "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY": "aB3" * 10 + "xy",
    "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT": "cD4" * 10 + "xy",
    "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY": "eF5" * 10 + "xy",
    "VAPID_PRIVATE_KEY": "g-_" * 14 + "h=",
    "VAPID_PUBLIC_KEY": "i-_" * 29 + "=",
    "POSTGRES_PASSWORD": "ab" * 32,
    "DB_PASS": "cd" * 32,
    "REDIS_PASSWORD": "ef" * 32,
}


# Nobody but root can give files away.
PARTS = tuple(word.replace(MASTODON, OWNER).replace(POSTGRES, OWNER) for word in WORDS)


def write(directory: Path, secrets: dict[str, str], *, end: str = "# complete\n") -> None:
    text = "# made by the suite\n\n" + "".join(f"{name}={value}\n" for name, value in secrets.items()) + end
    (directory / "instance.env").write_text(text)


def state_script(directory: Path) -> str:
    answer = run_script(
        "secrets/state", directory, directory / "database", *FORMS, "--", *PARTS, before="secrets/parts"
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def secret_answer(directory: Path, secrets: dict[str, str], *, end: str = "# complete\n") -> str:
    write(directory, secrets, end=end)
    return state_script(directory)


def test_sound_secrets_are_reported_by_name_only(tmp_path: Path) -> None:
    answer = secret_answer(tmp_path, SECRETS)
    state = read(SecretStates, answer)
    assert state.good == set(SECRETS)
    assert state.exists and state.complete and not state.damaged and not state.database
    assert not any(value in answer for value in SECRETS.values())


@pytest.mark.parametrize("names", [list(SECRETS)[::2], list(SECRETS)[1::2]], ids=["every other", "the rest"])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda value: value[:-1], id="cut short"),
        pytest.param(lambda value: value + "0", id="too long"),
        pytest.param(lambda value: "", id="empty"),
        pytest.param(lambda value: f"'{value}'", id="in quotes"),
        pytest.param(lambda value: value + "\r", id="with a carriage return"),
    ],
)
def test_damaged_secrets_are_noticed_and_not_shown(
    tmp_path: Path, names: list[str], damage: Callable[[str], str]
) -> None:
    answer = secret_answer(tmp_path, SECRETS | {name: damage(SECRETS[name]) for name in names})
    state = read(SecretStates, answer)
    assert sorted(state.damaged) == sorted(names)
    assert state.good == set(SECRETS) - set(names)
    assert not any(SECRETS[name][:20] in answer for name in names)


@pytest.mark.parametrize("size", [30, 31, 32])
def test_a_private_key_may_have_begun_with_zeros(tmp_path: Path, size: int) -> None:
    key = base64.urlsafe_b64encode(bytes(range(100, 100 + size))).decode()
    answer = secret_answer(tmp_path, SECRETS | {"VAPID_PRIVATE_KEY": key})
    assert read(SecretStates, answer).good == set(SECRETS)


def test_a_file_without_its_last_line_is_not_complete(tmp_path: Path) -> None:
    state = read(SecretStates, secret_answer(tmp_path, SECRETS, end=""))
    assert state.exists and not state.complete


def test_a_line_that_lost_its_name_does_not_show_the_secret_in_it(tmp_path: Path) -> None:
    value = SECRETS["DB_PASS"]
    answer = secret_answer(tmp_path, {}, end=f"{value}\n# complete\n")
    assert read(SecretStates, answer).damaged
    assert value not in answer


def test_a_database_in_use_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "database").mkdir()
    assert not read(SecretStates, secret_answer(tmp_path, SECRETS)).database
    (tmp_path / "database" / "PG_VERSION").write_text("17\n")
    assert read(SecretStates, secret_answer(tmp_path, SECRETS)).database


# --- Who gets what ------------------------------------------------------------------------------

INSTANCE = "".join(f"{name}={value}\n" for name, value in SECRETS.items())
OPERATOR = "DEEPL_API_KEY='d'\nSMTP_PASSWORD='s'\n"


@pytest.fixture(name="secrets")
def _secrets(tmp_path: Path) -> Path:
    """The directory of secrets in that of the project, with the secrets of the instance in it."""
    directory = tmp_path / "secrets"
    directory.mkdir()
    write(directory, SECRETS)
    return directory


def distribute(directory: Path, *, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    return run_script("secrets/distribute", directory, *PARTS, before="secrets/parts", path=path)


def test_each_container_gets_what_it_needs_and_no_more(secrets: Path) -> None:
    (secrets / "operator.env").write_text(OPERATOR)
    answer = distribute(secrets)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    mastodon = "".join(f"{name}={value}\n" for name, value in SECRETS.items() if name != "POSTGRES_PASSWORD")
    assert {each.name: each.read_text() for each in secrets.iterdir() if not each.name.endswith("e.env")} == {
        "operator.env": OPERATOR,
        "mastodon.env": mastodon + OPERATOR,
        "streaming.env": f"DB_PASS={SECRETS['DB_PASS']}\nREDIS_PASSWORD={SECRETS['REDIS_PASSWORD']}\n",
        "postgres-superuser-password": SECRETS["POSTGRES_PASSWORD"] + "\n",
        "postgres-password": SECRETS["DB_PASS"] + "\n",
        "redis.conf": f"requirepass {SECRETS['REDIS_PASSWORD']}\n",
    }
    for each in set(secrets.iterdir()) - {secrets / "instance.env", secrets / "operator.env"}:
        assert stat.S_IMODE(each.stat().st_mode) == 0o400, each


def test_what_was_distributed_is_not_distributed_again(secrets: Path) -> None:
    # As that of the keys for backups.
    (secrets / "a-directory").mkdir()
    assert not read(SecretStates, state_script(secrets)).distributed
    distribute(secrets)
    assert read(SecretStates, state_script(secrets)).distributed
    before = {each: each.stat().st_ino for each in secrets.iterdir()}
    assert distribute(secrets).returncode == 0
    # A container that runs keeps the file that it was started with.
    assert {each: each.stat().st_ino for each in secrets.iterdir()} == before


def damage_value(part: Path) -> None:
    part.chmod(0o600)
    part.write_text("x")
    part.chmod(0o400)


@pytest.mark.parametrize(
    "part", ["mastodon.env", "streaming.env", "postgres-superuser-password", "postgres-password", "redis.conf"]
)
@pytest.mark.parametrize(
    "damage", [Path.unlink, damage_value, lambda part: part.chmod(0o444)], ids=["gone", "value", "mode"]
)
def test_a_part_that_differs_is_noticed_and_put_right_alone(
    secrets: Path, part: str, damage: Callable[[Path], None]
) -> None:
    distribute(secrets)
    before = {each: each.stat().st_ino for each in secrets.iterdir() if each.name != part}
    damage(secrets / part)
    assert f"differs {part}\n" in state_script(secrets)
    distribute(secrets)
    assert "differs" not in state_script(secrets)
    assert {each: each.stat().st_ino for each in secrets.iterdir() if each.name != part} == before


@pytest.mark.parametrize("name", ["secrets/instance.env", "secrets/operator.env", "secrets/redis.conf", ".env"])
def test_nobody_waits_for_what_comes_out_of_a_named_pipe(secrets: Path, name: str) -> None:
    distribute(secrets)
    (secrets.parent / name).unlink(missing_ok=True)
    os.mkfifo(secrets.parent / name)
    assert read(SecretStates, state_script(secrets)).exists is (name != "secrets/instance.env")
    assert distribute(secrets).returncode == (1 if name == "secrets/instance.env" else 0)


def test_everybody_who_may_use_docker_may_read_the_checksums_and_they_tell_nothing(secrets: Path) -> None:
    distribute(secrets)
    checksums = secrets.parent / ".env"
    assert stat.S_IMODE(checksums.stat().st_mode) == 0o644
    lines = checksums.read_text().splitlines()
    assert [line.split("=")[0] for line in lines] == ["MASTODON_REVISION", "STREAMING_REVISION", "REDIS_REVISION"]
    assert all(re.fullmatch(r"[0-9a-f]{16}", line.split("=")[1]) for line in lines)


@pytest.mark.parametrize("damage", ["gone", "value", "mode"])
def test_checksums_that_differ_are_put_right(secrets: Path, damage: str) -> None:
    distribute(secrets)
    checksums = secrets.parent / ".env"
    text = checksums.read_text()
    if damage == "gone":
        checksums.unlink()
    elif damage == "value":
        checksums.write_text("x")
    else:
        checksums.chmod(0o600)
    if damage != "mode":
        assert "differs .env\n" in state_script(secrets)
    distribute(secrets)
    assert checksums.read_text() == text
    assert stat.S_IMODE(checksums.stat().st_mode) == 0o644
    assert "differs" not in state_script(secrets)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("SECRET_KEY_BASE", {"MASTODON_REVISION"}),
        ("DB_PASS", {"MASTODON_REVISION", "STREAMING_REVISION"}),
        ("REDIS_PASSWORD", {"MASTODON_REVISION", "STREAMING_REVISION", "REDIS_REVISION"}),
        ("POSTGRES_PASSWORD", set()),
    ],
)
def test_a_new_secret_changes_the_checksums_of_those_who_read_it(secrets: Path, name: str, changed: set[str]) -> None:
    distribute(secrets)
    before = (secrets.parent / ".env").read_text().splitlines()
    write(secrets, SECRETS | {name: SECRETS[name][::-1]})
    distribute(secrets)
    after = (secrets.parent / ".env").read_text().splitlines()
    assert {line.split("=")[0] for line in set(after) - set(before)} == changed


def test_what_a_killed_run_left_of_secrets_goes(secrets: Path) -> None:
    for name in (".making", ".distributing.a1"):
        (secrets / name).mkdir()
        (secrets / name / "made").write_text("secret")
    distribute(secrets)
    assert not [each.name for each in secrets.iterdir() if each.name.startswith(".")]


def test_without_the_secrets_of_the_instance_nothing_is_distributed(tmp_path: Path) -> None:
    assert distribute(tmp_path).returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_names_that_the_operator_brought_are_said_and_their_values_are_not(secrets: Path) -> None:
    (secrets / "operator.env").write_text("DEEPL_API_KEY='canary'\nhttp_proxy='http://a:canary@x'\n")
    answer = state_script(secrets)
    assert read(SecretStates, answer).operator == {"DEEPL_API_KEY", "http_proxy"}
    assert "canary" not in answer


# --- The making of secrets ----------------------------------------------------------------------

MADE = {name: value for name, value in SECRETS.items() if not name.endswith(("_PASSWORD", "_PASS"))}


def generate(directory: Path, *names: str, prints: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The script, with an image whose commands print these secrets."""
    printed = "".join(f"{name}={value}\\r\\n" for name, value in (MADE if prints is None else prints).items())
    path = stand_in(directory.parent, "docker", f"printf '{printed}'")
    makers = [f"{name}={MADE_ON_THE_SERVER[name].maker}" for name in names]
    return run_script(
        "secrets/generate", "mastodon:1", directory, *makers, path=path, instead={"chown 0:0": f"chown {OWNER}"}
    )


@pytest.fixture(name="empty")
def _empty(tmp_path: Path) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    return directory


def test_every_secret_is_made_with_its_form_and_shown_nowhere(empty: Path) -> None:
    answer = generate(empty, *SECRETS)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    state = read(SecretStates, state_script(empty))
    assert state.good == set(SECRETS) and state.complete and not state.damaged
    assert stat.S_IMODE((empty / "instance.env").stat().st_mode) == 0o600
    assert [each.name for each in empty.iterdir()] == ["instance.env"]
    text = (empty / "instance.env").read_text()
    passwords = [line.split("=")[1] for line in text.splitlines() if "PASS" in line]
    assert len(set(passwords)) == 3
    assert not any(word in "".join(calls_in(empty.parent)) for word in passwords)


def test_keys_are_made_where_nothing_can_listen(empty: Path) -> None:
    generate(empty, *SECRETS)
    (call,) = calls_in(empty.parent)[:1]
    for option in ("--network none", "--log-driver none", "--read-only", "--cap-drop ALL", "no-new-privileges"):
        assert option in call


def test_a_secret_that_exists_is_never_replaced(empty: Path) -> None:
    write(empty, SECRETS | {"SECRET_KEY_BASE": "f" * 128})
    before = (empty / "instance.env").read_text()
    assert generate(empty, *SECRETS).returncode == 0
    assert (empty / "instance.env").read_text() == before


def test_only_what_is_missing_is_added(empty: Path) -> None:
    kept = {name: value for name, value in SECRETS.items() if name != "REDIS_PASSWORD"}
    write(empty, kept)
    assert generate(empty, "REDIS_PASSWORD").returncode == 0
    assert calls_in(empty.parent) == []  # no image makes that one
    lines = (empty / "instance.env").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith(("#", "REDIS"))] == INSTANCE.splitlines()[:-1]
    assert lines[-1] == "# complete"
    assert read(SecretStates, state_script(empty)).good == set(SECRETS)


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("value", [None, ""], ids=["not printed", "empty"])
def test_an_image_that_is_not_mastodons_makes_nothing(empty: Path, name: str, value: str | None) -> None:
    prints = {key: word for key, word in MADE.items() if key != name} | ({} if value is None else {name: value})
    answer = generate(empty, *SECRETS, prints=prints)
    assert answer.returncode != 0
    assert f"did not print {name}" in answer.stderr
    assert not any(word in answer.stderr for word in MADE.values())
    assert list(empty.iterdir()) == []
