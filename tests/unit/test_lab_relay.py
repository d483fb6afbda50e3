"""The relay that stands for a long line: what it delays, and what it does not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.harness import ROOT
from tests.lab import bench
from tests.lab.relay import relay

DELAY = 0.05
LOCALHOST = "127.0.0.1"


@pytest.fixture(name="echo")
def _echo() -> Iterator[int]:
    """Port of a server that sends back what it gets, and then says goodbye."""

    def serve(connection: socket.socket) -> None:
        with connection:
            while chunk := connection.recv(65536):
                connection.sendall(chunk)
            connection.sendall(b"goodbye")

    def listen() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with closing(socket.create_server((LOCALHOST, 0))) as server:
        threading.Thread(target=listen, daemon=True).start()
        yield int(server.getsockname()[1])


def received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (chunk := connection.recv(1 << 20)):
        data += chunk
    return data


def test_an_answer_takes_a_round_trip(echo: int) -> None:
    with relay(LOCALHOST, [echo], DELAY) as line, socket.create_connection((LOCALHOST, line.ports[echo])) as connection:
        begun = time.monotonic()
        connection.sendall(b"question")
        assert received(connection, 8) == b"question"
        assert time.monotonic() - begun >= 2 * DELAY
    assert line.visits == {echo: 1}


def test_much_takes_no_longer_than_little(echo: int) -> None:
    """5 MB are at least 76 pieces: were each delayed for itself, they would take more than 7 seconds."""
    data = bytes(range(256)) * 20_000
    with relay(LOCALHOST, [echo], DELAY) as line, socket.create_connection((LOCALHOST, line.ports[echo])) as connection:
        begun = time.monotonic()
        threading.Thread(target=connection.sendall, args=(data,), daemon=True).start()
        assert received(connection, len(data)) == data
        assert time.monotonic() - begun < 3


def test_who_has_said_everything_still_hears_the_answer(echo: int) -> None:
    with relay(LOCALHOST, [echo], DELAY) as line, socket.create_connection((LOCALHOST, line.ports[echo])) as connection:
        connection.sendall(b"question")
        connection.shutdown(socket.SHUT_WR)
        assert received(connection, 100) == b"questiongoodbye"


def test_a_closed_port_closes_the_connection() -> None:
    with closing(socket.create_server((LOCALHOST, 0))) as server:
        closed = int(server.getsockname()[1])
    with (
        relay(LOCALHOST, [closed], DELAY) as line,
        socket.create_connection((LOCALHOST, line.ports[closed]), timeout=5) as connection,
    ):
        assert connection.recv(1) == b""


DISTANT = """
import json, os, socket, time
from tests.lab.distant import put_at_a_distance
distance = json.loads(os.environ["LAB_DISTANCE"])
put_at_a_distance(**distance)
begun = time.monotonic()
with socket.create_connection((distance["host"], int(next(iter(distance["ports"]))))) as connection:
    opened = time.monotonic() - begun
    connection.sendall(b"question")
    print(connection.recv(8).decode(), opened, time.monotonic() - begun)
"""


def test_a_process_at_a_distance_goes_through_the_relay_and_pays_for_opening_a_connection(echo: int) -> None:
    far = "127.0.0.2"  # nothing listens there
    with relay(LOCALHOST, [echo], DELAY) as line:
        distance = json.dumps({"host": far, "round_trip": 2 * DELAY, "ports": {str(echo): line.ports[echo]}})
        run = subprocess.run(
            [sys.executable, "-c", DISTANT],
            cwd=ROOT,
            env=os.environ | {"LAB_DISTANCE": distance},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    word, opened, answered = run.stdout.split()
    assert word == "question"
    assert float(opened) >= 2 * DELAY and float(answered) >= 4 * DELAY
    assert line.visits == {echo: 1}


def test_the_bench_says_of_each_target_whether_it_is_met() -> None:
    assert bench.verdict("second_run_ratio", 2.0) == "  (target: at most 2.0, met)"
    assert bench.verdict("second_run_remote_commands", 7) == "  (target: at most 6, NOT met)"
    assert bench.verdict("second_run_seconds", 1) == ""
    for name in bench.TARGETS:
        assert bench.__doc__ is not None and f"\n{name} " in bench.__doc__
