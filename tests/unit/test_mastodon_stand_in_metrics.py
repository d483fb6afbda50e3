"""What the lab's Mastodon stand-in tells Prometheus, and what it takes to be told."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.commands import wait_until
from tests.lab.images.mastodon.stand_in import prometheus

WANTED = {"MASTODON_PROMETHEUS_EXPORTER_ENABLED": "true"}


class Exporter:
    """The server of the gem, on a port of its own."""

    def __init__(self) -> None:
        self.server = prometheus.server("127.0.0.1", 0, "mastodon_")
        threading.Thread(target=lambda: self.server.serve_forever(0.01), daemon=True).start()

    def asked(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.server.server_port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def environment(self, **variables: str) -> dict[str, str]:
        address = {"PROMETHEUS_EXPORTER_HOST": "127.0.0.1", "PROMETHEUS_EXPORTER_PORT": str(self.server.server_port)}
        return {**WANTED, **address, **variables}

    def told(self, *messages: dict[str, Any], **variables: str) -> str:
        """What it says after it was told this."""
        client = prometheus.client(self.environment(**variables))
        assert client is not None
        for each in messages:
            client.send(each)
        count = f"mastodon_collector_metrics_total {len(messages)}\n"
        wait_until("all is told", lambda: count in self.asked("/metrics"), timeout=10)
        return self.asked("/metrics")


@pytest.fixture(name="exporter")
def _exporter() -> Iterator[Exporter]:
    found = Exporter()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.mark.parametrize("value", ["", "True", "1", "yes"])
def test_nobody_tells_anything_unless_the_switch_is_exactly_true(value: str) -> None:
    assert prometheus.client({"MASTODON_PROMETHEUS_EXPORTER_ENABLED": value}) is None


def test_a_request_has_its_wait_and_only_with_details_its_status_and_time() -> None:
    message = prometheus.request({}, "t=1700000000.250", 1700000000.5, 0.1, 200)
    assert message["queue_time"] == 0.25 and "status" not in message and "timings" not in message
    details = {"MASTODON_PROMETHEUS_EXPORTER_WEB_DETAILED_METRICS": "true"}
    message = prometheus.request(details, "", 1700000000.5, 0.1, 404)
    assert (message["queue_time"], message["status"], message["timings"]) == (None, 404, {"total_duration": 0.1})


def test_what_is_told_is_printed_as_prometheus_reads_it(exporter: Exporter) -> None:
    details = {"MASTODON_PROMETHEUS_EXPORTER_WEB_DETAILED_METRICS": "true"}
    request = prometheus.request(details, "t=1700000000.250", 1700000000.5, 0.125, 200)
    job = {"type": "sidekiq", "name": "A", "queue": "push", "success": False, "shutdown": False, "duration": 0.5}
    queue = {"backlog": 3, "latency_seconds": 7, "labels": {"queue": "push"}}
    text = exporter.told(request, request, job, {"type": "sidekiq_queue", "queues": [queue]}, {"type": "nobody's"})
    labels = 'action="other",controller="other"'
    for line in (
        f'mastodon_http_requests_total{{{labels},status="200"}} 2',
        f"mastodon_http_request_duration_seconds_sum{{{labels}}} 0.25",
        f"mastodon_http_request_queue_duration_seconds_count{{{labels}}} 2",
        'mastodon_sidekiq_failed_jobs_total{job_name="A",queue="push"} 1',
        'mastodon_sidekiq_queue_latency_seconds{queue="push"} 7',
        "mastodon_collector_bad_metrics_total 1",
        "# TYPE mastodon_sidekiq_job_duration_seconds summary",
    ):
        assert line in text.splitlines(), text


def test_what_a_process_told_before_is_forgotten_and_what_another_told_is_not(exporter: Exporter) -> None:
    one = {"type": "process", "metric_labels": {"type": "puma"}, "hostname": "a", "pid": 1, "rss": 1}
    counts = dict.fromkeys(("major_gc_ops_total", "minor_gc_ops_total", "allocated_objects_total"), 0)
    text = exporter.told(*({**one, **counts, **each} for each in ({}, {"rss": 2}, {"hostname": "b"})))
    assert [line for line in text.splitlines() if line.startswith("mastodon_rss")] == [
        'mastodon_rss{type="puma",pid="1",hostname="a"} 2',
        'mastodon_rss{type="puma",pid="1",hostname="b"} 1',
    ]


def test_it_answers_on_three_paths_and_on_no_other(exporter: Exporter) -> None:
    assert exporter.asked("/ping") == "PONG"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        exporter.asked("/")


def test_an_option_that_the_real_one_does_not_have_ends_it() -> None:
    with pytest.raises(SystemExit):
        prometheus.main(["--listen", "127.0.0.1"])


def test_with_a_server_inside_of_the_process_nobody_can_ask(exporter: Exporter) -> None:
    client = prometheus.client(exporter.environment(MASTODON_PROMETHEUS_EXPORTER_LOCAL="true"))
    assert client is not None
    client.send({"type": "web", "default_labels": {}})
    client.stop(0)
    assert "mastodon_collector_metrics_total 0\n" in exporter.asked("/metrics")
