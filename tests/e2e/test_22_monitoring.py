"""Exporters for a Prometheus: on, they answer and nobody else is concerned; off, nothing of them is left."""

from __future__ import annotations

import re
import shlex
from typing import Any

from mstdn.layout import MONITORING_SERVICES
from tests.e2e.instance import SECRETS_FILE, Instance, throw_away_container, with_settings
from tests.e2e.test_16_verbs import status
from tests.lab.addresses import INTERNET
from tests.lab.commands import wait_until
from tests.unit.monitoring.test_examples import metrics_of_the_dashboard, targets

PROJECT = "mstdn-monitoring"
# Sidekiq tells of its queues half a minute after its start.
ALL_IS_TOLD_SECONDS = 60
ON: dict[str, Any] = {"monitoring_enabled": True}
TASK = "tasks/monitoring.py | "
TURNED_ON = [
    "tasks/configuration.py | Write the configuration of Mastodon",
    "tasks/images.py | Pull the images of both projects",
    "tasks/secrets.py | Make the instance's secrets and give each container its part",
    "tasks/app.py | Start Mastodon",
    f"{TASK}Create the network mstdn-monitoring",
    f"{TASK}Write the configuration of monitoring",
    f"{TASK}Show PostgreSQL's statistics to monitoring",
    f"{TASK}Start monitoring",
    "tasks/timers.py | Install the programs that run by themselves",
]
ROLE = f"{TASK}Show PostgreSQL's statistics to monitoring"


def untouched(started: dict[str, str]) -> dict[str, str]:
    """All but those that are told whether to count."""
    return {name: time for name, time in started.items() if name not in ("mstdn/web", "mstdn/sidekiq")}


def sql(instance: Instance, text: str) -> str:
    command = f"docker exec -i {instance.container('mstdn', 'db')} psql -U postgres -At mastodon_production"
    return instance.run(command, stdin=text).strip()


def printed(instance: Instance, container: str) -> dict[str, str]:
    """What each job of the example's Prometheus gets, from a container that has joined the network."""
    ask = "curl --silent --show-error --fail --max-time 20"
    return {
        job: instance.run(f"docker exec {container} {ask} http://{target}/metrics") for job, target in targets().items()
    }


def names(text: str) -> set[str]:
    """The metrics in Prometheus' text format that have a value."""
    return set(re.findall(r"^([a-z_]\w*)(?:\{.*\})? \S+", text, re.MULTILINE))


def test_turned_on_it_concerns_web_and_sidekiq_and_nobody_else(instance: Instance) -> None:
    before = instance.started()
    assert instance.plan(**ON).planned == TURNED_ON
    assert instance.converge(**ON).changed == TURNED_ON
    after = instance.started()
    assert untouched(before) == untouched(after)
    assert before["mstdn/web"] != after["mstdn/web"] and before["mstdn/sidekiq"] != after["mstdn/sidekiq"]


def test_a_second_run_changes_nothing_and_status_names_the_exporters(instance: Instance) -> None:
    assert instance.converge(**ON).changed == []
    _, told = status(instance, *with_settings(ON))
    assert re.search(rf"{PROJECT} +in order: mastodon-exporter, node-exporter, postgres-exporter", told), told


def test_each_exporter_answers_and_prints_every_metric_of_the_dashboard(instance: Instance) -> None:
    # A job, and with it what jobs are counted by.
    assert instance.visit("/inbox", "--json", '{"type": "Create"}').status == 202
    wanted = metrics_of_the_dashboard()
    with throw_away_container(instance, f"--network {PROJECT}") as container:

        def missing() -> set[str]:
            return wanted - set().union(*map(names, printed(instance, container).values()))

        wait_until(
            "every metric is printed",
            lambda: missing() <= {"mastodon_sidekiq_failed_jobs_total"},
            timeout=ALL_IS_TOLD_SECONDS,
        )
        found = printed(instance, container)
    # No job has failed: the metric is announced, and has no value yet.
    assert "# TYPE mastodon_sidekiq_failed_jobs_total counter" in found["mastodon"]
    assert "pg_up 1" in found["postgresql"]
    assert 'pg_database_size_bytes{datname="mastodon_production"' in found["postgresql"]
    assert 'mountpoint="/disks/instance"' in found["server"] and 'mountpoint="/disks/media"' in found["server"]
    assert re.search(r'mastodon_http_requests_total\{.*status="202"\}', found["mastodon"])
    assert re.search(r'mastodon_rss\{type="sidekiq"', found["mastodon"])


