"""
The site seen as a visitor sees it: over the network, from this machine, through name, certificate and proxies.

Every check returns None when it finds nothing wrong, or one sentence on what is wrong and the likely reason.
"""

import json
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import urllib3

from mstdn.certificates.rules import DAY, least_seconds

# What must never answer from outside: Mastodon's parts, its stores, and Docker itself.
INNER_PORTS = (2375, 2376, 3000, 4000, 5432, 6379, 9090, 9091)
PATIENCE_SECONDS = 10
UNKNOWN_HOST = "unknown-host.invalid"


@dataclass(frozen=True)
class Visitor:
    """
    `domain`: the site's host name. `public_addresses`: where it is, or none for what the name resolves to.
    `ca_bundle`: a file with further roots to trust, or "". `version`: that the site should report, without its v.
    """

    domain: str
    public_addresses: tuple[str, ...]
    ca_bundle: str
    version: str

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """
        The addresses to connect to, those left out that this machine has no way to (IPv6, often).

        Raises socket.gaierror where the name does not resolve.
        """
        found = self.public_addresses or tuple(
            str(answer[4][0]) for answer in socket.getaddrinfo(self.domain, 443, type=socket.SOCK_STREAM)
        )
        return tuple(address for address in found if _has_route_to(address)) or found

    @property
    def target(self) -> str:
        """The address of the checks for which one is enough. Raises socket.gaierror as `addresses` does."""
        return self.addresses[0]

    def name(self) -> str | None:
        """The domain resolves."""
        try:
            _ = self.addresses
        except socket.gaierror:
            return f"{self.domain} does not resolve on this machine: add its A record (and AAAA), or set public_ipv4."
        return None

    def certificate(self) -> str | None:
        """At every address, IPv4 and IPv6, the certificate chain leads to a trusted root and names the domain."""
        return next((problem for address in self.addresses if (problem := self._certificate_at(address))), None)

    def _certificate_at(self, address: str) -> str | None:
        try:
            with (
                socket.create_connection((address, 443), timeout=PATIENCE_SECONDS) as connection,
                self._trust.wrap_socket(connection, server_hostname=self.domain),
            ):
                return None
        except ssl.SSLCertVerificationError as error:
            return (
                f"the certificate of {self.domain} at {address} is not valid: {error.verify_message}. Was it issued by "
                "a staging or private authority (acme_staging, acme_ca_bundle), or does another server answer there?"
            )
        except ssl.SSLError:
            return f"there is no certificate for {self.domain} yet: the proxy at {address} refuses TLS for it."
        except OSError as error:
            return f"nothing answers at {address}, port 443 ({error}): is a firewall of the provider in between?"

    def certificate_age(self) -> str | None:
        """The certificate is not about to end: with less than this, its renewal has been failing for days."""
        for address in self.addresses:
            with (
                socket.create_connection((address, 443), timeout=PATIENCE_SECONDS) as connection,
                self._trust.wrap_socket(connection, server_hostname=self.domain) as secured,
            ):
                found = secured.getpeercert() or {}
            begin, end = (ssl.cert_time_to_seconds(str(found[each])) for each in ("notBefore", "notAfter"))
            if (left := end - time.time()) < least_seconds(begin, end):
                return (
                    f"the certificate of {self.domain} at {address} ends in {int(left // DAY)} days, and every try to "
                    "renew it has failed. What acme-companion says: docker logs proxy-acme-companion-1 on the server."
                )
        return None

    def redirect(self) -> str | None:
        """Plain HTTP leads to HTTPS, and a POST stays a POST."""
        for method, statuses in (("GET", (301, 308)), ("POST", (307, 308))):
            response = self.get("/", scheme="http", method=method)
            location = response.headers.get("Location", "")
            if response.status not in statuses or not location.startswith(f"https://{self.domain}/"):
                return (
                    f"a {method} over plain HTTP got {response.status} and Location '{location}' "
                    "instead of a redirect to HTTPS."
                )
        return None

    def health(self) -> str | None:
        """Mastodon answers."""
        response = self.get("/health")
        if response.status == 200:
            return None
        return f"https://{self.domain}/health got {response.status}: does the service web run?"

    def strict_transport_security(self) -> str | None:
        """Exactly one Strict-Transport-Security header: two are void (RFC 6797, section 8.1)."""
        headers = self.get("/").headers.getlist("Strict-Transport-Security")
        return None if len(headers) == 1 else f"{len(headers)} Strict-Transport-Security headers instead of one."

    def instance_version(self) -> str | None:
        """The instance knows its name and runs the release that was asked for."""
        # Past the cache, which keeps for five minutes what the old release answered while the new one started.
        response = self.get(f"/api/v2/instance?at={time.time()}")
        if response.status != 200:
            return f"/api/v2/instance got {response.status}."
        try:
            version = str(json.loads(response.data)["version"])
        except (ValueError, KeyError, TypeError):
            return "/api/v2/instance is not what Mastodon answers."
        # A build of one's own adds "+something".
        if version.split("+")[0] == self.version:
            return None
        return f"the site runs {version}, not {self.version}."

    def streaming(self) -> str | None:
        """The streaming server answers through both proxies."""
        response = self.get("/api/v1/streaming/health")
        if response.status == 200 and response.data.strip() == b"OK":
            return None
        return f"/api/v1/streaming/health got {response.status}: does the service streaming run?"

    def unknown_host(self) -> str | None:
        """A name that is not ours gets nothing of ours, neither over TLS nor over plain HTTP."""
        # Without the default context's authorities, which nobody needs here and which take 20 ms to read.
        anonymous = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anonymous.check_hostname = False
        anonymous.verify_mode = ssl.CERT_NONE
        try:
            with (
                socket.create_connection((self.target, 443), timeout=PATIENCE_SECONDS) as connection,
                anonymous.wrap_socket(connection, server_hostname=UNKNOWN_HOST),
            ):
                return "the proxy completes TLS for a host name it does not know."
        except OSError:
            pass
        response = self.get("/", scheme="http", host=UNKNOWN_HOST)
        if response.status >= 400:
            return None
        return f"an unknown host name got {response.status} over plain HTTP instead of a refusal."

    def closed_ports(self, published: Iterable[tuple[str, int, str]], open_ports: Collection[int] = ()) -> str | None:
        """
        No container answers but on 80 and 443.

        `published`: (address, port, "project/service", or the container's name without a project) of every port that a
        container publishes. `open_ports`: those that may answer as well.
        """
        services = {port: service for _, port, service in published if port not in (80, 443)}
        ports = sorted({*INNER_PORTS, *services}.difference(open_ports))
        if not ports:
            return None
        with ThreadPoolExecutor(len(ports)) as pool:
            opened = [port for port, answers in zip(ports, pool.map(self._answers, ports), strict=True) if answers]
        if not opened:
            return None
        names = ", ".join(f"{port} ({services[port]})" if port in services else str(port) for port in opened)
        return (
            f"more than 80 and 443 answers from outside: {names}. Publish on 127.0.0.1 only, or close the firewall; "
            f"what is meant to be open goes into verify_open_ports = {opened}."
        )

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca_bundle:
            context.load_verify_locations(self.ca_bundle)
        return context

    def get(self, path: str, *, scheme: str = "https", method: str = "GET", host: str = "") -> urllib3.BaseHTTPResponse:
        pool: urllib3.HTTPConnectionPool
        if scheme == "https":
            pool = urllib3.HTTPSConnectionPool(
                self.target,
                443,
                timeout=PATIENCE_SECONDS,
                ssl_context=self._trust,
                server_hostname=self.domain,
                assert_hostname=self.domain,
            )
        else:
            pool = urllib3.HTTPConnectionPool(self.target, 80, timeout=PATIENCE_SECONDS)
        with pool:
            return pool.request(method, path, headers={"Host": host or self.domain}, redirect=False, retries=False)

    def _answers(self, port: int) -> bool:
        return any(_accepts_connections(address, port) for address in self.addresses)


def _accepts_connections(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=2):
            return True
    except OSError:
        return False


def _has_route_to(address: str) -> bool:
    """Whether this machine knows a way there. Connecting a UDP socket sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 443))
    except OSError:
        return False
    return True


def patiently(check: Callable[[], str | None], deadline: float) -> str | None:
    """Repeat `check` until it is content or `deadline` (of time.monotonic) has passed. Returns its last answer."""
    while (problem := attempt(check)) and time.monotonic() < deadline:
        time.sleep(1)
    return problem


def attempt(check: Callable[[], str | None]) -> str | None:
    """The check's answer; a connection that breaks is a problem like any other."""
    try:
        return check()
    except (OSError, urllib3.exceptions.HTTPError) as error:
        return f"no answer ({error})."
