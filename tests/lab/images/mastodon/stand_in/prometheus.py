"""
The gem prometheus_exporter as Mastodon uses it: `prometheus_exporter` is its server, and web and Sidekiq tell it what
they count when MASTODON_PROMETHEUS_EXPORTER_ENABLED is "true".

Source: config/initializers/prometheus_exporter.rb, config/initializers/sidekiq.rb and config/puma.rb of Mastodon;
lib/prometheus_exporter of the gem, 2.3.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import math
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PORT = 9394
_MOST_MESSAGES = 10_000
_PAUSE_SECONDS = 0.5
EVERY_SECONDS = 30
# As long as what a process tells of itself counts; Puma's half as long.
_AGE_SECONDS = {"process": 60, "active_record": 60, "sidekiq_process": 60, "sidekiq_queue": 60, "sidekiq_stats": 60}
_PUMA_AGE_SECONDS = 30
_QUANTILES = (0.99, 0.9, 0.5, 0.1, 0.01)

# The gauges of what processes tell of themselves, and their prefixes.
_GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "process": ("", ("heap_free_slots", "heap_live_slots", "rss")),
    "active_record": ("active_record_connection_pool_", ("connections", "busy", "dead", "idle", "waiting", "size")),
    "puma": (
        "puma_",
        (
            "workers",
            "booted_workers",
            "old_workers",
            "running_threads",
            "request_backlog",
            "thread_pool_capacity",
            "max_threads",
        ),
    ),
    "sidekiq_process": ("sidekiq_process_", ("busy", "concurrency")),
    "sidekiq_queue": ("sidekiq_queue_", ("backlog", "latency_seconds")),
    "sidekiq_stats": (
        "sidekiq_stats_",
        (
            "dead_size",
            "enqueued",
            "failed",
            "processed",
            "processes_size",
            "retry_size",
            "scheduled_size",
            "workers_size",
        ),
    ),
}
_COUNTERS = ("major_gc_ops_total", "minor_gc_ops_total", "allocated_objects_total")
# Those that know a process by its number: what it told before is forgotten.
_BY_PROCESS = ("process", "active_record", "puma")

Labels = tuple[tuple[str, str], ...]


# --- The server ------------------------------------------------------------------------------------


class Collector:
    """What was told, as Prometheus reads it."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._lock = threading.Lock()
        self._counters: dict[str, dict[Labels, float]] = {}
        self._summaries: dict[str, dict[Labels, list[float]]] = {}
        self._told: dict[str, list[tuple[float, dict[str, Any]]]] = {}
        self.totals = {"collector_metrics_total": 0, "collector_sessions_total": 0, "collector_bad_metrics_total": 0}

    def take(self, text: bytes) -> None:
        """One message. Raises ValueError, KeyError or TypeError for one that cannot be read."""
        message = json.loads(text)
        kind = message["type"]
        with self._lock:
            if kind == "web":
                self._take_request(message)
            elif kind == "sidekiq":
                self._take_job(message)
            elif kind in _GAUGES:
                self._take_state(kind, message)
            else:
                raise ValueError(f"nobody here tells {kind}")

    def _take_request(self, message: dict[str, Any]) -> None:
        labels = message["default_labels"]
        for name in ("redis", "sql", "memcache"):
            self._summaries.setdefault(f"http_request_{name}_duration_seconds", {})
        self._count("http_requests_total", {**labels, "status": message.get("status", "")})
        durations = self._summaries.setdefault("http_request_duration_seconds", {})
        waits = self._summaries.setdefault("http_request_queue_duration_seconds", {})
        if timings := message.get("timings"):
            durations.setdefault(_labels(labels), []).append(float(timings["total_duration"]))
        if message.get("queue_time") is not None:
            waits.setdefault(_labels(labels), []).append(float(message["queue_time"]))

    def _take_job(self, message: dict[str, Any]) -> None:
        labels = {"job_name": message["name"], "queue": message["queue"]}
        for name in ("sidekiq_restarted_jobs_total", "sidekiq_failed_jobs_total", "sidekiq_dead_jobs_total"):
            self._counters.setdefault(name, {})
        durations = self._summaries.setdefault("sidekiq_job_duration_seconds", {})
        durations.setdefault(_labels(labels), []).append(float(message["duration"]))
        self._count("sidekiq_jobs_total", labels)
        if message["shutdown"]:
            self._count("sidekiq_restarted_jobs_total", labels)
        elif not message["success"]:
            self._count("sidekiq_failed_jobs_total", labels)

    def _take_state(self, kind: str, message: dict[str, Any]) -> None:
        now = time.monotonic()
        age = _PUMA_AGE_SECONDS if kind == "puma" else _AGE_SECONDS[kind]
        found = [message]
        if kind == "sidekiq_queue":
            found = message["queues"]
        elif kind in ("sidekiq_process", "sidekiq_stats"):
            found = [message[kind.removeprefix("sidekiq_")]]
        kept = [
            (end, each)
            for end, each in self._told.get(kind, [])
            if end > now and not (kind in _BY_PROCESS and _who(each) == _who(message))
        ]
        self._told[kind] = [*kept, *((now + age, each) for each in found)]

    def _count(self, name: str, labels: Mapping[str, Any]) -> None:
        counted = self._counters.setdefault(name, {})
        counted[_labels(labels)] = counted.get(_labels(labels), 0) + 1

    def text(self) -> str:
        """Everything, in Prometheus' text format."""
        with self._lock:
            return "\n".join(self._metrics())

    def _metrics(self) -> Iterator[str]:
        pages = os.sysconf("SC_PAGE_SIZE")
        yield from self._metric("collector_working", "gauge", {(): 1})
        yield from self._metric("collector_rss", "gauge", {(): _resident_pages() * pages})
        for name, value in self.totals.items():
            yield from self._metric(name, "counter", {(): value})
        for name, values in self._counters.items():
            yield from self._metric(name, "counter", values)
        for name, measured in self._summaries.items():
            yield from self._summary(name, measured)
        for kind, told in self._told.items():
            prefix, names = _GAUGES[kind]
            fresh = [each for end, each in told if end > time.monotonic()]
            for name in names:
                values = {_labels_of(kind, each): each[name] for each in fresh if each.get(name) is not None}
                if values:
                    yield from self._metric(prefix + name, "gauge", values)
            for name in _COUNTERS if kind == "process" else ():
                yield from self._metric(name, "counter", {_labels_of(kind, each): each[name] for each in fresh})

    def _metric(self, name: str, kind: str, values: Mapping[Labels, float]) -> Iterator[str]:
        yield f"# HELP {self._prefix}{name} {name}\n# TYPE {self._prefix}{name} {kind}"
        yield from (f"{self._prefix}{name}{_written(labels)} {value}" for labels, value in values.items())

    def _summary(self, name: str, measured: Mapping[Labels, list[float]]) -> Iterator[str]:
        yield f"# HELP {self._prefix}{name} {name}\n# TYPE {self._prefix}{name} summary"
        for labels, values in measured.items():
            ordered = sorted(values[-1000:])
            for quantile in _QUANTILES:
                value = ordered[math.ceil(len(ordered) * quantile) - 1]
                yield f"{self._prefix}{name}{_written((*labels, ('quantile', str(quantile))))} {value}"
            yield f"{self._prefix}{name}_sum{_written(labels)} {sum(values)}"
            yield f"{self._prefix}{name}_count{_written(labels)} {len(values)}"


