"""What the operation on Compose projects runs on the way that the rules give, and what it notes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from mstdn.asking import Questions
from mstdn.compose.commands import bring_up
from mstdn.compose.operations import converge_project, running_project
from mstdn.compose.project import Project, Way
from mstdn.docker.facts import Containers
from mstdn.fact import Question
from mstdn.files.operations import converge_tree
from mstdn.files.tree import ConfigFile
from mstdn.operation import operation
from mstdn.shell import Commands
from tests.harness import Command, commands_of, container_line, of_the_unit, read, refusal_of

compose_project = operation(converge_project)
NGINX = ConfigFile("/srv/mastodon/nginx.conf", "events")
PROJECT = Project(
    name="mstdn",
    title="Mastodon",
    directory="/srv/mastodon",
    services=("db", "web"),
    directories=(),
    files=(ConfigFile("/srv/mastodon/compose.yaml", "services"), NGINX),
    reloaded=(NGINX,),
    reload="app/reload",
)
IMAGES = ("db:1", "web:1")
RUNNING = container_line("db") + container_line("web")
MAKING = json.dumps({each.service: each.making for each in read(Containers, RUNNING)}, sort_keys=True)
APPLIED = f"revision {PROJECT.revision}\nloaded {PROJECT.reload_revision}\nmaking {MAKING}\n"
PRESENT = "id db:1 sha256:db\nid web:1 sha256:web\n"


def write(name: str, text: str) -> Command:
    return Command("files/put", ("file", "0:0", "0644", f"/srv/mastodon/state/{name}"), f"{text}\n")


UP = Command("compose/up", ("mstdn", "/srv/mastodon", "300", "db", "web"))
STAMP = write("applied", PROJECT.revision)
RELOAD = [Command("app/reload", ("/srv/mastodon",)), write("loaded", PROJECT.reload_revision)]


def facts(containers: str = RUNNING, applied: str = APPLIED, images: str = PRESENT) -> dict[str, str]:
    return {"compose/applied": applied, "docker/containers": containers, "images/state": images}


def compose_commands(containers: str = RUNNING, applied: str = APPLIED, **options: Any) -> list[Command]:
    given = facts(containers, applied, options.pop("images", PRESENT))
    return commands_of(compose_project, given, project=PROJECT, images=IMAGES, timeout_seconds=300, **options)


def test_a_project_that_runs_as_its_files_say_is_left_alone() -> None:
    assert compose_commands() == []


ROLLING = dataclasses.replace(
    PROJECT, replaced={"web": Way.BESIDE}, move="app/move", first=("db",), parts={"db": "d1", "web": "w1"}
)


def rolling_commands(applied: str, containers: str = RUNNING) -> list[Command]:
    given = facts(containers, applied)
    return commands_of(compose_project, given, project=ROLLING, images=IMAGES, timeout_seconds=300)


def rolled(*words: str, way: str = "beside") -> list[Command]:
    program = ("compose/health", "app/move", "compose/put_in_order", "connection", "lock", "compose/roll")
    return of_the_unit("The change of web", ("mstdn", "/srv/mastodon", "300", f"web={way}", *words), *program)


def test_where_files_changed_the_stores_come_first_and_then_web_makes_room() -> None:
    parts = write("parts", json.dumps({"db": "d1", "web": "w1"}))
    first = Command("compose/up", ("mstdn", "/srv/mastodon", "300", "db"))
    roll = rolled("--")
    commands = rolling_commands(APPLIED.replace(PROJECT.revision, "older"))
    assert commands == [first, *roll, UP, parts, STAMP, write("making", MAKING)]


def test_where_only_web_is_concerned_it_makes_room_at_once() -> None:
    containers = container_line("db") + container_line("web", image="sha256:old")
    roll = rolled("--", "id-of-web")
    noted = APPLIED + f"parts {json.dumps(dict(ROLLING.parts))}\n"
    assert rolling_commands(noted, containers) == [*roll, UP, STAMP, write("making", MAKING)]


def test_where_the_operator_has_web_publish_a_port_the_old_one_stops_first() -> None:
    published = {"3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3000"}]}
    containers = RUNNING.replace('"published": {}', f'"published": {json.dumps(published)}')
    commands = rolling_commands(APPLIED.replace(PROJECT.revision, "older"), containers)
    assert all(each in commands for each in rolled("--", way="after"))


def test_a_bare_server_gets_the_project_and_a_note_of_it() -> None:
    assert compose_commands("", "", images="") == [UP, STAMP, write("making", "{}"), *RELOAD]


def test_what_runs_after_the_change_is_what_is_noted() -> None:
    changed = RUNNING.replace('"healthy"', '"unhealthy"')
    assert compose_commands(changed)[-1] == write("making", MAKING)


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({"status": "paused"}, [Command("compose/resume", ("id-of-web",))]),
        ({"health": "unhealthy"}, [Command("compose/restart", ("id-of-web",))]),
        ({"image": "sha256:old"}, [Command("compose/renew", ("/srv/mastodon", "web"))]),
        ({"status": "exited"}, []),
    ],
    ids=["paused", "unhealthy", "another image", "exited"],
)
def test_only_the_container_concerned_is_touched_and_then_all_have_to_be_up(
    changes: dict[str, Any], first: list[Command]
) -> None:
    containers = container_line("db") + container_line("web", **changes)
    assert compose_commands(containers) == [*first, UP, STAMP, write("making", MAKING)]


def test_an_override_of_the_operators_is_part_of_the_stamp() -> None:
    commands = compose_commands(applied=APPLIED + "override 0f\n")
    assert commands == [UP, write("applied", f"{PROJECT.revision} 0f"), write("making", MAKING)]


def test_what_was_never_noted_is_noted() -> None:
    assert compose_commands(applied=APPLIED.replace(f"making {MAKING}\n", "")) == [write("making", MAKING)]


def test_configuration_that_can_be_read_anew_is_only_read() -> None:
    assert compose_commands(applied=APPLIED.replace(PROJECT.reload_revision, "older")) == RELOAD


def test_a_plan_does_not_wait_for_containers_that_are_starting() -> None:
    assert compose_commands(RUNNING.replace('"healthy"', '"starting"')) == []


@pytest.mark.parametrize(
    ("becomes", "commands"),
    [
        ("healthy", []),
        (
            "unhealthy",
            [Command("compose/restart", ("id-of-db", "id-of-web")), UP, STAMP, write("making", MAKING)],
        ),
    ],
)
def test_a_run_waits_for_them_and_then_looks_anew(becomes: str, commands: list[Command]) -> None:
    asked: list[str] = []

    def answers(_: object, batch: Questions) -> Iterator[tuple[Question[Any], list[str]]]:
        for question in batch:
            asked.append(question.fact.script)
            settled = "compose/settled" in asked
            containers = RUNNING.replace('"healthy"', f'"{becomes if settled else "starting"}"')
            yield question, facts(containers).get(question.fact.script, "").splitlines()

    def run() -> list[Command]:
        return commands_of(
            compose_project,
            {},
            executing=True,
            answers=lambda host, batch: dict(answers(host, batch)),
            project=PROJECT,
            images=IMAGES,
            timeout_seconds=300,
        )

    assert run() == commands
    assert asked.count("compose/settled") == 1


def test_what_is_known_to_be_wrong_is_not_waited_for() -> None:
    containers = container_line("db", health="starting") + container_line("web", status="paused")
    commands = compose_commands(containers, executing=True)
    assert commands[0] == Command("compose/resume", ("id-of-web",))


@pytest.mark.parametrize("silent", ["docker/containers", "images/state", "networks/state"])
def test_where_docker_does_not_run_a_plan_announces_nothing_and_a_run_says_why(silent: str) -> None:
    given = facts() | {silent: "unknown Docker does not run\n"}
    arguments: dict[str, Any] = {"project": PROJECT, "images": IMAGES, "timeout_seconds": 300}
    assert commands_of(compose_project, given, **arguments) == []
    (command,) = commands_of(compose_project, given, executing=True, **arguments)
    assert command.words == ("_say_no", "This could not be looked at: Docker does not run.")


def test_a_file_of_the_operators_that_compose_cannot_read_is_refused_in_its_words() -> None:
    broken = "override 1\nbroken /srv/mastodon/compose.override.yaml services.web Additional property imag\n"
    arguments = {"project": PROJECT, "images": IMAGES, "timeout_seconds": 300}
    refusal = refusal_of(compose_project, facts(applied=APPLIED + broken), **arguments)
    assert refusal.startswith("Compose cannot read /srv/mastodon/compose.override.yaml. Correct it")
    assert refusal.endswith("services.web Additional property imag")


def test_variables_that_lead_compose_elsewhere_are_refused_by_name() -> None:
    arguments = {"project": PROJECT, "images": IMAGES, "timeout_seconds": 300}
    refusal = refusal_of(
        compose_project, facts(applied=APPLIED + "led COMPOSE_FILE\nled COMPOSE_PROJECT_NAME\n"), **arguments
    )
    assert "/.env sets COMPOSE_FILE and COMPOSE_PROJECT_NAME, with which" in refusal and "Take that out" in refusal


def test_what_brings_services_up_can_show_those_that_are_not_well() -> None:
    command = str(bring_up("mstdn", "/srv/mastodon", 300, ["db"]))
    assert command.index("unwell() {") < command.index("docker compose up")


# --- A file of tasks/ by itself -----------------------------------------------------------------

ON_DISK = "".join(f"state 81a4 0:0 {file.path}\nsum {file.sha256}  {file.path}\n" for file in PROJECT.files)


@operation
def started_project(project: Project, images: Sequence[str], timeout_seconds: int) -> Commands:
    """What tasks/app.py does."""
    yield from running_project(project, images, timeout_seconds)


@operation
def written_and_started_project(project: Project, images: Sequence[str], timeout_seconds: int) -> Commands:
    """What deploy.py does."""
    yield from converge_tree(project.files)
    yield from running_project(project, images, timeout_seconds)


def test_a_project_does_not_start_by_files_that_are_not_what_the_settings_say() -> None:
    arguments: dict[str, Any] = {"project": PROJECT, "images": IMAGES, "timeout_seconds": 300}
    there = facts(applied="") | {"files/state": ON_DISK}
    assert commands_of(started_project, there, **arguments) == compose_commands(applied="") != []
    changed = PROJECT.files[0]
    other = there | {"files/state": ON_DISK.replace(changed.sha256, "0" * 64)}
    refusal = refusal_of(started_project, other, **arguments)
    assert f"not there: {changed.path}. Everything in its order: pyinfra inventory.py deploy.py" in refusal
    assert "starts by its files" in refusal_of(started_project, facts(), **arguments)


def test_files_that_come_earlier_in_the_run_are_there() -> None:
    commands = commands_of(
        written_and_started_project, facts(applied=""), project=PROJECT, images=IMAGES, timeout_seconds=300
    )
    assert [command.words[-1] for command in commands[:2]] == [file.path for file in PROJECT.files]
    assert commands[2:] == compose_commands(applied="")
