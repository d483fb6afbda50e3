"""How long copies of others' content are kept: chosen once, and then the owner's."""

from __future__ import annotations

from pathlib import Path

from mstdn.retention.operations import chosen_retention
from mstdn.retention.rules import wanted_periods
from mstdn.shell import SCRIPTS
from tests.harness import Command, commands_of, run_script, settings_with, stand_in

ROOT, NOTE = "/srv/mastodon", "/srv/mastodon/state/retention"


def test_what_is_0_is_left_to_mastodon() -> None:
    assert wanted_periods(14, 0) == ("media_cache_retention_period=14",)
    assert wanted_periods(0, 90) == ("content_cache_retention_period=90",)
    assert wanted_periods(0, 0) == ()


def test_it_is_chosen_once() -> None:
    program = (SCRIPTS / "retention/choose.rb").read_text()
    assert commands_of(chosen_retention, {}, settings=settings_with()) == [
        Command("retention/choose", (ROOT, NOTE, "media_cache_retention_period=14"), program)
    ]
    there = {"files/state": f"state 81a4 0:0 {NOTE}\n"}
    assert commands_of(chosen_retention, there, settings=settings_with(retention_media_days=3)) == []
    assert commands_of(chosen_retention, {}, settings=settings_with(retention_media_days=0)) == []


def choose(directory: Path, docker: str) -> tuple[int, str, str]:
    path = stand_in(directory, "docker", docker)
    answer = run_script("retention/choose", directory, directory / "note", "a=14", "b=90", stdin="program\n", path=path)
    return answer.returncode, answer.stdout, answer.stderr


def test_what_was_chosen_is_told_and_noted(tmp_path: Path) -> None:
    docker = f'cat >"{tmp_path}/given"; echo "Container made" >&2; echo "chosen a 14"; echo "kept b"'
    assert choose(tmp_path, docker) == (0, "chosen a 14\nkept b\n", "")
    assert (tmp_path / "note").read_text() == "chosen a 14\nkept b\n"
    assert (tmp_path / "given").read_text() == "program\n"


def test_where_mastodon_does_not_come_up_nothing_is_noted(tmp_path: Path) -> None:
    for docker in ('echo "could not connect to server"; exit 1', "echo something else"):
        code, _, said = choose(tmp_path, docker)
        assert code == 1 and ("could not connect" in said or "something else" in said)
        assert not (tmp_path / "note").exists()
