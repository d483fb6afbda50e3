"""What the operation on Compose projects does on the way that the rules give."""

from __future__ import annotations

from typing import Any


STACK = Stack(
    directories=(),
    files=(ConfigFile("/srv/mastodon/compose.yaml", "services"), ConfigFile("/srv/mastodon/nginx.conf", "events")),
    reloaded=(ConfigFile("/srv/mastodon/nginx.conf", "events"),),
    secrets="/srv/mastodon/.env",
)
LOADED = STACK.reload_revision
PROJECT: dict[str, Any] = {
    "project": "mstdn",
    "directory": "/srv/mastodon",
    "services": ("db", "web"),
    "stack": STACK,
    "revision": "aaaa",
    "reload": "app/reload",
    "timeout_seconds": 300,
}
WELL = "service db running healthy yes\nservice web running healthy yes\n"
UP = [
    Command("compose/up", ("mstdn", "/srv/mastodon", "300")),
    Command("files/write", ("/srv/mastodon/state/applied", "0:0", "0644"), "aaaa\n"),
]
RELOAD = [
    Command("app/reload", ("/srv/mastodon",)),
    Command("files/write", ("/srv/mastodon/state/loaded", "0:0", "0644"), f"{LOADED}\n"),
]


def compose_commands(state: str, **changed: Any) -> list[Command]:
    return commands_of(compose_project, {"compose/state": state}, **PROJECT | changed)


def test_a_project_that_runs_as_its_files_say_is_left_alone() -> None:
    assert compose_commands(f"stamp aaaa\nstamp {LOADED}\n" + WELL) == []


@pytest.mark.parametrize(
    "containers",
    [
        pytest.param("", id="nothing runs"),
        pytest.param("service db running healthy yes\n", id="one is missing"),
        pytest.param(WELL.replace("web running", "web exited"), id="one is stopped"),
        pytest.param(WELL.replace("web running healthy", "web running unhealthy"), id="one is ill"),
        pytest.param(WELL.replace("web running healthy yes", "web running healthy no"), id="one runs an old image"),
        pytest.param(WELL + "service worker running healthy yes\n", id="one is not wanted"),
        pytest.param(WELL + "service web exited none yes\n", id="an old one is left"),
    ],
)
def test_a_project_that_does_not_run_as_wanted_is_brought_up(containers: str) -> None:
    assert compose_commands(f"stamp aaaa\nstamp {LOADED}\n" + containers) == UP


def test_changed_files_bring_the_project_up() -> None:
    assert compose_commands(f"stamp cccc\nstamp {LOADED}\n" + WELL) == UP


def test_two_healthy_replicas_of_a_service_are_as_wanted() -> None:
    assert compose_commands(f"stamp aaaa\nstamp {LOADED}\n" + WELL + "service web running healthy yes\n") == []


def test_configuration_that_can_be_read_anew_is_only_reloaded() -> None:
    assert compose_commands("stamp aaaa\nstamp cccc\n" + WELL) == RELOAD


def test_containers_that_are_new_have_nothing_to_load_anew() -> None:
    assert compose_commands("") == [*UP, RELOAD[-1]]
