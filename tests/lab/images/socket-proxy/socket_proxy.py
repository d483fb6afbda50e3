"""
socket-proxy: lets through to the Docker socket what the allow lists name, and nothing else.

A stand-in for wollomatic/socket-proxy 1.13.1; README.md beside this file says what it honours. Facts are from
that project's cmd/socket-proxy.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

from socket_proxy_configuration import Configuration, ConfigurationError
from socket_proxy_forwarding import SOCKET_TIMEOUT_SECONDS, Proxy, connect, receive_head
from socket_proxy_log import Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

VERSION = "1.13.1"
HEALTH_ADDRESS = ("127.0.0.1", 55555)
WATCHDOG_EXIT_CODE = 10


class Health:
    """Answers HEAD /health on the loopback address for the image's own health check."""

    def __init__(self, socket_path: str, log: Log) -> None:
        self.socket_path = socket_path
        self.log = log

    def serve(self, listener: socket.socket) -> None:
        """Answer one request after the other, for ever."""
        while True:
            client, _ = listener.accept()
            with client:
                client.settimeout(SOCKET_TIMEOUT_SECONDS)
                try:
                    client.sendall(
                        f"HTTP/1.1 {self._status(receive_head(client))}\r\nConnection: close\r\n\r\n".encode()
                    )
                except OSError as error:
                    self.log("DEBUG", "health check broken off", error=error)

    def _status(self, received: bytes) -> str:
        if not received.startswith(b"HEAD "):
            return "405 Method Not Allowed"
        if not received.startswith(b"HEAD /health "):
            return "404 Not Found"
        return "200 OK" if is_available(self.socket_path, self.log, "healthcheck") else "503 Service Unavailable"


def is_available(socket_path: str, log: Log, origin: str) -> bool:
    """Whether the Docker socket takes connections; if not, logged with the name of who asked."""
    try:
        connect(socket_path).close()
    except OSError as error:
        log("ERROR", "socket is unavailable", origin=origin, error=error)
        return False
    return True


def main() -> NoReturn:
    """Serve until SIGTERM, SIGINT or the watchdog. Exit codes: 1 configuration, 2 socket or port, 10 watchdog."""
    try:
        configuration = Configuration(sys.argv[1:])
    except ConfigurationError as error:
        Log("INFO", False)("ERROR", "error initializing config", error=error)
        sys.exit(1)
    log = Log(configuration.log_level, configuration.log_json)
    _introduce(configuration, log)
    try:
        connect(configuration.socket_path).close()
    except OSError as error:
        log("ERROR", "socket not available", error=error)
        sys.exit(2)
    try:
        listener = socket.create_server((configuration.listen_ip, configuration.proxy_port))
    except OSError as error:
        log("ERROR", "error listening on address", error=error)
        sys.exit(2)

    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    proxy = Proxy(configuration, log)
    _start(proxy.serve, listener)
    log("INFO", "socket-proxy running and listening...")
    if configuration.allow_healthcheck:
        _start(Health(configuration.socket_path, log).serve, socket.create_server(HEALTH_ADDRESS))
    exit_code = _wait_for_end(configuration, log, signals)
    listener.close()
    _let_finish(proxy, configuration.grace_seconds, log)
    log("INFO", "shutdown finished - exiting", **{"exit code": exit_code})
    sys.stdout.flush()
    os._exit(exit_code)


def _introduce(configuration: Configuration, log: Log) -> None:
    log("INFO", "starting socket-proxy", version=VERSION)
    log(
        "INFO",
        "configuration info",
        socketpath=configuration.socket_path,
        listenaddress=f"{configuration.listen_ip}:{configuration.proxy_port}",
        loglevel=configuration.log_level,
        logjson=configuration.log_json,
        allowfrom=",".join(configuration.allow_from),
        shutdowngracetime=configuration.grace_seconds,
    )
    if configuration.watchdog_seconds:
        log(
            "INFO",
            "watchdog enabled",
            interval=configuration.watchdog_seconds,
            stoponwatchdog=configuration.stop_on_watchdog,
        )
    else:
        log("INFO", "watchdog disabled")
    shown = {
        method: [f"{each.pattern.removesuffix(chr(92) + 'Z')}$" for each in expressions]
        for method, expressions in configuration.allowed.items()
    }
    if configuration.log_json:
        for method, expressions in shown.items():
            log("INFO", "configured default request allowlist", method=method, regex=expressions)
        return
    print(f"Default request allowlist:\n   {'Method':<8} Regex")
    for method, expressions in shown.items():
        print(f"   {method:<8} [{' '.join(expressions)}]", flush=True)


def _start(serve: Callable[[socket.socket], None], listener: socket.socket) -> None:
    threading.Thread(target=serve, args=(listener,), daemon=True).start()


def _wait_for_end(configuration: Configuration, log: Log, signals: set[signal.Signals]) -> int:
    """Wait for a signal, looking at the socket every watchdog interval; return the exit code."""
    while True:
        if not configuration.watchdog_seconds:
            signal.sigwait(signals)
        elif not signal.sigtimedwait(signals, configuration.watchdog_seconds):
            if is_available(configuration.socket_path, log, "watchdog") or not configuration.stop_on_watchdog:
                continue
            log("WARN", "stopping socket-proxy because of unavailable socket", origin="watchdog")
            log("INFO", "received internal shutdown - shutting down")
            return WATCHDOG_EXIT_CODE
        log("INFO", "received stop signal - shutting down")
        return 0


def _let_finish(proxy: Proxy, grace_seconds: int, log: Log) -> None:
    end = time.monotonic() + grace_seconds
    for thread in list(proxy.active):
        thread.join(max(0, end - time.monotonic()))
    if proxy.active:
        log("WARN", "timeout stopping server", error="context deadline exceeded")


if __name__ == "__main__":
    main()