def _who(message: Mapping[str, Any]) -> tuple[Any, Any]:
    return message.get("pid"), message.get("hostname")


def _labels_of(kind: str, message: Mapping[str, Any]) -> Labels:
    if kind in ("process", "active_record"):
        return _labels({**message["metric_labels"], "pid": message["pid"], "hostname": message["hostname"]})
    if kind == "puma":
        return _labels({"phase": message["phase"]})
    return _labels(message.get("labels", {}))


def _labels(labels: Mapping[str, Any]) -> Labels:
    return tuple((name, str(value)) for name, value in labels.items())


def _written(labels: Labels) -> str:
    def escaped(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _resident_pages() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])


class _Handler(BaseHTTPRequestHandler):
    collector: Collector

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(200, self.collector.text())
        elif self.path == "/ping":
            self._answer(200, "PONG")
        else:
            self._answer(
                404, "Not Found! The Prometheus Ruby Exporter only listens on /ping, /metrics and /send-metrics"
            )

    def do_POST(self) -> None:
        if self.path != "/send-metrics":
            self.do_GET()
            return
        totals = self.collector.totals
        totals["collector_sessions_total"] += 1
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            message = self.rfile.read(size)
            self.rfile.readline()
            totals["collector_metrics_total"] += 1
            try:
                self.collector.take(message)
            except (KeyError, TypeError, ValueError):
                totals["collector_bad_metrics_total"] += 1
        self.rfile.readline()
        self._answer(200, "OK")

    def _answer(self, status: int, text: str) -> None:
        body = f"{text}\n".encode() if text.startswith("#") else text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: Any) -> None:
        """Nothing: the real one has no access log either."""


def server(address: str, port: int, prefix: str) -> ThreadingHTTPServer:
    """The server, which has not begun to serve. Raises OSError where the port is taken."""
    handler = type("Handler", (_Handler,), {"collector": Collector(prefix)})
    return ThreadingHTTPServer((address, port), handler)


def main(arguments: list[str]) -> int:
    """Serve until a signal ends it. An option that the real one does not have ends it at once."""
    parser = argparse.ArgumentParser(prog="prometheus_exporter", allow_abbrev=False)
    parser.add_argument("-p", "--port", type=int, default=_PORT)
    parser.add_argument("-b", "--bind", default="localhost")
    parser.add_argument("-t", "--timeout", type=int, default=2)
    parser.add_argument("--prefix", default="ruby_")
    options = parser.parse_args(arguments)
    found = server(options.bind, options.port, options.prefix)
    print(f"INFO -- : Starting prometheus exporter on {options.bind}:{options.port}", file=sys.stderr, flush=True)
    found.serve_forever()
    return 0


