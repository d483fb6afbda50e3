"""Where the operator's secrets come from, and what is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mstdn.problems import Problem
from mstdn.secrets import operator as secrets
from mstdn.secrets.operator import alert_secrets_for, backup_secrets_for, operator_secrets, secrets_for
from mstdn.secrets.table import OF_ALERTS, OF_BACKUPS
from tests.harness import settings_with


def secrets_file(directory: Path, text: str, mode: int = 0o600) -> Path:
    file = directory / "secrets.env"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def values_of(file: Path, environment: dict[str, str] | None = None) -> dict[str, str]:
    found, problems = operator_secrets(file, environment or {})
    assert not problems
    return {name: secret.get_secret_value() for name, secret in found.items()}


def the_problem_of(file: Path, environment: dict[str, str] | None = None) -> Problem:
    _, problems = operator_secrets(file, environment or {})
    assert len(problems) == 1, problems
    return problems[0]


def test_without_file_and_environment_there_are_none(tmp_path: Path) -> None:
    assert values_of(tmp_path / "secrets.env") == {}


def test_the_file_may_have_comments_blank_lines_and_quotes(tmp_path: Path) -> None:
    file = secrets_file(
        tmp_path,
        "# mail\n\n  SMTP_PASSWORD='se#same \"$HOME\" ü\\n' \nAWS_ACCESS_KEY_ID=A/b+c=#d\r\nAWS_SECRET_ACCESS_KEY=\n",
    )
    assert values_of(file) == {"SMTP_PASSWORD": 'se#same "$HOME" ü\\n', "AWS_ACCESS_KEY_ID": "A/b+c=#d"}


def test_the_environment_and_the_file_may_both_have_secrets(tmp_path: Path) -> None:
    file = secrets_file(tmp_path, "SMTP_PASSWORD=\nAWS_ACCESS_KEY_ID=file\nAWS_SECRET_ACCESS_KEY=same\n")
    environment = {
        "SMTP_PASSWORD": "environment",
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "same",
        "PATH": "/bin",
    }
    assert values_of(file, environment) == {
        "SMTP_PASSWORD": "environment",
        "AWS_ACCESS_KEY_ID": "file",
        "AWS_SECRET_ACCESS_KEY": "same",
    }


def test_a_secret_with_two_values_in_two_places_is_refused(tmp_path: Path) -> None:
    file = secrets_file(tmp_path, "SMTP_PASSWORD=sesame\n")
    problem = the_problem_of(file, {"SMTP_PASSWORD": "sesame street"})
    assert problem.subject == "SMTP_PASSWORD in the environment"
    assert str(file) in problem.wrong
    assert "unset SMTP_PASSWORD" in problem.instead
    assert "sesame" not in str(problem).replace(str(tmp_path), "")


def test_a_secret_with_two_values_in_one_file_is_refused(tmp_path: Path) -> None:
    problem = the_problem_of(secrets_file(tmp_path, "SMTP_PASSWORD=sesame\nSMTP_PASSWORD='open sesame'\n"))
    assert problem.subject.endswith("secrets.env, line 2")
    assert "another value further up" in problem.wrong
    assert "sesame" not in str(problem).replace(str(tmp_path), "")


def test_of_the_environment_only_some_names_count(tmp_path: Path) -> None:
    file = secrets_file(tmp_path, "DEEPL_API_KEY=file\n")
    assert values_of(file, {"DEEPL_API_KEY": "environment", "LDAP_PASSWORD": "x"}) == {"DEEPL_API_KEY": "file"}


def test_keys_of_an_object_store_go_to_the_server_only_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(secrets, "SECRETS_FILE", tmp_path / "secrets.env")
    for name in secrets.ENVIRONMENT_SECRETS:
        monkeypatch.setenv(name, "sesame")
    assert set(secrets_for(settings_with())) == {"SMTP_PASSWORD"}
    of_mastodon = set(secrets.ENVIRONMENT_SECRETS) - {*OF_BACKUPS, *OF_ALERTS}
    assert set(secrets_for(settings_with(s3_enabled=True))) == of_mastodon
    # Mastodon's programs do not get what opens the backups, and those of backups get nothing else.
    assert set(backup_secrets_for(settings_with(s3_enabled=True))) == set(OF_BACKUPS)
    assert set(alert_secrets_for(settings_with(s3_enabled=True))) == set(OF_ALERTS)


def test_a_secret_does_not_show_itself(tmp_path: Path) -> None:
    found, _ = operator_secrets(secrets_file(tmp_path, "SMTP_PASSWORD=sesame\n"), {})
    assert "sesame" not in f"{found} {found['SMTP_PASSWORD']} {found['SMTP_PASSWORD']!r}"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o700, 0o4600])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    problem = the_problem_of(secrets_file(tmp_path, "SMTP_PASSWORD=sesame\n", mode))
    assert "chmod 600" in problem.instead
    assert problem.seen == f"mode {mode:04o}"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_ones_own_is_read(tmp_path: Path, mode: int) -> None:
    assert values_of(secrets_file(tmp_path, "SMTP_PASSWORD=sesame\n", mode)) == {"SMTP_PASSWORD": "sesame"}


def git(directory: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(directory), *arguments], check=True, capture_output=True)


def test_a_file_that_git_keeps_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init")
    file = secrets_file(tmp_path, "SMTP_PASSWORD=sesame\n")
    git(tmp_path, "add", "--force", file.name)
    problem = the_problem_of(file)
    assert "git rm --cached secrets.env" in problem.instead
    assert "sesame" not in str(problem)


def test_a_file_that_git_does_not_keep_is_read(tmp_path: Path) -> None:
    git(tmp_path, "init")
    assert values_of(secrets_file(tmp_path, "SMTP_PASSWORD=sesame\n")) == {"SMTP_PASSWORD": "sesame"}


def test_a_mark_of_the_byte_order_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert values_of(secrets_file(tmp_path, "\ufeffSMTP_PASSWORD=sesame\n")) == {"SMTP_PASSWORD": "sesame"}


def test_without_git_only_the_mode_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("git") is None
    assert values_of(secrets_file(tmp_path, "SMTP_PASSWORD=sesame\n")) == {"SMTP_PASSWORD": "sesame"}


BAD_LINES = [
    # line, part of what is wrong, part of what to type instead
    ("SMTP_PASWORD=sesame", "no secret is called SMTP_PASWORD", "SMTP_PASSWORD="),
    ("smtp_password=sesame", "no secret is called smtp_password", "SMTP_PASSWORD="),
    ("HTTP_PROXI=sesame", "no secret is called HTTP_PROXI", "http_proxy="),
    ("ZZZ=sesame", "no secret is called ZZZ", "AWS_ACCESS_KEY_ID"),
    ("SECRET_KEY_BASE=sesame", "made on the server", "remove the line"),
    ("SMTP_LOGIN=sesame", "SMTP_LOGIN is no secret", "the setting smtp_login"),
    ("export SMTP_PASSWORD=sesame", "not of the form", "SMTP_PASSWORD="),
    ("SMTP_PASSWORD sesame", "not of the form", "SMTP_PASSWORD="),
    ("SMTP_PASSWORD=open sesame", "needs single quotes", "SMTP_PASSWORD='"),
    ('SMTP_PASSWORD="sesame"', "needs single quotes", "SMTP_PASSWORD='"),
    ("SMTP_PASSWORD='sesame", "needs single quotes", "SMTP_PASSWORD='"),
    ("SMTP_PASSWORD='sesame' # mail", "needs single quotes", "SMTP_PASSWORD='"),
    ("SMTP_PASSWORD='ses'ame'", "single quote", "SMTP_PASSWORD='"),
    ("SMTP_PASSWORD='sesame\\'", "ends in a backslash", "SMTP_PASSWORD='"),
    ("SMTP_PASSWORD='ses\0ame'", "NUL", "SMTP_PASSWORD='"),
]


@pytest.mark.parametrize(("line", "wrong", "instead"), BAD_LINES, ids=[repr(row[0]) for row in BAD_LINES])
def test_a_bad_line_is_named_but_its_value_is_not_shown(tmp_path: Path, line: str, wrong: str, instead: str) -> None:
    problem = the_problem_of(secrets_file(tmp_path, f"# first\n{line}\n"))
    assert problem.subject.endswith("secrets.env, line 2")
    assert wrong in problem.wrong
    assert instead in problem.instead
    assert "sesame" not in str(problem)


def test_a_directory_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").mkdir(mode=0o700)
    assert "not a file" in the_problem_of(tmp_path / "secrets.env").wrong


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = secrets_file(tmp_path, "")
    file.write_bytes(b"SMTP_PASSWORD=\xff\xfe")
    assert "cannot be read" in the_problem_of(file).wrong


@pytest.mark.parametrize("value", ["it's", "a\nb", "ends in \\"])
def test_an_environment_variable_that_cannot_be_written_is_refused(tmp_path: Path, value: str) -> None:
    problem = the_problem_of(tmp_path / "secrets.env", {"SMTP_PASSWORD": value})
    assert problem.subject == "SMTP_PASSWORD in the environment"
    assert value not in str(problem)


def test_the_default_environment_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(secrets, "SECRETS_FILE", tmp_path / "secrets.env")
    monkeypatch.setitem(os.environ, "SMTP_PASSWORD", "sesame")
    found, _ = operator_secrets()
    assert found["SMTP_PASSWORD"].get_secret_value() == "sesame"
