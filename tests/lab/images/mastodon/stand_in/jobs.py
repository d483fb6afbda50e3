"""
Jobs in Redis, in Sidekiq's own layout: a set of queue names, one list per queue, JSON objects in them.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING

from .stores import redis_client

if TYPE_CHECKING:
    from redis import Redis  # type: ignore[import-not-found]

# Sidekiq's class of Rails' mail jobs, in the queue that Mastodon gives them.
MAIL_JOB = "ActionMailer::MailDeliveryJob"
DISTRIBUTION_JOB = "DistributionWorker"
ACTIVITY_JOB = "ActivityPub::ProcessingWorker"
# Only here: one that takes a while.
FILM_JOB = "Lab::FilmWorker"

# Only here: what other servers delivered and Sidekiq worked off, in its order, as JSON.
DELIVERIES = "lab:deliveries"


def enqueue(queue: str, worker: str, *arguments: object) -> None:
    """Push one job. Raises redis.RedisError when Redis does not take it."""
    job = {
        "retry": True,
        "queue": queue,
        "class": worker,
        "args": arguments,
        "jid": secrets.token_hex(12),
        "created_at": milliseconds(),
    }
    push(redis_client("SIDEKIQ_"), job)


def push(client: Redis, job: dict[str, object]) -> None:
    """Put a job at the end of its queue."""
    pipeline = client.pipeline()
    pipeline.sadd("queues", str(job["queue"]))
    pipeline.lpush(f"queue:{job['queue']}", json.dumps({**job, "enqueued_at": milliseconds()}))
    pipeline.execute()


def milliseconds() -> int:
    """Now, as Sidekiq 8 writes it."""
    return int(time.time() * 1000)


def deliver_later(recipient: str, subject: str, text: str) -> None:
    """Have Sidekiq send a mail."""
    enqueue("mailers", MAIL_JOB, recipient, subject, text)
