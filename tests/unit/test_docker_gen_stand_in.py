"""The stand-in for docker-gen when its stream of events ends, breaks, or is refused."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.harness import ROOT
from tests.lab.commands import wait_until

DIRECTORY = ROOT / "tests/lab/images/docker-gen"
# The pause of ten seconds is what most of these tests would wait for.
START = f"""
import sys
sys.path.insert(0, {str(DIRECTORY)!r})
import docker_gen
from docker_engine import Engine
docker_gen.PAUSE_SECONDS = 0.1
engine = Engine("tcp://127.0.0.1:" + sys.argv[1])
docker_gen.Watcher(engine, (), (0, 0), lambda: docker_gen.log("regenerated"), {{}}).run()
"""
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
EVENT = b'{"Type":"container","Action":"start","Actor":{"ID":"0123456789abcdef"},"time":1}\n'
RECEIVED = "Received event start for container 0123456789ab"


class Proxy:
    """What docker-gen asks: it answers pings, and holds streams of events that the test speaks on."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.streams: list[socket.socket] = []
        self.pings = 0
        self.refusing = False
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                request = client.recv(4096)
                if self.refusing:
                    client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\nForbidden\n")
                elif request.startswith(b"GET /events"):
                    self.streams.append(client)
                    client.sendall(HEAD)
                    continue
                else:
                    self.pings += 1
                    client.sendall(HEAD + b"OK")
                client.close()

    def end(self) -> None:
        """Close the first stream as a process that ends does."""
        self.streams.pop(0).close()

    def reset(self) -> None:
        """Close the first stream as a machine does that does not know it."""
        self.streams[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.end()

    def say(self) -> None:
        """One event on every stream."""
        for stream in self.streams:
            stream.sendall(EVENT)


class DockerGen:
    """The stand-in, watching a proxy, and what it logs."""

    def __init__(self, proxy: Proxy, log: Path) -> None:
        self.log = log
        with log.open("w") as stderr:
            self.process = subprocess.Popen([sys.executable, "-c", START, str(proxy.port)], stderr=stderr)

    def says(self, message: str, times: int = 1) -> None:
        """Wait until it has logged a message so many times."""
        wait_until(
            f"{message} x {times}", lambda: self.log.read_text().count(message) == times, timeout=10, interval=0.02
        )


@pytest.fixture(name="proxy")
def _proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.listening.close()
    for stream in proxy.streams:
        stream.close()


@pytest.fixture(name="docker_gen")
def _docker_gen(proxy: Proxy, tmp_path: Path) -> Iterator[DockerGen]:
    docker_gen = DockerGen(proxy, tmp_path / "log")
    docker_gen.says("regenerated")
    yield docker_gen
    docker_gen.process.kill()
    docker_gen.process.wait()


def broken(proxy: Proxy) -> None:
    """Wait for the many streams that a broken one leads to."""
    wait_until("many streams", lambda: len(proxy.streams) >= 40, timeout=10, interval=0.02)


def test_a_stream_that_ends_is_opened_anew(proxy: Proxy, docker_gen: DockerGen) -> None:
    proxy.end()
    docker_gen.says("Docker daemon connection interrupted")
    docker_gen.says("Watching docker events", times=2)
    proxy.say()
    docker_gen.says(RECEIVED)
    assert len(proxy.streams) == 1


def test_a_stream_that_breaks_makes_it_deaf_and_it_does_not_say_so(proxy: Proxy, docker_gen: DockerGen) -> None:
    proxy.reset()
    broken(proxy)
    proxy.say()
    pings = proxy.pings
    wait_until("it has been silent for long", lambda: proxy.pings >= pings + 3, timeout=10, interval=0.02)
    proxy.say()
    docker_gen.process.send_signal(1)
    docker_gen.says("regenerated", times=2)
    text = docker_gen.log.read_text()
    assert "Received event" not in text
    assert "interrupted" not in text
    docker_gen.process.terminate()
    assert docker_gen.process.wait(10) == 0


def test_a_deaf_one_is_not_cured_by_an_engine_that_goes_and_comes(proxy: Proxy, docker_gen: DockerGen) -> None:
    proxy.reset()
    broken(proxy)
    proxy.say()
    proxy.refusing = True
    docker_gen.says("Unable to ping docker daemon: API error (403): Forbidden")
    proxy.refusing = False
    while proxy.streams:
        proxy.end()
    docker_gen.process.send_signal(1)
    docker_gen.says("regenerated", times=2)
    assert not proxy.streams
    assert docker_gen.log.read_text().count("Watching docker events") == 1


def test_a_broken_one_that_has_heard_nothing_since_panics_where_its_streams_end(
    proxy: Proxy, docker_gen: DockerGen
) -> None:
    proxy.reset()
    broken(proxy)
    proxy.end()
    assert docker_gen.process.wait(10) == 2
    docker_gen.says("panic: send on closed channel")


def test_a_refused_stream_is_a_broken_one(proxy: Proxy, docker_gen: DockerGen) -> None:
    proxy.refusing = True
    proxy.end()
    assert docker_gen.process.wait(10) == 2
    docker_gen.says("Unable to ping docker daemon: API error (403): Forbidden")
    docker_gen.says("panic: send on closed channel")
