"""
How many processes, threads, connections and how much memory each part gets on a server of a given size. Pure.

Facts behind the figures, about Mastodon 4.7:
- idle, resident: web 458 MiB (most likely with two worker processes; 330 were measured with one), Sidekiq 307,
  streaming 123, PostgreSQL 30, Redis 4 (measured by others). A web process grows to about 1.1 GiB over days
  (mastodon/mastodon#16495).
- docs.joinmastodon.org/admin/scaling: small servers run one web process with 3 to 5 threads and 5 to 10
  Sidekiq threads. Ruby's lock lets one Sidekiq process gain nothing beyond about 25, and there is one process.
- A film as phones take them (12 seconds, 3840x2160, 60 pictures a second, HEVC) takes FFmpeg 1,193 MiB, one of
  1920x1080 takes 376, beside Sidekiq's own 308 (measured with a real 4.7). Where the kernel ends FFmpeg the upload
  stays "processing"; where it ends Sidekiq, the jobs it worked on are lost.
- PostgreSQL connections in use: web processes x threads, plus Sidekiq threads, plus the streaming server's
  pool. tootctl, migrations, backups and a console come on top, and an upgrade runs old and new side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mstdn.settings.model import Settings

# Memory for the system, Docker and the proxy.
SYSTEM_MIB = 256
# What everything but Sidekiq needs beside a film that is being worked on.
OTHERS_MIB = 640
FILM_MIB = 1200
# All of it with two web of one process each (measured with a real 4.7 on a server of 1 GB), and one process more.
TWO_WEB_MIB = 1640
WEB_PROCESS_MIB = 330
# The three exporters: two Go programs of about 20 MiB each, and Ruby with the gem prometheus_exporter (an estimate).
MONITORING_MIB = 128
# Connections for tootctl, migrations, backups, a console, and the three PostgreSQL keeps for its superuser.
SPARE_CONNECTIONS = 25
POSTGRES_DEFAULT_CONNECTIONS = 100


@dataclass(frozen=True)
class Sizing:
    """
    Counts are what upstream's variables take (web_processes 0 is one process without a supervisor).

    Each *_memory_mib is a limit above which the kernel ends the container, not a reservation: together they may
    exceed the memory.
    """

    web_processes: int
    web_threads: int
    sidekiq_threads: int
    streaming_database_pool: int
    postgres_shared_buffers_mib: int
    postgres_max_connections: int
    web_memory_mib: int
    sidekiq_memory_mib: int
    streaming_memory_mib: int
    postgres_memory_mib: int
    redis_memory_mib: int


def sizing_for(memory_mib: int, settings: Settings) -> Sizing:
    """
    What suits a server with this memory (MemTotal in MiB) and the swap that is planned for it.

    What the operator set wins. The rest follows the memory in whole GiB, so that a new kernel, which counts a
    few MiB more or less, changes nothing.
    """
    gib = _gib(memory_mib)
    small = gib == 1
    web_processes = _chosen(settings.web_processes, min(gib // 2, 16) if gib >= 4 else 0)
    web_threads = _chosen(settings.web_threads, 3 if small else 5)
    sidekiq_threads = _sidekiq_threads(memory_mib, settings)
    streaming_database_pool = _chosen(settings.streaming_database_pool, 5 if small else 10)
    shared_buffers_mib = _chosen(
        settings.postgres_shared_buffers_mib,
        min(64 if small else 128 * gib, (settings.postgres_memory_mib or 4096 * gib) // 4),
    )
    connections = max(1, web_processes) * web_threads + sidekiq_threads + streaming_database_pool

    sidekiq_floor_mib = 348 + 20 * sidekiq_threads
    if film_shortfall_mib(memory_mib, settings) == 0:
        # As much again may be swapped, so that even 1 GB is enough, slowly.
        sidekiq_floor_mib = max(sidekiq_floor_mib, min(sidekiq_floor_mib + FILM_MIB, 1024 * gib * 4 // 5) // 16 * 16)

    # Swap beyond the size of the memory would only be thrashed.
    budget_mib = 1024 * gib + min(settings.swap_size_mib, 1024 * gib) - SYSTEM_MIB

    def limit(override: int | None, share: float, floor_mib: int) -> int:
        return _chosen(override, max(int(budget_mib * share) // 16 * 16, floor_mib))

    return Sizing(
        web_processes=web_processes,
        web_threads=web_threads,
        sidekiq_threads=sidekiq_threads,
        streaming_database_pool=streaming_database_pool,
        postgres_shared_buffers_mib=shared_buffers_mib,
        postgres_max_connections=max(POSTGRES_DEFAULT_CONNECTIONS, 2 * connections + SPARE_CONNECTIONS),
        web_memory_mib=limit(settings.web_memory_mib, 0.40, 192 + 448 * max(1, web_processes)),
        sidekiq_memory_mib=limit(settings.sidekiq_memory_mib, 0.25, sidekiq_floor_mib),
        streaming_memory_mib=limit(settings.streaming_memory_mib, 0.07, 192),
        postgres_memory_mib=limit(settings.postgres_memory_mib, 0.20, 192 + shared_buffers_mib),
        redis_memory_mib=limit(settings.redis_memory_mib, 0.08, 128),
    )


def film_shortfall_mib(memory_mib: int, settings: Settings) -> int:
    """How much more memory or swap (MiB) a film as phones take them would need; 0 where there is enough."""
    needed = (
        SYSTEM_MIB
        + OTHERS_MIB
        + _monitoring_mib(settings)
        + 348
        + 20 * _sidekiq_threads(memory_mib, settings)
        + FILM_MIB
    )
    return max(0, needed - 1024 * _gib(memory_mib) - settings.swap_size_mib)


def web_fits_twice(memory_mib: int, settings: Settings) -> bool:
    """Whether the server holds two web while a new one takes over, or the operator says that it does."""
    if settings.web_side_by_side is not None:
        return settings.web_side_by_side
    further = max(1, sizing_for(memory_mib, settings).web_processes) - 1
    needed = TWO_WEB_MIB + 2 * WEB_PROCESS_MIB * further + _monitoring_mib(settings)
    return 1024 * _gib(memory_mib) + settings.swap_size_mib >= needed


def start_timeout_seconds(memory_mib: int, settings: Settings) -> int:
    """
    How long a container may take to become healthy.

    On one slow core with swap, web and Sidekiq boot beside each other, which may take five minutes.
    """
    return _chosen(settings.app_start_timeout_seconds, 600 if _gib(memory_mib) == 1 else 300)


def _monitoring_mib(settings: Settings) -> int:
    return MONITORING_MIB if settings.monitoring_enabled else 0


def _gib(memory_mib: int) -> int:
    return max(1, round(memory_mib / 1024))


def _sidekiq_threads(memory_mib: int, settings: Settings) -> int:
    return _chosen(settings.sidekiq_threads, min(5 * _gib(memory_mib), 25))


def _chosen(override: int | None, default: int) -> int:
    return default if override is None else override