def test_nothing_is_published_nothing_leads_out_and_no_exporter_may_do_anything(instance: Instance) -> None:
    for service in MONITORING_SERVICES:
        found = instance.inspect(PROJECT, service)
        assert not any(found["NetworkSettings"]["Ports"].values()) and found["State"]["Health"]["Status"] == "healthy"
        assert found["HostConfig"]["CapDrop"] == ["ALL"] and found["HostConfig"]["ReadonlyRootfs"]
        assert not [mount for mount in found["Mounts"] if mount["RW"] and mount["Type"] != "tmpfs"], service
    assert instance.succeeds(f"curl --silent --max-time 5 --output /dev/null http://{INTERNET.ipv4}/")
    way_out = f"wget -q -T 3 -O /dev/null http://{INTERNET.ipv4}/ || echo closed"
    assert instance.inside(PROJECT, "node-exporter", way_out, check=False).strip().endswith("closed")
    assert instance.run(f"docker network inspect --format '{{{{.Internal}}}}' {PROJECT}").strip() == "true"
    # As docs/monitoring.md says, from the server itself.
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    address = instance.run(f"docker inspect --format '{form}' {PROJECT}-node-exporter-1").strip()
    assert "node_load1" in instance.run(f"curl --silent --fail --max-time 10 http://{address}:9100/metrics")


def test_the_role_sees_statistics_and_no_row_and_is_set_right_again(instance: Instance) -> None:
    password = instance.secrets()["MONITORING_PASSWORD"]

    def as_the_exporter(text: str) -> str:
        inner = (
            "read -r PGPASSWORD; export PGPASSWORD; exec psql -h 127.0.0.1 -U mstdn_monitoring -At mastodon_production"
        )
        command = f"docker exec -i {instance.container('mstdn', 'db')} sh -c {shlex.quote(inner)} 2>&1"
        return instance.run(command, stdin=f"{password}\n{text}", check=False)

    assert "permission denied" in as_the_exporter("SELECT count(*) FROM accounts")
    assert int(as_the_exporter("SELECT count(*) FROM pg_stat_activity")) > 0
    sql(instance, "ALTER ROLE mstdn_monitoring SUPERUSER PASSWORD 'another'")
    assert instance.converge(**ON).changed == [ROLE]
    assert "permission denied" in as_the_exporter("SELECT count(*) FROM accounts")
    assert password not in instance.run(f"docker inspect {instance.container(PROJECT, 'postgres-exporter')}")


def test_turned_off_nothing_is_left_and_the_next_run_changes_nothing(instance: Instance) -> None:
    before = instance.started()
    run = instance.converge()
    assert f"{TASK}Remove monitoring where it is off" in run.changed
    assert untouched(before) == untouched(instance.started())
    left = (
        f"docker ps --all --quiet --filter label=com.docker.compose.project={PROJECT}; "
        f"docker network ls --quiet --filter name={PROJECT}; ls -d /srv/mastodon/monitoring 2>/dev/null; "
        "ls /srv/mastodon/secrets/monitoring-password 2>/dev/null; "
        f"grep MONITORING {SECRETS_FILE} | sed 's/=.*//'; grep -h exporter /srv/mastodon/mastodon.env; "
        f"docker images --format '{{{{.Repository}}}}' | grep exporter; true"
    )
    assert instance.run(left).strip() == ""
    assert sql(instance, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'mstdn%'") == ""
    assert instance.run(f"tail -n 1 {SECRETS_FILE}").strip() == "# complete"
    assert instance.converge().changed == []
