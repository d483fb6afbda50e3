"""The scripts on secrets: what they say, what they make, and who gets what."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from mstdn.secrets.facts import SecretStates
from tests.harness import answer_of, run_script


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


def secret_answer(directory: Path, secrets: dict[str, str], *, end: str = "# complete\n") -> str:
    text = "# made by the suite\n\n" + "".join(f"{name}={value}\n" for name, value in secrets.items()) + end
    (directory / "instance.env").write_text(text)
    answer = run_script("secrets/state", directory, directory / "database")
    assert answer.returncode == 0
    return answer.stdout


def test_sound_secrets_are_reported_by_name_only(tmp_path: Path) -> None:
    answer = secret_answer(tmp_path, SECRETS)
    state = SecretStates().process(answer.splitlines())
    assert state.good == set(SECRETS)
    assert state.exists and state.complete and not state.damaged and not state.database
    assert not any(value in answer for value in SECRETS.values())


@pytest.mark.parametrize("name", SECRETS)
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
def test_a_damaged_secret_is_noticed_and_not_shown(tmp_path: Path, name: str, damage: Callable[[str], str]) -> None:
    answer = secret_answer(tmp_path, SECRETS | {name: damage(SECRETS[name])})
    state = SecretStates().process(answer.splitlines())
    assert state.damaged == [name]
    assert name not in state.good
    assert SECRETS[name][:20] not in answer


@pytest.mark.parametrize("size", [30, 31, 32])
def test_a_private_key_may_have_begun_with_zeros(tmp_path: Path, size: int) -> None:
    key = base64.urlsafe_b64encode(bytes(range(100, 100 + size))).decode()
    assert SecretStates().process(
        secret_answer(tmp_path, SECRETS | {"VAPID_PRIVATE_KEY": key}).splitlines()
    ).good == set(SECRETS)


def test_a_file_without_its_last_line_is_not_complete(tmp_path: Path) -> None:
    state = SecretStates().process(secret_answer(tmp_path, SECRETS, end="").splitlines())
    assert state.exists and not state.complete


def test_a_line_that_lost_its_name_does_not_show_the_secret_in_it(tmp_path: Path) -> None:
    value = SECRETS["DB_PASS"]
    answer = secret_answer(tmp_path, {}, end=f"{value}\n# complete\n")
    assert SecretStates().process(answer.splitlines()).damaged
    assert value not in answer


def test_a_database_in_use_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "database").mkdir()
    assert not SecretStates().process(secret_answer(tmp_path, SECRETS).splitlines()).database
    (tmp_path / "database" / "PG_VERSION").write_text("17\n")
    assert SecretStates().process(secret_answer(tmp_path, SECRETS).splitlines()).database
