"""What the instance says of itself: PostgreSQL, Redis, migrations and queues. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.status.complaint import DEPLOY, Complaint, Seen, Wanted
from mstdn.status.facts import Parts
from mstdn.status.limits import QUEUES_PEOPLE_WAIT_FOR, SLOW_SECONDS, STUCK_SECONDS


def complaints(seen: Seen, wanted: Wanted) -> Iterator[Complaint]:
    parts = seen.parts
    for silent, name in (("db", "PostgreSQL"), ("redis", "Redis")):
        if silent in parts.silent:
            yield Complaint(
                "error",
                name,
                f"{name} runs and does not answer.",
                f"Mend it: {DEPLOY}; what it says: cd {wanted.root} && docker compose logs --tail 30 {silent}",
            )
    if parts.empty:
        yield Complaint(
            "error",
            "PostgreSQL",
            "PostgreSQL runs and has no table of Mastodon's: accounts and posts are not there.",
            f"What to do: {DEPLOY} says it, and makes none in their place",
        )
    if parts.most_connections and parts.connections > 0.9 * parts.most_connections:
        yield Complaint(
            "warning",
            "PostgreSQL",
            f"{parts.connections} of {parts.most_connections} connections are in use.",
            "Set fewer web_processes, web_threads or sidekiq_threads, and deploy; who has them: SELECT * FROM "
            "pg_stat_activity in a database console (docs/runbook.md)",
        )
    if parts.pending:
        yield Complaint(
            "error",
            "migrations",
            f"{len(parts.pending)} migrations of the release that runs have not run: {_some(parts.pending)}.",
            f"Run them: {DEPLOY}",
        )
    if any(each != "ok" for each in parts.writes):
        yield Complaint(
            "error",
            "Redis",
            "Redis cannot write to its disk, and then takes no more jobs: nothing is posted or delivered.",
            f"Free some disk (docs/runbook.md, The disk fills), then: cd {wanted.root} && docker compose restart redis",
        )
    if seen.machine and parts.retries is not None:
        yield from _queues(parts, seen.machine.now, wanted)


def _queues(parts: Parts, now: float, wanted: Wanted) -> Iterator[Complaint]:
    logs = f"cd {wanted.root} && docker compose logs --tail 30 sidekiq"
    if not parts.processes:
        yield Complaint(
            "error", "queues", "No Sidekiq is at work: posts go nowhere.", f"Mend it: {DEPLOY}; what it says: {logs}"
        )
    for queue in parts.queues:
        waits = now - queue.since if queue.since is not None else 0
        if waits < SLOW_SECONDS:
            continue
        stuck = waits >= STUCK_SECONDS or queue.name in QUEUES_PEOPLE_WAIT_FOR
        yield Complaint(
            "error" if stuck else "warning",
            "queues",
            f"{queue.jobs} jobs wait in the queue {queue.name}, the oldest for {int(waits // 60)} minutes.",
            f"Set more sidekiq_threads if memory allows it, and deploy; what Sidekiq is at: {logs}",
        )


def _some(names: tuple[str, ...], most: int = 3) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
