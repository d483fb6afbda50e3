"""
`sidekiq`: works the queues in Redis, in Sidekiq's own layout, and tells that it is alive as the real one does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import redis  # type: ignore[import-not-found]
import setproctitle  # type: ignore[import-not-found]

from . import accounts, jobs, mail, prometheus
from .environment import ROOT, AbortError, check_environment, integer
from .stores import redis_client, require_database

_SIDEKIQ_VERSION = "8.1.6"

_BEAT_SECONDS = 10
_PROCESS_SECONDS = 60
_FETCH_SECONDS = 2
_STOP_SECONDS = 25  # unless -t says otherwise
_RETRIES = 25
# How long it waits at its end until everything is told (config/initializers/sidekiq.rb).
_LAST_SECONDS = 10


def main(arguments: list[str]) -> int:
    """Work until SIGTERM, finish what was begun, give 0. Raises AbortError where the real one does not start."""
    parser = argparse.ArgumentParser(prog="sidekiq")
    parser.add_argument("-c", "--concurrency", type=int, default=integer("SIDEKIQ_CONCURRENCY", 5))
    parser.add_argument("-q", "--queue", action="append", default=[])
    parser.add_argument("-t", "--timeout", type=int, default=_STOP_SECONDS)
    options = parser.parse_args(arguments)
    # Until it takes jobs, `ps` shows the program and no more.
    setproctitle.setproctitle("ruby3.3 /opt/mastodon/vendor/bundle/bin/sidekiq")
    check_environment(os.environ)
    ready_path = _ready_path()
    time.sleep(float(os.environ.get("LAB_BOOT_SECONDS") or 2))
    require_database()
    worker = Worker(_redis(), _queues(options.queue), options.concurrency, options.timeout)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    signal.signal(signal.SIGTSTP, lambda *_: worker.quiet())
    if ready_path:
        ready_path.touch()
    if worker.told:
        # At the event "startup", before the first heartbeat: who works is known half a minute later.
        worker.told.every(worker.counts)
    try:
        worker.run()
    finally:
        if worker.told:
            worker.told.stop(_LAST_SECONDS)
        if ready_path:
            ready_path.unlink(missing_ok=True)
    return 0


def _ready_path() -> Path | None:
    name = os.environ.get("MASTODON_SIDEKIQ_READY_FILENAME")
    if name is None:
        return None
    if name != Path(name).name:
        raise AbortError("RuntimeError: MASTODON_SIDEKIQ_READY_FILENAME is not a valid filename")
    return ROOT / "tmp" / name


def _queues(arguments: list[str]) -> list[str]:
    """Names of queues; `-q name,weight` as in the real one, whose weights only change how often a queue comes first."""
    if arguments:
        return list(dict.fromkeys(argument.split(",")[0] for argument in arguments))
    return re.findall(r"^  - \[(\w+)", (ROOT / "config/sidekiq.yml").read_text(), re.MULTILINE)


def _redis() -> redis.Redis:
    client = redis_client("SIDEKIQ_")
    try:
        release = str(client.info("server")["redis_version"])
    except redis.RedisError as error:
        raise AbortError(f"RedisClient::CannotConnectError: {error}") from error
    if int(release.split(".")[0]) < 7:
        raise AbortError(f"You are connecting to Redis {release}, Sidekiq requires Redis 7.0.0 or greater")
    return client


class Worker:
    """One process with its threads."""

    def __init__(self, client: redis.Redis, queues: list[str], concurrency: int, stop_seconds: int) -> None:
        self._redis = client
        self._queues = queues
        self._concurrency = concurrency
        self._stop_seconds = stop_seconds
        self._busy: dict[int, dict[str, Any]] = {}
        self._stopping = threading.Event()
        self._quiet = threading.Event()
        self._started = time.time()
        self.told = prometheus.client(os.environ)
        self._details = os.environ.get("MASTODON_PROMETHEUS_EXPORTER_SIDEKIQ_DETAILED_METRICS") == "true"
        self._identity = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}"

    def stop(self) -> None:
        """Take no more jobs and end when the running ones have."""
        self.quiet()
        self._stopping.set()

    def quiet(self) -> None:
        """Take no more jobs."""
        self._quiet.set()

    def run(self) -> None:
        """Work until stopped."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._concurrency)]
        threads.append(threading.Thread(target=self._requeue_due_jobs, daemon=True))
        for thread in threads:
            thread.start()
        print(f"pid={os.getpid()} INFO: Booted; queues: {', '.join(self._queues)}", flush=True)
        self._beat()
        while not self._stopping.wait(_BEAT_SECONDS):
            self._beat()
        deadline = time.monotonic() + self._stop_seconds
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._put_back()
        self._forget()
        print(f"pid={os.getpid()} INFO: Bye!", flush=True)

    def counts(self) -> list[dict[str, Any]]:
        """What it tells every half minute, if somebody wants to know."""
        told = self.told
        if told is None:
            return []
        works = bool(self._redis.exists(self._identity))
        labels = {"labels": "", "queues": ",".join(sorted(self._queues)), "quiet": "false", "tag": "mastodon"}
        who = {"hostname": told.host_name, "identity": self._identity}
        process = {"busy": len(self._busy), "concurrency": self._concurrency, "labels": {**labels, **who}}
        found = [
            told.process("sidekiq"),
            {"type": "sidekiq_process", "process": process if works else {}},
            told.pool("sidekiq", self._concurrency),
        ]
        if self._details:
            queues = [self._queue(name) for name in sorted(map(str, self._redis.smembers("queues")))]
            mine = [each for each in queues if works and each["labels"]["queue"] in self._queues]
            found += [
                {"type": "sidekiq_queue", "queues": mine},
                {"type": "sidekiq_stats", "stats": self._stats(queues)},
            ]
        return found

    def _queue(self, name: str) -> dict[str, Any]:
        oldest = self._redis.lindex(f"queue:{name}", -1)
        since = json.loads(oldest)["enqueued_at"] / 1000 if oldest else time.time()
        backlog = self._redis.llen(f"queue:{name}")
        return {"backlog": backlog, "latency_seconds": int(time.time() - since), "labels": {"queue": name}}

    def _stats(self, queues: list[dict[str, Any]]) -> dict[str, int]:
        return {
            "dead_size": self._redis.zcard("dead"),
            "enqueued": sum(each["backlog"] for each in queues),
            "failed": int(self._redis.get("stat:failed") or 0),
            "processed": int(self._redis.get("stat:processed") or 0),
            "processes_size": self._redis.scard("processes"),
            "retry_size": self._redis.zcard("retry"),
            "scheduled_size": self._redis.zcard("schedule"),
            "workers_size": len(self._busy),
        }

    def _title(self) -> None:
        state = " stopping" if self._quiet.is_set() else ""
        setproctitle.setproctitle(
            f"sidekiq {_SIDEKIQ_VERSION} mastodon [{len(self._busy)} of {self._concurrency} busy]{state}"
        )

    def _beat(self) -> None:
        self._title()
        info = {
            "hostname": socket.gethostname(),
            "started_at": self._started,
            "pid": os.getpid(),
            "tag": "mastodon",
            "concurrency": self._concurrency,
            "queues": self._queues,
            "identity": self._identity,
            "version": _SIDEKIQ_VERSION,
        }
        fields: dict[str, str | int | float] = {
            "info": json.dumps(info),
            "busy": len(self._busy),
            "beat": time.time(),
            "quiet": str(self._quiet.is_set()).lower(),
        }
        pipeline = self._redis.pipeline()
        pipeline.sadd("processes", self._identity)
        pipeline.hset(self._identity, mapping=fields)
        pipeline.expire(self._identity, _PROCESS_SECONDS)
        self._tolerating(pipeline.execute)

    def _forget(self) -> None:
        pipeline = self._redis.pipeline()
        pipeline.srem("processes", self._identity)
        pipeline.delete(self._identity)
        self._tolerating(pipeline.execute)

    def _put_back(self) -> None:
        """What is not finished is begun anew by whoever takes it next (Sidekiq's bulk_requeue)."""
        unfinished = list(self._busy.values())
        for job in unfinished:
            self._tolerating(partial(self._redis.rpush, f"queue:{job['queue']}", json.dumps(job)))
        if unfinished:
            print(f"pid={os.getpid()} INFO: Pushed {len(unfinished)} jobs back to Redis", flush=True)

    def _tolerating(self, action: Callable[[], Any]) -> Any:
        """What the action gives; None, after a pause, while Redis does not answer."""
        try:
            return action()
        except redis.RedisError as error:
            print(f"pid={os.getpid()} ERROR: {error}", file=sys.stderr, flush=True)
            self._quiet.wait(1)
            return None

    def _work(self) -> None:
        keys = [f"queue:{name}" for name in self._queues]
        while not self._quiet.is_set():
            taken = self._tolerating(lambda: self._redis.brpop(keys, timeout=_FETCH_SECONDS))
            if taken:
                self._perform(json.loads(taken[1]))

    def _perform(self, job: dict[str, Any]) -> None:
        self._busy[threading.get_ident()] = job
        self._title()
        failed, begun = False, time.monotonic()
        try:
            _JOBS[job["class"]](self._redis, *job["args"])
        except Exception as error:
            failed = True
            print(f"pid={os.getpid()} WARN: {job['class']} {job['jid']} fail: {error!r}", file=sys.stderr, flush=True)
            self._tolerating(partial(self._retry_later, job, error))
        finally:
            self._busy.pop(threading.get_ident(), None)
            self._title()
        if self.told and self._details:
            about = {"type": "sidekiq", "name": job["class"], "queue": job["queue"], "shutdown": False}
            self.told.send({**about, "success": not failed, "duration": time.monotonic() - begun})
        self._tolerating(lambda: self._count(failed))

    def _count(self, failed: bool) -> None:
        today = datetime.now(timezone.utc).date().isoformat()
        pipeline = self._redis.pipeline()
        for name in ["processed", *(["failed"] if failed else [])]:
            pipeline.incr(f"stat:{name}")
            pipeline.incr(f"stat:{name}:{today}")
        pipeline.execute()

    def _retry_later(self, job: dict[str, Any], error: Exception) -> None:
        count = int(job.get("retry_count", -1)) + 1
        job = {**job, "retry_count": count, "error_message": str(error), "error_class": type(error).__name__}
        job["failed_at" if count == 0 else "retried_at"] = jobs.milliseconds()
        if count >= _RETRIES:
            self._redis.zadd("dead", {json.dumps(job): time.time()})
        else:
            self._redis.zadd("retry", {json.dumps(job): time.time() + count**4 + 15})

    def _requeue_due_jobs(self) -> None:
        while not self._quiet.wait(5):
            for name in ("retry", "schedule"):
                self._tolerating(partial(self._requeue, name))

    def _requeue(self, name: str) -> None:
        for text in map(str, self._redis.zrangebyscore(name, "-inf", time.time())):
            # Whoever removes it has it: several processes look.
            if self._redis.zrem(name, text):
                jobs.push(self._redis, json.loads(text))


def _deliver_mail(_: redis.Redis, recipient: str, subject: str, text: str) -> None:
    mail.send(recipient, subject, text)


def _distribute(client: redis.Redis, identifier: int) -> None:
    for channel, message in accounts.publish_status(identifier):
        client.publish(channel, message)


def _process_activity(client: redis.Redis, activity: str) -> None:
    client.rpush(jobs.DELIVERIES, activity)


def _convert_film(client: redis.Redis, film: str, seconds: float) -> None:
    """As long as a film takes. How often it was begun and finished stands in Redis."""
    client.hincrby("lab:films-begun", film, 1)
    time.sleep(seconds)
    client.hincrby("lab:films", film, 1)


_JOBS: dict[str, Callable[..., None]] = {
    jobs.MAIL_JOB: _deliver_mail,
    jobs.DISTRIBUTION_JOB: _distribute,
    jobs.ACTIVITY_JOB: _process_activity,
    jobs.FILM_JOB: _convert_film,
}
