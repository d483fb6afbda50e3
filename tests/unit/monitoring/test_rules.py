"""What monitoring consists of, what may go with it, and what is left of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mstdn.alerts.programs import alert_settings
from mstdn.app.variables import mastodon_variables, streaming_variables
from mstdn.docker.facts import Containers
from mstdn.images.references import pulled_images
from mstdn.monitoring.facts import MonitoringRole, Role
from mstdn.monitoring.rules import lacking, left_containers, left_network, services_of
from mstdn.secrets.parts import MONITORING_PART, WORDS, made_for, words_for
from mstdn.secrets.table import ALWAYS_MADE
from mstdn.settings import examine
from mstdn.sizing.rules import film_shortfall_mib, sizing_for, web_fits_twice
from mstdn.status.looking import wanted
from mstdn.uninstall.rules import is_ours
from tests.harness import REQUIRED, container_line, read, settings_with

OFF, ON = settings_with(), settings_with(monitoring_enabled=True)


def test_where_it_is_off_nothing_of_it_is_wanted() -> None:
    assert "mstdn-monitoring" not in services_of(OFF)
    assert "mstdn-monitoring" not in alert_settings(OFF)["ALERT_SERVICES"]
    assert [image for image in pulled_images(OFF) if "exporter" in image] == []
    assert words_for(OFF) == WORDS and made_for(OFF) == ALWAYS_MADE
    assert [name for name in mastodon_variables(OFF, sizing_for(4096, OFF)) if "PROMETHEUS" in name] == []


def test_where_it_is_on_images_password_and_containers_are_wanted_and_watched() -> None:
    services = ("mastodon-exporter", "node-exporter", "postgres-exporter")
    assert services_of(ON)["mstdn-monitoring"] == wanted(ON).services["mstdn-monitoring"] == services
    assert "mstdn-monitoring/postgres-exporter" in alert_settings(ON)["ALERT_SERVICES"].split()
    assert pulled_images(ON)[-2:] == (ON.node_exporter_image, ON.postgres_exporter_image)
    assert set(made_for(ON)) - set(made_for(OFF)) == {"MONITORING_PASSWORD"}
    assert set(words_for(ON)) - set(words_for(OFF)) == {str(MONITORING_PART)}


@pytest.mark.parametrize(("details", "word"), [(True, "true"), (False, "false")])
def test_web_and_sidekiq_tell_the_exporter_and_streaming_is_left_as_it_is(details: bool, word: str) -> None:
    settings = settings_with(monitoring_enabled=True, monitoring_details=details)
    sizing = sizing_for(4096, settings)
    assert {name: value for name, value in mastodon_variables(settings, sizing).items() if "PROMETHEUS" in name} == {
        "MASTODON_PROMETHEUS_EXPORTER_ENABLED": "true",
        "MASTODON_PROMETHEUS_EXPORTER_WEB_DETAILED_METRICS": word,
        "MASTODON_PROMETHEUS_EXPORTER_SIDEKIQ_DETAILED_METRICS": word,
        "PROMETHEUS_EXPORTER_HOST": "mastodon-exporter",
    }
    assert streaming_variables(settings, sizing) == streaming_variables(OFF, sizing_for(4096, OFF))


@pytest.mark.parametrize("memory_mib", [1024, 4096, 65536])
def test_the_limits_of_the_database_and_redis_stay_so_that_neither_restarts(memory_mib: int) -> None:
    before, after = sizing_for(memory_mib, OFF), sizing_for(memory_mib, ON)
    for name in ("postgres_memory_mib", "postgres_max_connections", "postgres_shared_buffers_mib", "redis_memory_mib"):
        assert getattr(before, name) == getattr(after, name), name
    assert before.streaming_memory_mib == after.streaming_memory_mib


def test_its_memory_counts_where_it_is_decided_what_fits() -> None:
    tight: dict[str, Any] = {"swap_size_mib": 1640 - 1024}
    assert web_fits_twice(1024, settings_with(**tight))
    assert not web_fits_twice(1024, settings_with(monitoring_enabled=True, **tight))
    assert film_shortfall_mib(1024, settings_with(monitoring_enabled=True, **tight)) == (
        film_shortfall_mib(1024, settings_with(**tight)) + 128
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MASTODON_PROMETHEUS_EXPORTER_ENABLED", "false"),
        ("MASTODON_PROMETHEUS_EXPORTER_LOCAL", "true"),
        ("MASTODON_PROMETHEUS_EXPORTER_PORT", "9394"),
        ("MASTODON_PROMETHEUS_EXPORTER_WEB_DETAILED_METRICS", "true"),
        ("PROMETHEUS_EXPORTER_HOST", "elsewhere"),
    ],
)
def test_what_would_wire_it_otherwise_is_refused_and_allowed_where_it_is_off(name: str, value: str) -> None:
    _, problems = examine(REQUIRED | {"monitoring_enabled": True, "mastodon_environment": {name: value}})
    (problem,) = problems
    assert problem.subject == f'mastodon_environment["{name}"]' and "monitoring_" in problem.instead + problem.wrong
    assert examine(REQUIRED | {"mastodon_environment": {name: value}})[1] == []


GOOD = "role\nmember pg_monitor\n"


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (GOOD, ""),
        ("", "has no role"),
        ('refused password authentication failed for user "mstdn_monitoring"\n', "does not let the exporter in: pass"),
        ("role\n", "no member of pg_monitor"),
        (f"{GOOD}member pg_read_all_data\n", "may do more than it should: pg_read_all_data"),
        (f"{GOOD}right superuser\nright tables\n", "may do more than it should: superuser, tables"),
    ],
)
def test_a_role_that_may_do_less_or_more_than_look_is_set_right(printed: str, words: str) -> None:
    reason = lacking(read(MonitoringRole, printed))
    assert words in reason and bool(words) == bool(reason)


def test_a_role_is_read_as_it_is_printed() -> None:
    assert read(MonitoringRole, f"{GOOD}right createdb\n") == Role(True, "", ("pg_monitor",), ("createdb",))


PROMETHEUS = container_line("ours/prometheus", networks={"mstdn-monitoring": "m1"})
EXPORTERS = container_line("mstdn-monitoring/node-exporter", networks={"mstdn-monitoring": "m1"})


@pytest.mark.parametrize(
    ("containers", "networks", "left"),
    [
        pytest.param(EXPORTERS, ("mstdn-monitoring",), "mstdn-monitoring", id="only exporters"),
        pytest.param("", ("mstdn-monitoring",), "mstdn-monitoring", id="nobody"),
        pytest.param(EXPORTERS + PROMETHEUS, ("mstdn-monitoring",), "", id="somebody's Prometheus"),
        pytest.param("", ("front",), "", id="no network"),
    ],
)
def test_a_network_on_which_others_are_stays(containers: str, networks: tuple[str, ...], left: str) -> None:
    found = read(Containers, containers)
    assert left_network(networks, found) == left
    assert left_containers(found) == (["id-of-node-exporter"] if EXPORTERS in containers else [])


def test_uninstalling_takes_the_exporters_and_nobody_elses_prometheus() -> None:
    directories = {"mstdn-monitoring": "/data/mastodon/monitoring", "ours": "/srv/ours"}
    lines = [json.loads(line.partition(" ")[2]) for line in (EXPORTERS, PROMETHEUS)]
    text = "".join(f"container {json.dumps({**each, 'directory': directories[each['project']]})}\n" for each in lines)
    exporter, other = read(Containers, text)
    assert is_ours(exporter, {"/data/mastodon", "/srv/proxy"}) and not is_ours(other, {"/data/mastodon"})
    assert not is_ours(exporter, {"/srv/mastodon"})
