"""
A client of the Docker Engine API, as small as the two programs that share it need.

Requests are HTTP/1.0: an answer ends where its connection ends, so nothing has to be decoded. Heavy modules
(typing, dataclasses, http.client) are left out, since each costs megabytes on a server of 1 GB.
"""

from __future__ import annotations

import json
import os
import re
import socket
from urllib.parse import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

REQUEST_TIMEOUT_SECONDS = 60
# A silent stream is probed as Go's net.Dialer does it: first after 15 s, every 15 s, lost after 9 without an answer.
KEEPALIVE = ((socket.TCP_KEEPIDLE, 15), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 9))


class EngineError(Exception):
    """The engine could not be reached, or refused."""


class Engine:
    """The engine at `endpoint`, which is unix://PATH or tcp://HOST:PORT as in DOCKER_HOST."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def get(self, path: str, **query: str) -> Any:
        """The decoded JSON of the answer (plain text for /_ping). Raises EngineError."""
        body = self._ask("GET", path, query)
        return json.loads(body) if body.startswith((b"{", b"[")) else body.decode()

    def kill(self, container: str, signal: str) -> None:
        """Send a signal, named or numbered, to the main process of a container. Raises EngineError."""
        self._ask("POST", f"/containers/{container}/kill", {"signal": signal})

    def containers(self, filters: Mapping[str, list[str]], *, everyone: bool) -> list[dict[str, Any]]:
        """Summaries of containers, newest first; only running ones unless `everyone`. Raises EngineError."""
        query = {"filters": json.dumps(filters)} | ({"all": "1"} if everyone else {})
        found: list[dict[str, Any]] = self.get("/containers/json", **query)
        return found

    def events(self, filters: Mapping[str, list[str]]) -> tuple[socket.socket, bytes]:
        """A connection on which the engine writes one JSON object a line, and what of that was read already.

        The answer's status is not looked at: a refusal is read like events. Raises EngineError.
        """
        connection, _, unread = self._open("GET", "/events", {"filters": json.dumps(filters)})
        connection.settimeout(None)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in KEEPALIVE:
                connection.setsockopt(socket.IPPROTO_TCP, option, value)
        return connection, unread

    def _ask(self, method: str, path: str, query: Mapping[str, str]) -> bytes:
        connection, status, body = self._open(method, path, query)
        try:
            with connection:
                body += _read_all(connection)
        except OSError as error:
            raise EngineError(f"the answer to {method} {path} broke off: {error}") from error
        if status >= 400:
            raise EngineError(f"API error ({status}): {body.decode(errors='replace').strip()}")
        return body

    def _open(self, method: str, path: str, query: Mapping[str, str]) -> tuple[socket.socket, int, bytes]:
        """Send a request; return the connection, the answer's status and what of its body was read already."""
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        target = f"{path}?{text}" if text else path
        try:
            connection = self._connect()
            try:
                head = f"{method} {target} HTTP/1.0\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"
                connection.sendall(head.encode())
                status, body = _read_head(connection)
            except BaseException:
                connection.close()
                raise
        except OSError as error:
            raise EngineError(f"cannot connect to Docker endpoint {self.endpoint}: {error}") from error
        return connection, status, body

    def _connect(self) -> socket.socket:
        scheme, _, address = self.endpoint.rpartition("://")
        if scheme == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(REQUEST_TIMEOUT_SECONDS)
            connection.connect(address)
            return connection
        host, _, port = address.rpartition(":")
        return socket.create_connection((host, int(port)), REQUEST_TIMEOUT_SECONDS)


def _read_head(connection: socket.socket) -> tuple[int, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        block = connection.recv(65536)
        if not block:
            raise OSError("the connection ended before an answer")
        received += block
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split(None, 2)[1]), body


def _read_all(connection: socket.socket) -> bytes:
    blocks = []
    while block := connection.recv(65536):
        blocks.append(block)
    return b"".join(blocks)


class Network:
    """A container's attachment to a network; addresses are "" where it has none."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.ipv4: str = description["IPAddress"]
        self.ipv6: str = description["GlobalIPv6Address"]


class Container:
    """What the programs need to know of one container."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        """`description` is the answer of GET /containers/<id>/json."""
        config, settings = description["Config"], description["NetworkSettings"]
        self.id: str = description["Id"]
        self.name: str = description["Name"].lstrip("/")
        self.created: str = description["Created"]
        self.labels: dict[str, str] = config["Labels"] or {}
        entries = (entry.partition("=") for entry in config["Env"] or ())
        self.environment = {name: value for name, _, value in entries}
        self.networks = {name: Network(settings["Networks"][name]) for name in sorted(settings["Networks"])}
        # On an internal network the engine leaves Ports empty, so the image's EXPOSE has to do.
        self.ports = sorted(settings["Ports"] or config.get("ExposedPorts") or {})
        self.published = {port for port, bindings in (settings["Ports"] or {}).items() if bindings}


def own_container_id() -> str:
    """The id of the container that this process runs in, or "" where the mounts do not tell."""
    with open("/proc/self/mountinfo") as mounts:
        found = re.search(r"/containers/([0-9a-f]{64})/", mounts.read())
    return found[1] if found else ""


def endpoint_from_environment() -> str:
    """DOCKER_HOST, or the engine's usual socket."""
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
