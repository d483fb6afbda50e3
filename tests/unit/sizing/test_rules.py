"""How a server is shared out: exactly for the usual sizes, by properties for all others."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstdn.sizing.rules import (
    SPARE_CONNECTIONS,
    Sizing,
    film_shortfall_mib,
    sizing_for,
    start_timeout_seconds,
    web_fits_twice,
)
from tests.harness import settings_with

MEMORY_MIB = st.integers(min_value=256, max_value=1024 * 1024)
SWAP_MIB = st.integers(min_value=0, max_value=65536)
OVERRIDABLE = [field.name for field in dataclasses.fields(Sizing) if field.name != "postgres_max_connections"]

# MemTotal as such machines report it, a little below the nominal size.
EXACTLY = {
    961: Sizing(0, 3, 5, 5, 64, 100, 704, 816, 192, 352, 128),
    1963: Sizing(0, 5, 10, 10, 256, 100, 1536, 1632, 256, 768, 304),
    3915: Sizing(2, 5, 20, 10, 512, 105, 2352, 1936, 400, 1168, 464),
    7941: Sizing(4, 5, 25, 10, 1024, 135, 3984, 2496, 688, 1984, 784),
    15990: Sizing(8, 5, 25, 10, 2048, 175, 7264, 4544, 1264, 3632, 1440),
}


@pytest.mark.parametrize("memory_mib", EXACTLY, ids=lambda memory: f"{round(memory / 1024)} GiB")
def test_a_usual_server_with_the_default_swap_gets_exactly_this(memory_mib: int) -> None:
    assert sizing_for(memory_mib, settings_with()) == EXACTLY[memory_mib]


@given(MEMORY_MIB, MEMORY_MIB, SWAP_MIB)
def test_more_memory_never_gives_less(one: int, other: int, swap: int) -> None:
    settings = settings_with(swap_size_mib=swap)
    smaller, larger = sizing_for(min(one, other), settings), sizing_for(max(one, other), settings)
    for name in [*OVERRIDABLE, "postgres_max_connections"]:
        assert getattr(smaller, name) <= getattr(larger, name), name


@given(MEMORY_MIB, SWAP_MIB, SWAP_MIB)
def test_more_swap_never_gives_less(memory: int, one: int, other: int) -> None:
    smaller = sizing_for(memory, settings_with(swap_size_mib=min(one, other)))
    larger = sizing_for(memory, settings_with(swap_size_mib=max(one, other)))
    for name in OVERRIDABLE:
        assert getattr(smaller, name) <= getattr(larger, name), name


@given(MEMORY_MIB, SWAP_MIB)
def test_every_limit_is_above_what_its_part_needs_idle(memory: int, swap: int) -> None:
    sizing = sizing_for(memory, settings_with(swap_size_mib=swap))
    assert sizing.web_memory_mib >= 458 * max(1, sizing.web_processes)
    assert sizing.sidekiq_memory_mib >= 307
    assert sizing.streaming_memory_mib >= 123
    assert sizing.postgres_memory_mib >= sizing.postgres_shared_buffers_mib + 128
    assert sizing.redis_memory_mib >= 128


@given(
    MEMORY_MIB,
    st.fixed_dictionaries(
        {
            "web_processes": st.none() | st.integers(0, 64),
            "web_threads": st.none() | st.integers(1, 64),
            "sidekiq_threads": st.none() | st.integers(1, 400),
            "streaming_database_pool": st.none() | st.integers(1, 100),
            "postgres_memory_mib": st.none() | st.integers(64, 1048576),
        }
    ),
)
def test_what_the_operator_sets_wins_and_the_database_has_connections_for_all_of_it(
    memory: int, overrides: dict[str, Any]
) -> None:
    sizing = sizing_for(memory, settings_with(**overrides))
    for name, value in overrides.items():
        assert value is None or getattr(sizing, name) == value
    web = max(1, sizing.web_processes) * sizing.web_threads
    in_use = web + sizing.sidekiq_threads + sizing.streaming_database_pool
    assert 2 * in_use + SPARE_CONNECTIONS <= sizing.postgres_max_connections <= 262143
    assert sizing.postgres_shared_buffers_mib < sizing.postgres_memory_mib


@pytest.mark.parametrize("name", OVERRIDABLE)
def test_each_value_can_be_overridden(name: str) -> None:
    assert getattr(sizing_for(4096, settings_with(**{name: 77 if "mib" in name else 7})), name) in (7, 77)


@given(st.integers(min_value=1, max_value=64), st.integers(min_value=-200, max_value=200))
def test_a_kernel_that_counts_a_little_differently_changes_nothing(gib: int, difference: int) -> None:
    settings = settings_with()
    assert sizing_for(1024 * gib + difference, settings) == sizing_for(1024 * gib, settings)


# What Sidekiq takes while it converts a film as phones take them, measured with a real Mastodon.
FILM_OF_A_PHONE_MIB = 308 + 1193


@given(MEMORY_MIB, SWAP_MIB)
def test_where_there_is_enough_for_a_film_the_limit_lets_it_through(memory: int, swap: int) -> None:
    settings = settings_with(swap_size_mib=swap)
    if film_shortfall_mib(memory, settings) == 0:
        limit = sizing_for(memory, settings).sidekiq_memory_mib
        # Docker lets a container swap as much again.
        assert limit + min(limit, swap) >= FILM_OF_A_PHONE_MIB


@pytest.mark.parametrize(
    ("memory_mib", "swap_mib", "missing"),
    [(961, 2048, 0), (961, 1024, 496), (1963, 0, 596), (1963, 2048, 0), (3915, 0, 0), (7941, 0, 0)],
)
def test_what_a_film_lacks_is_known_to_the_mebibyte(memory_mib: int, swap_mib: int, missing: int) -> None:
    assert film_shortfall_mib(memory_mib, settings_with(swap_size_mib=swap_mib)) == missing


def test_a_server_of_1_gb_gets_more_time_to_start_and_what_the_operator_says_wins() -> None:
    assert [start_timeout_seconds(memory, settings_with()) for memory in (961, 1963, 15990)] == [600, 300, 300]
    assert start_timeout_seconds(961, settings_with(app_start_timeout_seconds=40)) == 40


@pytest.mark.parametrize(
    ("memory_mib", "own", "fits"),
    [
        (961, {}, True),
        (961, {"swap_size_mib": 512}, False),
        (961, {"swap_size_mib": 0, "web_side_by_side": True}, True),
        (1963, {"swap_size_mib": 0}, True),
        (1963, {"swap_size_mib": 0, "web_processes": 2}, False),
        (1963, {"web_processes": 2}, True),
        (3915, {"swap_size_mib": 0}, True),
        (7941, {"swap_size_mib": 0}, True),
        (15990, {"web_side_by_side": False}, False),
    ],
)
def test_two_web_are_there_at_once_where_memory_and_swap_hold_them(
    memory_mib: int, own: dict[str, Any], fits: bool
) -> None:
    assert web_fits_twice(memory_mib, settings_with(**own)) is fits
