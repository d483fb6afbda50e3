"""
Checks each request against the allow lists, and copies what is allowed to the Docker socket and back.

One thread serves one connection, and one connection one request: a second request on it would pass unchecked.
Facts are from cmd/socket-proxy/handlehttprequest.go of wollomatic/socket-proxy 1.13.1.
"""

from __future__ import annotations

import ipaddress
import re
import select
import socket
import threading
from urllib.parse import unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket_proxy_configuration import Configuration
    from socket_proxy_log import Log

REASONS = {400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 502: "Bad Gateway"}
SOCKET_TIMEOUT_SECONDS = 5
HEAD_LIMIT_BYTES = 1 << 20


class Request:
    """The head of a request, with the bytes that were read after it. Raises ValueError on anything else."""

    def __init__(self, received: bytes) -> None:
        self.head, _, self.rest = received.partition(b"\r\n\r\n")
        request_line, *self.headers = self.head.decode("latin-1").split("\r\n")
        self.method, self.target, self.protocol = request_line.split(" ")
        if not self.protocol.startswith("HTTP/1."):
            raise ValueError(self.protocol)
        # The path that is checked is the decoded one, as in Go's URL.Path.
        self.path = unquote(re.sub(r"^http://[^/?]*", "", self.target).partition("?")[0])

    def header(self, name: str) -> str:
        """The value of a header, "" without it."""
        for line in self.headers:
            key, _, value = line.partition(":")
            if key.strip().lower() == name:
                return value.strip()
        return ""

    def forwarded(self) -> bytes:
        """The request as the engine gets it: told to close the connection afterwards, unless it becomes a stream."""
        headers = self.headers
        if not self.header("upgrade"):
            headers = [line for line in headers if not line.lower().startswith("connection:")] + ["Connection: close"]
        return (
            "\r\n".join([f"{self.method} {self.target} {self.protocol}", *headers, "", ""]).encode("latin-1")
            + self.rest
        )


class Proxy:
    """Checks and forwards the requests of each connection."""

    def __init__(self, configuration: Configuration, log: Log) -> None:
        self.configuration = configuration
        self.log = log
        self.active: set[threading.Thread] = set()

    def serve(self, listener: socket.socket) -> None:
        """Accept connections until the listener is closed."""
        while True:
            try:
                client, (address, port) = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._handle, args=(client, address, port), daemon=True)
            self.active.add(thread)
            thread.start()

    def _handle(self, client: socket.socket, address: str, port: int) -> None:
        try:
            with client:
                self._answer(client, address, f"{address}:{port}")
        except OSError as error:
            self.log("DEBUG", "connection broken", client=f"{address}:{port}", error=error)
        finally:
            self.active.discard(threading.current_thread())

    def _answer(self, client: socket.socket, address: str, origin: str) -> None:
        received = receive_head(client)
        if not received:
            return
        try:
            request = Request(received)
        except ValueError:
            _respond(client, 400)
            return
        refusal = self._refusal(request, address)
        if refusal:
            reason, status = refusal
            facts = {"method": request.method, "URL": request.target, "client": origin}
            self.log("WARN", "blocked request", reason=reason, **facts, response=status)
            _respond(client, status)
            return
        self.log("DEBUG", "allowed request", method=request.method, URL=request.target, client=origin)
        try:
            engine = connect(self.configuration.socket_path)
        except OSError as error:
            self.log("ERROR", "http: proxy error", error=error)
            _respond(client, 502)
            return
        with engine:
            engine.sendall(request.forwarded())
            _pump(client, engine)

    def _refusal(self, request: Request, address: str) -> tuple[str, int] | None:
        if not self._is_allowed_client(address):
            return "forbidden IP", 403
        if request.method not in self.configuration.allowed:
            return "method not allowed", 405
        if not any(each.search(request.path) for each in self.configuration.allowed[request.method]):
            return "path not allowed", 403
        return None

    def _is_allowed_client(self, address: str) -> bool:
        """Whether a network or the present addresses of a name in -allowfrom hold the client."""
        for item in self.configuration.allow_from:
            if "/" in item:
                try:
                    if ipaddress.ip_address(address) in ipaddress.ip_network(item, strict=False):
                        return True
                    continue
                except ValueError:
                    pass
            try:
                found = socket.getaddrinfo(item, None, type=socket.SOCK_STREAM)
            except OSError as error:
                self.log("WARN", "error looking up allowed client hostname", hostname=item, error=error)
                continue
            if address in (each[4][0] for each in found):
                return True
        return False


def connect(path: str) -> socket.socket:
    """A connection to the Docker socket. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(SOCKET_TIMEOUT_SECONDS)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    connection.settimeout(None)
    return connection


def receive_head(client: socket.socket) -> bytes:
    """What the client sends, up to the end of a request's head at least; b"" when it goes away before."""
    received = b""
    while b"\r\n\r\n" not in received and len(received) < HEAD_LIMIT_BYTES:
        block = client.recv(65536)
        if not block:
            return b""
        received += block
    return received


def _respond(client: socket.socket, status: int) -> None:
    body = "" if status == 502 else f"{REASONS[status]}\n"
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    client.sendall((head + body).encode())


def _pump(client: socket.socket, engine: socket.socket) -> None:
    """Copy both ways until the engine has said everything, or the client is gone."""
    poll = select.poll()
    others = {client.fileno(): (client, engine), engine.fileno(): (engine, client)}
    for descriptor in others:
        poll.register(descriptor, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            source, target = others[descriptor]
            block = source.recv(65536)
            if block:
                target.sendall(block)
            else:
                return
