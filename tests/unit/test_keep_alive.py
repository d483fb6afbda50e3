"""What is done to an open connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from paramiko import Channel

from mstdn import keep_alive
from mstdn.keep_alive import Watch, send_at_once


class Line:
    """A transport that answers the first `answers` questions."""

    def __init__(self, answers: int) -> None:
        self.answers, self.asked = answers, 0
        self.cut = threading.Event()
        self.when_closed: Callable[[], bool] = lambda: False
        self.closed_by_silence = False

    def is_active(self) -> bool:
        return not self.cut.is_set()

    def global_request(self, kind: str) -> None:
        self.asked += 1
        if self.asked > self.answers:
            self.cut.wait(10)

    def close(self) -> None:
        self.closed_by_silence = self.when_closed()
        self.cut.set()


def test_a_server_that_stops_answering_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(keep_alive, "SILENCE_SECONDS", 0.05)
    line = Line(answers=3)
    watch = Watch(line)  # type: ignore[arg-type]
    line.when_closed = lambda: watch.silent
    watch.start()
    watch.join(5)
    assert not watch.is_alive()
    assert line.asked == 4 and not line.is_active()
    assert line.closed_by_silence


def test_a_connection_that_ends_by_itself_is_not_called_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "ASK_SECONDS", 0.01)
    line = Line(answers=0)
    watch = Watch(line)  # type: ignore[arg-type]
    watch.start()
    line.cut.set()
    watch.join(5)
    assert not watch.is_alive() and not watch.silent


def test_an_idle_connection_is_asked_well_within_what_routers_remember_and_given_up_within_a_minute() -> None:
    assert keep_alive.ASK_SECONDS <= 30
    assert keep_alive.ASK_SECONDS + keep_alive.SILENCE_SECONDS <= 60


def transport_on(sock: object) -> Any:
    return SimpleNamespace(sock=sock)


def test_ssh_packets_are_sent_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        send_at_once(transport_on(client))
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_packets_through_a_jump_host_are_sent_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        channel = Channel(1)
        channel.transport = transport_on(client)
        send_at_once(transport_on(channel))
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_connection_through_a_proxy_command_is_left_alone() -> None:
    send_at_once(transport_on(object()))
