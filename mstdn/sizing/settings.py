"""The settings of processes, threads and memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.kinds.part import Part, Relation
from mstdn.problems import Problem

MemoryMib = Annotated[int, Field(ge=64, le=1048576)]


def postgres_fits_its_limit(
    postgres_memory_mib: int | None, postgres_shared_buffers_mib: int | None
) -> Iterator[Problem]:
    if postgres_memory_mib is None or postgres_shared_buffers_mib is None:
        return
    least = postgres_shared_buffers_mib + 128
    if postgres_memory_mib < least:
        yield Problem(
            "postgres_memory_mib",
            f"PostgreSQL could not start: postgres_shared_buffers_mib alone is {postgres_shared_buffers_mib}",
            f"postgres_memory_mib = {least} or more",
            str(postgres_memory_mib),
        )


class SizingSettings(Part):
    """What sizing_for() of rules.py would choose otherwise."""

    title: ClassVar[str] = 'Resources: None means "choose from the server\'s memory"'
    relations: ClassVar[tuple[Relation, ...]] = (postgres_fits_its_limit,)

    web_processes: Annotated[int, Field(ge=0, le=64)] | None = Field(
        None, description="Puma's worker processes; 0 is one process without a supervisor, the smallest."
    )
    web_threads: Annotated[int, Field(ge=1, le=64)] | None = Field(None, description="Threads of each web process.")
    sidekiq_threads: Annotated[int, Field(ge=1, le=400)] | None = Field(
        None, description="Jobs that run at the same time."
    )
    streaming_database_pool: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="Database connections of the streaming server."
    )
    postgres_shared_buffers_mib: Annotated[int, Field(ge=16, le=262144)] | None = Field(
        None, description="PostgreSQL's own cache."
    )
    web_memory_mib: MemoryMib | None = Field(None, description="Above this the kernel ends the web container.")
    sidekiq_memory_mib: MemoryMib | None = Field(None, description="The same for Sidekiq.")
    streaming_memory_mib: MemoryMib | None = Field(None, description="The same for the streaming server.")
    postgres_memory_mib: MemoryMib | None = Field(None, description="The same for PostgreSQL.")
    redis_memory_mib: MemoryMib | None = Field(None, description="The same for Redis.")
    web_side_by_side: bool | None = Field(
        None,
        description="Whether a new web starts beside the old one, which then stops, so that visitors notice nothing. "
        "False: the old one stops first, and visitors wait. None: True where memory and swap hold both.",
    )