# --- Those who tell ---------------------------------------------------------------------------------


class Client:
    """Sends messages from a thread of its own, so that nobody waits; what cannot be sent is kept for a while."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._host = environment.get("PROMETHEUS_EXPORTER_HOST", "localhost")
        self._port = int(environment.get("PROMETHEUS_EXPORTER_PORT", _PORT))
        self._messages: deque[bytes] = deque(maxlen=_MOST_MESSAGES)
        # In a process of its own each time, as Mastodon's own client: nobody can ask for it.
        self._nowhere = environment.get("MASTODON_PROMETHEUS_EXPORTER_LOCAL") == "true"
        self.host_name = socket.gethostname()
        threading.Thread(target=self._work, daemon=True).start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Tell one thing, sooner or later."""
        if not self._nowhere:
            self._messages.append(json.dumps(message).encode())

    def every(self, collect: Callable[[], list[dict[str, Any]]]) -> None:
        """Tell what this finds, now and every half minute."""

        def work() -> None:
            while True:
                try:
                    for message in collect():
                        self.send(message)
                except Exception as error:
                    print(
                        f"ERROR -- : Prometheus Exporter Failed To Collect Stats {error}", file=sys.stderr, flush=True
                    )
                time.sleep(EVERY_SECONDS)

        threading.Thread(target=work, daemon=True).start()

    def stop(self, seconds: float) -> None:
        """Wait until all is sent, but no longer than this."""
        end = time.monotonic() + seconds
        while self._messages and time.monotonic() < end:
            time.sleep(0.05)

    def process(self, kind: str) -> dict[str, Any]:
        """What this process takes. kind: "puma" or "sidekiq"."""
        old, young = gc.get_stats()[2]["collections"], gc.get_stats()[0]["collections"]
        return {
            "type": "process",
            "metric_labels": {"type": kind},
            "hostname": self.host_name,
            "pid": os.getpid(),
            "rss": _resident_pages() * os.sysconf("SC_PAGE_SIZE"),
            "heap_live_slots": gc.get_count()[0],
            "heap_free_slots": 0,
            "major_gc_ops_total": old,
            "minor_gc_ops_total": young,
            "allocated_objects_total": gc.get_count()[0],
        }

    def pool(self, kind: str, size: int) -> dict[str, Any]:
        """The connections to the database. size: how many there may be."""
        labels = {
            "type": kind,
            "pool_name": "primary",
            "dbconfig_database": os.environ.get("DB_NAME", ""),
            "dbconfig_host": os.environ.get("DB_HOST", ""),
        }
        counts = {"connections": size, "busy": 0, "dead": 0, "idle": size, "waiting": 0, "size": size}
        who = {"hostname": self.host_name, "pid": os.getpid()}
        return {"type": "active_record", "metric_labels": labels, **who, **counts}

    def _work(self) -> None:
        while True:
            try:
                self._send_all()
            except (OSError, http.client.HTTPException) as error:
                print(f"ERROR -- : Prometheus Exporter, failed to send message {error}", file=sys.stderr, flush=True)
            time.sleep(_PAUSE_SECONDS)

    def _send_all(self) -> None:
        if not self._messages:
            return
        connection = http.client.HTTPConnection(self._host, self._port, timeout=10)
        connection.connect()
        sent = list(self._messages)
        headers = {"Content-Type": "application/octet-stream", "Connection": "Close"}
        try:
            connection.request("POST", "/send-metrics", iter(sent), headers, encode_chunked=True)
            connection.getresponse().read()
        finally:
            connection.close()
        for _ in sent:
            self._messages.popleft()


def client(environment: Mapping[str, str]) -> Client | None:
    """Who tells, in a process with this environment; None where nobody does."""
    return Client(environment) if environment.get("MASTODON_PROMETHEUS_EXPORTER_ENABLED") == "true" else None


def request(
    environment: Mapping[str, str], waiting_since: str, begun: float, seconds: float, status: int
) -> dict[str, Any]:
    """
    What web tells of one request. Without _WEB_DETAILED_METRICS it is how long it has waited for web, and no more.

    waiting_since: the header X-Request-Start, "t=1700000000.123". begun: seconds since the epoch.
    """
    message: dict[str, Any] = {"type": "web", "default_labels": {"action": "other", "controller": "other"}}
    digits = waiting_since.replace("t=", "").replace(".", "")
    waited = begun - float(f"{digits[:10]}.{digits[10:23]}") if digits else None
    message["queue_time"] = waited if waited is not None and waited >= 0 else None
    if environment.get("MASTODON_PROMETHEUS_EXPORTER_WEB_DETAILED_METRICS") == "true":
        message |= {"status": status, "timings": {"total_duration": seconds}}
    return message
