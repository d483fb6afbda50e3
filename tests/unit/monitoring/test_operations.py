"""What the operations of monitoring do, on and off."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyinfra.api import Host

from mstdn.asking import Batch
from mstdn.monitoring.operations import monitoring_files, monitoring_role, removed_monitoring, running_monitoring
from mstdn.questions import of_a_deployment
from mstdn.settings import Settings
from tests.harness import REQUIRED, Command, commands_of, container_line, settings_with

OFF, ON = settings_with(), settings_with(monitoring_enabled=True)
SECRETS = "exists\ncomplete\naccess 0600 0:0\n"
NETWORK = json.dumps({"name": "mstdn-monitoring", "id": "m1", "driver": "bridge", "internal": True, "ipv6": False})
EXPORTER = container_line("mstdn-monitoring/node-exporter", networks={"mstdn-monitoring": "m1"})


def removed(settings: Settings, *, secrets: str = SECRETS, containers: str = "", networks: str = "") -> list[Command]:
    facts = {"secrets/state": secrets, "docker/containers": containers, "networks/state": networks}
    return commands_of(removed_monitoring, facts, settings=settings)


def test_where_it_is_off_and_was_never_on_nothing_is_done() -> None:
    assert removed(OFF) == []
    assert commands_of(monitoring_files, {}, settings=OFF) == []
    assert commands_of(monitoring_role, {}, settings=OFF) == []
    assert commands_of(running_monitoring, {}, settings=OFF, timeout_seconds=10) == []


def test_where_it_is_turned_off_all_of_it_goes_and_the_password_last() -> None:
    secrets = f"{SECRETS}good MONITORING_PASSWORD\n"
    assert removed(OFF, secrets=secrets, containers=EXPORTER, networks=f"network {NETWORK}\n") == [
        Command("uninstall/remove_containers", ("id-of-node-exporter",)),
        Command("uninstall/remove_networks", ("mstdn-monitoring",)),
        Command("monitoring/remove", ("/srv/mastodon",)),
    ]


@pytest.mark.parametrize("state", ["good", "damaged"])
def test_what_a_run_that_was_killed_has_left_goes_with_the_next(state: str) -> None:
    assert removed(OFF, secrets=f"{SECRETS}{state} MONITORING_PASSWORD\n") == [
        Command("monitoring/remove", ("/srv/mastodon",))
    ]


def test_the_network_of_somebodys_prometheus_stays_and_the_next_run_changes_nothing() -> None:
    other = container_line("ours/prometheus", networks={"mstdn-monitoring": "m1"})
    assert removed(OFF, containers=other, networks=f"network {NETWORK}\n") == []


def test_where_it_is_on_nothing_is_taken_away() -> None:
    secrets = f"{SECRETS}good MONITORING_PASSWORD\n"
    assert removed(ON, secrets=secrets, containers=EXPORTER, networks=f"network {NETWORK}\n") == []


@pytest.mark.parametrize(
    ("printed", "commands"),
    [
        ("role\nmember pg_monitor\n", []),
        ("", [Command("monitoring/let_in", ("/srv/mastodon",))]),
        ("role\nmember pg_monitor\nright superuser\n", [Command("monitoring/let_in", ("/srv/mastodon",))]),
    ],
)
def test_the_role_is_set_right_where_it_is_not(printed: str, commands: list[Command]) -> None:
    assert commands_of(monitoring_role, {"monitoring/role": printed}, settings=ON) == commands


def test_files_are_written_and_then_the_exporters_start() -> None:
    written = commands_of(monitoring_files, {}, settings=ON)
    assert [each.words[-1] for each in written if each.words[0] == "file"] == ["/srv/mastodon/monitoring/compose.yaml"]
    started = commands_of(running_monitoring, {}, settings=ON, timeout_seconds=300)
    assert started[0] == Command(
        "compose/up",
        (
            "mstdn-monitoring",
            "/srv/mastodon/monitoring",
            "300",
            "mastodon-exporter",
            "node-exporter",
            "postgres-exporter",
        ),
    )
    # Nothing of it reads its files anew while it runs.
    assert [each for each in started if each.script not in ("compose/up", "files/put", "compose/note_mounts")] == []


def asked(**settings: Any) -> list[str]:
    """The scripts of all questions of a deployment with these settings, with their arguments."""
    host = SimpleNamespace(data=SimpleNamespace(dict=lambda: REQUIRED | settings), name="fake", groups=())
    batch = Batch.of(of_a_deployment(cast(Host, host)))
    return [" ".join((each.fact.script, *each.arguments)) for each in batch]


def test_where_it_is_off_no_question_more_is_asked_and_where_it_is_on_three() -> None:
    off, on = asked(), asked(monitoring_enabled=True)
    assert [each for each in off if each.startswith("monitoring/") or "/mastodon/monitoring" in each] == []
    assert len(on) - len(off) == 3
