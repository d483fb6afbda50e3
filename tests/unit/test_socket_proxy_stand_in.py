"""The stand-in for the socket proxy when the Docker socket dies under it, as an upgrade of the engine makes it."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.harness import ROOT

DIRECTORY = ROOT / "tests/lab/images/socket-proxy"
START = f"import sys; sys.path.insert(0, {str(DIRECTORY)!r}); from socket_proxy import main; main()"


def engine(path: Path) -> socket.socket:
    """A socket that takes connections. Closed, its file stays and refuses them, as one that was mounted does."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    return listening


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "docker.sock"


def start(path: Path, *flags: str) -> subprocess.Popen[str]:
    """The proxy, when it has said that it listens."""
    proxy = subprocess.Popen(
        [
            sys.executable,
            "-c",
            START,
            f"-socketpath={path}",
            "-listenip=127.0.0.1",
            f"-proxyport={free_port()}",
            *flags,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert proxy.stdout is not None
    while "running and listening" not in (line := proxy.stdout.readline()):
        assert line, f"ended with {proxy.wait()}"
    return proxy


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def test_the_watchdog_ends_the_proxy_with_10_when_the_socket_is_dead(path: Path) -> None:
    with closing(engine(path)):
        proxy = start(path, "-watchdoginterval=1", "-stoponwatchdog")
    try:
        output, _ = proxy.communicate(timeout=20)
    finally:
        proxy.kill()
    assert proxy.returncode == 10
    assert "origin=watchdog" in output and "stopping socket-proxy because of unavailable socket" in output


def test_a_watchdog_that_is_not_told_to_stop_only_says_so(path: Path) -> None:
    with closing(engine(path)):
        proxy = start(path, "-watchdoginterval=1")
    assert proxy.stdout is not None
    with proxy.stdout as output:
        told = [next(line for line in output if "origin=watchdog" in line) for _ in range(2)]
        assert all("socket is unavailable" in line for line in told)
        assert proxy.poll() is None
        proxy.terminate()
        assert "received stop signal" in output.read()
    assert proxy.wait(20) == 0


@pytest.fixture(name="modules")
def _modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(DIRECTORY))
    import socket_proxy
    import socket_proxy_log

    yield socket_proxy, socket_proxy_log
    for name in [name for name in sys.modules if name.startswith("socket_proxy")]:
        del sys.modules[name]


def test_the_health_check_says_503_from_the_moment_the_socket_is_dead(path: Path, modules: Any) -> None:
    socket_proxy, socket_proxy_log = modules
    listener = socket.create_server(("127.0.0.1", 0))
    health = socket_proxy.Health(str(path), socket_proxy_log.Log("ERROR", False))
    threading.Thread(target=health.serve, args=(listener,), daemon=True).start()

    def status(request: bytes = b"HEAD /health HTTP/1.0\r\n\r\n") -> int:
        with socket.create_connection(listener.getsockname()[:2], timeout=5) as connection:
            connection.sendall(request)
            return int(connection.recv(64).split()[1])

    with closing(engine(path)):
        assert status() == 200
        assert status(b"GET /health HTTP/1.0\r\n\r\n") == 405
    assert status() == 503
    path.unlink()
    assert status() == 503
