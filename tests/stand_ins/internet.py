"""The ways to the stand-ins, which end TLS for each of their names: a proxy on this machine, or port 443; a journal."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override


@dataclass(frozen=True)
class Request:
    method: str
    host: str
    path: str
    raw_query: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; {} for none."""
        return json.loads(self.body) if self.body else {}

    def __str__(self) -> str:
        return f"{self.method} {self.host}{self.path}"


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(status: int, body: object, **headers: str) -> Response:
    """A JSON response."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, json.dumps(body).encode(), {"Content-Type": "application/json"} | named)


Site = Callable[[Request], Response]


class Internet:
    """
    All stand-ins. `sites`: one for each host name. `journal`: every request that reached one.

    `die_at`: the number of the request, from 1, at which everything breaks: it and those after it get no answer.
    `handled`: that request is carried out all the same, and only its answer is lost. `afterwards`: done after each
    request, before it is answered.
    """

    def __init__(self) -> None:
        self.sites: dict[str, Site] = {}
        self.journal: list[Request] = []
        self.interventions: list[Callable[[Request], Response | None]] = []
        self.afterwards: list[Callable[[], None]] = []
        self.die_at: int | None = None
        self.handled = False
        self.lock = threading.Lock()
        self._count = 0

    def revive(self) -> None:
        """Everything works again, and counting begins anew."""
        self.die_at, self._count = None, 0

    def respond(self, request: Request) -> Response | None:
        """None: the connection breaks. One request at a time, as the stand-ins keep no locks."""
        with self.lock:
            self._count += 1
            dead = self.die_at is not None and self._count >= self.die_at
            if dead and not (self.handled and self._count == self.die_at):
                return None
            self.journal.append(request)
            for intervention in self.interventions:
                if (response := intervention(request)) is not None:
                    return response
            response = self.sites[request.host](request)
            for follow in self.afterwards:
                follow()
            return None if dead else response

    def only(self, *methods: str) -> list[str]:
        """The requests of the journal with one of these methods."""
        return [str(each) for each in self.journal if each.method in methods]


class ProxiedInternet(Internet):
    """By way of a proxy on this machine, with an authority of its own: what every operator may set."""

    def __init__(self, directory: Path):
        super().__init__()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._contexts_lock = threading.Lock()
        self._authority = Authority(directory)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _proxy_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to come here: nothing that an operator behind a proxy would not set."""
        bundle = str(self._authority.bundle)
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self._server.server_port}",
            "NO_PROXY": "",
            "REQUESTS_CA_BUNDLE": bundle,
            "AWS_CA_BUNDLE": bundle,
        }

    def context(self, host: str) -> ssl.SSLContext:
        """TLS as this host. One at a time: certificates are made on demand."""
        with self._contexts_lock:
            if host not in self._contexts:
                self._contexts[host] = self._authority.context(host)
            return self._contexts[host]


def serve(internet: Internet, address: str, context: ssl.SSLContext) -> None:
    """Answer at port 443 of the address for all sites, for ever, in a thread of its own."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        @override
        def finish_request(self, request: Any, client_address: Any) -> None:
            # Here and not where connections are accepted: a client that never says hello keeps nobody else waiting.
            try:
                with context.wrap_socket(request, server_side=True) as connection:
                    super().finish_request(connection, client_address)
            except OSError:
                pass

    server = Server((address, 443), _site_of(internet))
    threading.Thread(target=server.serve_forever, daemon=True).start()


def _site_of(internet: Internet) -> type[BaseHTTPRequestHandler]:
    class Site(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Otherwise the body waits 40 ms for the acknowledgement of the headers.
        disable_nagle_algorithm = True

        def respond(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            host = self.headers.get("Host", "").partition(":")[0]
            # By way of a proxy urllib3 sends the body when the headers were acknowledged, which would take 40 ms.
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            body = self.rfile.read(length)
            if host not in internet.sites:
                self.send_error(421, f"no stand-in for {host}")
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            response = internet.respond(Request(self.command, host, parts.path, parts.query, query, headers, body))
            if response is None:
                self.close_connection = True
                return
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Site


def _proxy_of(internet: ProxiedInternet) -> type[BaseHTTPRequestHandler]:
    site = _site_of(internet)

    class Proxy(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True

        def do_CONNECT(self) -> None:
            host = self.path.partition(":")[0]
            self.close_connection = True
            if host not in internet.sites:
                self.send_error(502, f"no stand-in for {host}")
                return
            self.send_response(200)
            self.end_headers()
            try:
                with internet.context(host).wrap_socket(self.connection, server_side=True) as connection:
                    site(connection, self.client_address, self.server)
            except OSError:
                pass

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Proxy


class Authority:
    """A certificate authority for the stand-ins' names. `bundle`: the file that a client has to trust."""

    def __init__(self, directory: Path):
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the stand-ins")])
        builder = self._builder(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self.certificate = (
            builder.add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.bundle = directory / "authority.pem"
        self.bundle.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            self._builder(name, key.public_key())
            .add_extension(x509.SubjectAlternativeName([_san(host)]), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._directory / f"{host}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
        )


def _san(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
