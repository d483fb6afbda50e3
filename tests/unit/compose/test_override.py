"""The operator's own compose.override.yaml, as the script sees it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from mstdn.compose.facts import Applied, AppliedProject
from tests.harness import answer_of, calls_in, stand_in

SERVICES = "services:\n  es: {image: x}\n"
SUM = sha256(SERVICES.encode()).hexdigest()


def seen(
    directory: Path, verdict: str = "", *, noted: str = "", name: str = "compose.override.yaml", without: str = ""
) -> Applied:
    """What is seen where Compose judges so of the project, with the file and without; noted: in state/applied."""
    (directory / name).write_text(SERVICES)
    (directory / "compose.yaml").touch()
    (directory / "state").mkdir()
    (directory / "state/applied").write_text(noted)
    judge = f"case $* in *--file*) verdict='{without}' ;; *) verdict='{verdict}' ;; esac"
    path = stand_in(directory, "docker", f'{judge}\n[ -z "$verdict" ] || {{ echo "$verdict" >&2; exit 1; }}')
    return answer_of(AppliedProject.of(str(directory), (), ()), path=path)


@pytest.mark.parametrize(
    "name",
    [
        *("compose.override.yaml", "compose.override.yml"),
        *("docker-compose.override.yaml", "docker-compose.override.yml"),
    ],
)
def test_every_name_that_compose_reads_is_seen(tmp_path: Path, name: str) -> None:
    applied = seen(tmp_path, name=name)
    assert (applied.override, applied.broken) == (SUM, "")


def test_a_file_that_compose_cannot_read_is_told_with_its_words(tmp_path: Path) -> None:
    assert seen(tmp_path, "yaml: line 3").broken == f"{tmp_path}/compose.override.yaml yaml: line 3"
    assert calls_in(tmp_path) == [
        f"docker compose --project-directory {tmp_path} config --quiet",
        f"docker compose --project-directory {tmp_path} --file {tmp_path}/compose.yaml config --quiet",
    ]


def test_a_project_that_a_killed_run_has_half_written_is_not_its_fault(tmp_path: Path) -> None:
    missing = "env file /srv/mastodon/mastodon.env not found"
    assert seen(tmp_path, missing, without=missing).broken == ""


def test_a_file_that_was_applied_is_not_judged_again(tmp_path: Path) -> None:
    assert seen(tmp_path, "yaml: line 3", noted=f"revision {SUM}").broken == ""
    assert not (tmp_path / "calls").exists()


def test_variables_in_env_that_lead_compose_elsewhere_are_seen_and_others_are_not(tmp_path: Path) -> None:
    lines = ["# COMPOSE_FILE=a", " export COMPOSE_PROJECT_NAME = other", "COMPOSE_FILE=b.yaml", "COMPOSE_ANSI=never"]
    (tmp_path / ".env").write_text("\n".join([*lines, "COMPOSE_FILENAME=c", "COMPOSE_FILE=d.yaml"]))
    applied = seen(tmp_path)
    assert applied.led == ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME")
    (tmp_path / ".env").unlink()
    assert answer_of(AppliedProject.of(str(tmp_path), (), ()), path=tmp_path / "bin").led == ()
