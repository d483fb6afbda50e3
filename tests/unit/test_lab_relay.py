"""The relay that stands for a long line: what it delays, and what it does not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

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
