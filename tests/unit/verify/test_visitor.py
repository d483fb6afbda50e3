"""Every check of mstdn/verify/visitor.py, held against a site that misbehaves in the way that the check is for."""

from __future__ import annotations

import datetime
import errno
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyinfra.api import StringCommand

from mstdn.shell import script
from mstdn.verify.handles import Handles
from mstdn.verify.operations import MailServer, verified_site
from mstdn.verify.operations import Site as TheSite
from mstdn.verify.visitor import INNER_PORTS, Visitor, attempt, patiently
from tests.harness import Command, commands_of, container_line
from tests.stand_ins.operator import Sleeper

DOMAIN = "social.example.org"
ADDRESS = "203.0.113.7"
IPV6_ADDRESS = "2001:db8::7"
VERSION = "4.7.60"
STRICT = ("Strict-Transport-Security", "max-age=31536000")
Answer = tuple[int, list[tuple[str, str]], bytes]


def answer(status: int, body: str = "", *headers: tuple[str, str]) -> Answer:
    return status, [STRICT, *headers], body.encode()


def instance(version: str) -> Answer:
    return answer(200, json.dumps({"domain": DOMAIN, "version": version}))


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, directory: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test root")])
        self._directory = directory
        self.bundle = directory / "root.pem"
        root = self._builder(self._name, self._key, days=30)
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        root = root.add_extension(usage, critical=True)
        self.bundle.write_bytes(root.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        key_identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=60))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(key_identifier, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )

    def issue(self, domain: str, *, days: int = 30) -> Path:
        """A file with key and certificate for the domain; negative days make one that has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(x509.Name([]), key, days)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=True)
        certificate = builder.sign(self._key, hashes.SHA256())
        file = self._directory / f"{domain}{days}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return file


@dataclass
class Site:
    """
    A site as it should be; a test breaks one thing of it. `ports` are what else answers at the address.

    `unrouted`: addresses that this machine has no way to. `silent`: those at which nothing answers.
    """

    certificate: Path
    over_https: dict[str, Answer] = field(
        default_factory=lambda: {
            "/": answer(200),
            "/health": answer(200, "OK"),
            "/api/v2/instance": instance(VERSION),
            "/api/v1/streaming/health": answer(200, "OK"),
        }
    )
    over_http: dict[str, Answer] = field(
        default_factory=lambda: {
            "GET": answer(301, "", ("Location", f"https://{DOMAIN}/")),
            "POST": answer(308, "", ("Location", f"https://{DOMAIN}/")),
        }
    )
    for_strangers: Answer = field(default_factory=lambda: answer(503))
    knows_every_name: bool = False
    has_certificate: bool = True
    answers: bool = True
    asked: list[str] = field(default_factory=list)
    ports: set[int] = field(default_factory=set)
    unrouted: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)


def handler_of(site: Site, *, https: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _respond(self) -> None:
            known = self.headers["Host"] == DOMAIN
            over_http = site.over_http[self.command] if known else site.for_strangers
            site.asked.append(self.path)
            status, headers, body = site.over_https[self.path.partition("?at=")[0]] if https else over_http
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _respond  # noqa: N815 (the library's names)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A refused handshake is what some tests are for."""


def tls(site: Site) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(site.certificate)

    def choose(connection: Any, name: str | None, _: ssl.SSLContext) -> int | None:
        if site.has_certificate and (site.knows_every_name or name == DOMAIN):
            return None
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = choose
    return context


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def to_this_family(connecting: socket.socket, server: ThreadingHTTPServer) -> Any:
    """The server's address, as a socket of IPv6 has to be told it as well."""
    host, port = server.server_address[:2]
    return (f"::ffff:{host!s}", port) if connecting.family == socket.AF_INET6 else (host, port)


@pytest.fixture(name="site")
def _site(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The site, running; whatever connects to its address comes to the test's servers instead."""
    site = Site(authority.issue(DOMAIN))
    plain = QuietServer(("127.0.0.1", 0), handler_of(site, https=False))
    secure = QuietServer(("127.0.0.1", 0), handler_of(site, https=True))
    get_request = secure.get_request

    def get_secure_request() -> tuple[Any, Any]:
        connection, address = get_request()
        return tls(site).wrap_socket(connection, server_side=True), address

    monkeypatch.setattr(secure, "get_request", get_secure_request)
    connect = socket.socket.connect

    def redirected(self: socket.socket, address: Any) -> None:
        assert address[0] in (ADDRESS, IPV6_ADDRESS, "127.0.0.1"), f"a check connects to {address}"
        if address[0] == "127.0.0.1":
            return connect(self, address)
        if self.type == socket.SOCK_DGRAM:
            if address[0] in site.unrouted:
                raise OSError(errno.ENETUNREACH, "Network is unreachable")
            return None
        if not site.answers or address[0] in site.silent:
            raise ConnectionRefusedError("Connection refused")
        servers = {80: plain, 443: secure} | dict.fromkeys(site.ports, plain)
        if address[1] not in servers:
            raise ConnectionRefusedError("Connection refused")
        return connect(self, to_this_family(self, servers[address[1]]))

    monkeypatch.setattr(socket.socket, "connect", redirected)
    for server in (plain, secure):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield site
    for server in (plain, secure):
        server.shutdown()
        server.server_close()


@pytest.fixture(name="visitor")
def _visitor(authority: Authority) -> Visitor:
    return Visitor(DOMAIN, (ADDRESS,), str(authority.bundle), VERSION)


@pytest.fixture(name="sleeper", autouse=True)
def _sleeper(monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    """Time to be patient in passes only while a check waits to be repeated."""
    sleeper = Sleeper()
    clock = SimpleNamespace(sleep=sleeper.sleep, monotonic=sleeper.clock, time=time.time)
    monkeypatch.setattr("mstdn.verify.visitor.time", clock)
    monkeypatch.setattr("mstdn.verify.operations.time", clock)
    return sleeper


CHECKS = (
    "name",
    "certificate",
    "certificate_age",
    "redirect",
    "health",
    "strict_transport_security",
    "instance_version",
    "streaming",
    "unknown_host",
)


def problem_of(visitor: Visitor, check: str) -> str:
    """What the check has to say, which must be something."""
    problem = attempt(getattr(visitor, check))
    assert problem is not None, f"{check} noticed nothing"
    return problem


@pytest.mark.parametrize("check", CHECKS)
def test_a_good_site_is_praised(site: Site, visitor: Visitor, check: str) -> None:
    assert attempt(getattr(visitor, check)) is None


def test_a_good_site_has_no_open_ports(site: Site, visitor: Visitor) -> None:
    published = [("203.0.113.7", 80, "proxy/nginx"), ("203.0.113.7", 443, "proxy/nginx")]
    assert visitor.closed_ports(published) is None


def test_a_domain_that_does_not_resolve_is_named(authority: Authority) -> None:
    visitor = Visitor("no-such-host.invalid", (), str(authority.bundle), VERSION)
    assert "no-such-host.invalid does not resolve" in problem_of(visitor, "name")


def test_a_silent_address_makes_one_think_of_a_firewall(site: Site, visitor: Visitor) -> None:
    site.answers = False
    problem = problem_of(visitor, "certificate")
    assert ADDRESS in problem and "443" in problem and "firewall" in problem


def test_every_address_is_visited(site: Site, authority: Authority) -> None:
    visitor = Visitor(DOMAIN, (ADDRESS, IPV6_ADDRESS), str(authority.bundle), VERSION)
    assert attempt(visitor.certificate) is None
    site.silent = {IPV6_ADDRESS}
    assert f"nothing answers at {IPV6_ADDRESS}" in problem_of(visitor, "certificate")


def test_an_address_that_this_machine_has_no_way_to_is_left_out(site: Site, authority: Authority) -> None:
    site.unrouted = site.silent = {IPV6_ADDRESS}
    visitor = Visitor(DOMAIN, (IPV6_ADDRESS, ADDRESS), str(authority.bundle), VERSION)
    assert visitor.target == ADDRESS
    assert attempt(visitor.certificate) is None


def test_without_a_way_to_any_address_the_first_is_named(site: Site, authority: Authority) -> None:
    site.unrouted = site.silent = {IPV6_ADDRESS}
    assert IPV6_ADDRESS in problem_of(Visitor(DOMAIN, (IPV6_ADDRESS,), str(authority.bundle), VERSION), "certificate")


def test_a_certificate_that_is_not_there_yet_is_told_from_a_wrong_one(site: Site, visitor: Visitor) -> None:
    site.has_certificate = False
    assert f"no certificate for {DOMAIN} yet" in problem_of(visitor, "certificate")


def test_an_authority_that_nobody_trusts_is_noticed(site: Site) -> None:
    problem = problem_of(Visitor(DOMAIN, (ADDRESS,), "", VERSION), "certificate")
    assert "not valid" in problem and "acme_ca_bundle" in problem


def test_a_certificate_for_another_name_is_noticed(site: Site, visitor: Visitor, authority: Authority) -> None:
    site.certificate = authority.issue("other.example.org")
    assert "not valid" in problem_of(visitor, "certificate")


def test_an_expired_certificate_is_noticed(site: Site, visitor: Visitor, authority: Authority) -> None:
    site.certificate = authority.issue(DOMAIN, days=-1)
    assert "expired" in problem_of(visitor, "certificate")


def test_a_certificate_that_is_about_to_end_is_noticed(site: Site, visitor: Visitor, authority: Authority) -> None:
    site.certificate = authority.issue(DOMAIN, days=19)
    assert attempt(visitor.certificate) is None
    assert "ends in 18 days" in problem_of(visitor, "certificate_age")


@pytest.mark.parametrize(
    ("method", "reply"),
    [
        pytest.param("GET", answer(200), id="plain HTTP is served"),
        pytest.param("GET", answer(302, "", ("Location", f"https://{DOMAIN}/")), id="a temporary redirect"),
        pytest.param("GET", answer(301, "", ("Location", "https://evil.example.org/")), id="to another host"),
        pytest.param("GET", answer(301, "", ("Location", f"http://{DOMAIN}/")), id="to plain HTTP again"),
        pytest.param("GET", answer(301), id="to nowhere"),
        pytest.param("POST", answer(301, "", ("Location", f"https://{DOMAIN}/")), id="a POST becomes a GET"),
    ],
)
def test_a_wrong_redirect_is_noticed(site: Site, visitor: Visitor, method: str, reply: Answer) -> None:
    site.over_http[method] = reply
    problem = problem_of(visitor, "redirect")
    assert method in problem and str(reply[0]) in problem


def test_a_site_whose_web_does_not_answer_is_noticed(site: Site, visitor: Visitor) -> None:
    site.over_https["/health"] = answer(502)
    assert "502" in problem_of(visitor, "health") and "web" in problem_of(visitor, "health")


@pytest.mark.parametrize("headers", [[], [STRICT, STRICT]], ids=["none", "two"])
def test_any_number_but_one_of_strict_transport_security_headers_is_noticed(
    site: Site, visitor: Visitor, headers: list[tuple[str, str]]
) -> None:
    site.over_https["/"] = (200, headers, b"")
    assert problem_of(visitor, "strict_transport_security").startswith(
        f"{len(headers)} Strict-Transport-Security headers"
    )


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        pytest.param(instance("4.7.5"), "4.7.5, not 4.7.60", id="another release"),
        pytest.param(answer(200, "<html>"), "not what Mastodon answers", id="no JSON"),
        pytest.param(answer(200, "[]"), "not what Mastodon answers", id="other JSON"),
        pytest.param(answer(500), "500", id="an error"),
    ],
)
def test_a_site_that_does_not_run_the_release_is_noticed(
    site: Site, visitor: Visitor, reply: Answer, words: str
) -> None:
    site.over_https["/api/v2/instance"] = reply
    assert words in problem_of(visitor, "instance_version")


def test_which_release_runs_is_asked_past_a_cache(site: Site, visitor: Visitor) -> None:
    assert visitor.instance_version() is visitor.instance_version() is None
    assert len({path for path in site.asked if path.startswith("/api/v2/instance?at=")}) == 2


def test_a_build_of_ones_own_is_the_release_too(site: Site, visitor: Visitor) -> None:
    site.over_https["/api/v2/instance"] = instance(f"{VERSION}+patched")
    assert visitor.instance_version() is None


@pytest.mark.parametrize("reply", [answer(404), answer(200, "<html>")], ids=["not found", "answered by something else"])
def test_streaming_that_does_not_answer_is_noticed(site: Site, visitor: Visitor, reply: Answer) -> None:
    site.over_https["/api/v1/streaming/health"] = reply
    assert "streaming" in problem_of(visitor, "streaming")


def test_tls_for_a_stranger_is_noticed(site: Site, visitor: Visitor) -> None:
    site.knows_every_name = True
    assert "completes TLS" in problem_of(visitor, "unknown_host")


def test_plain_http_for_a_stranger_is_noticed(site: Site, visitor: Visitor) -> None:
    site.for_strangers = answer(200)
    assert "200 over plain HTTP" in problem_of(visitor, "unknown_host")


@pytest.mark.parametrize("port", [2375, 3000, 4000, 5432, 6379, 9090])
def test_an_open_inner_port_is_named(site: Site, visitor: Visitor, port: int) -> None:
    site.ports = {port}
    problem = visitor.closed_ports([])
    assert problem is not None and str(port) in problem


def test_a_published_port_is_named_with_its_service(site: Site, visitor: Visitor) -> None:
    site.ports = {8025}
    assert visitor.closed_ports([]) is None
    problem = visitor.closed_ports([("203.0.113.7", 8025, "mail/catcher")])
    assert problem is not None and "8025 (mail/catcher)" in problem


def test_a_port_that_is_open_by_ipv6_only_is_named(site: Site, authority: Authority) -> None:
    site.ports, site.silent = {5432}, {ADDRESS}
    problem = Visitor(DOMAIN, (ADDRESS, IPV6_ADDRESS), str(authority.bundle), VERSION).closed_ports([])
    assert problem is not None and "5432" in problem


def test_a_port_that_is_meant_to_be_open_is_no_problem(site: Site, visitor: Visitor) -> None:
    site.ports = {25, 8025}
    published = [(ADDRESS, 25, "mail/server"), (ADDRESS, 8025, "mail/web")]
    assert visitor.closed_ports(published, open_ports=(25, 8025)) is None
    problem = visitor.closed_ports(published, open_ports=(25,))
    assert problem is not None and "verify_open_ports = [8025]" in problem and "mail/server" not in problem
    assert visitor.closed_ports([], open_ports=INNER_PORTS) is None


def test_a_connection_that_breaks_is_a_problem_and_no_traceback(site: Site, visitor: Visitor) -> None:
    site.answers = False
    for check in ("redirect", "health", "strict_transport_security", "instance_version", "streaming", "unknown_host"):
        assert problem_of(visitor, check).startswith("no answer")


def test_patience_ends_when_the_site_is_healthy(sleeper: Sleeper) -> None:
    replies = iter(["not yet", None, "never asked"])
    assert patiently(lambda: next(replies), sleeper.now + 60) is None
    assert next(replies) == "never asked"
    assert sleeper.slept == [1]


def test_patience_ends_at_its_deadline(sleeper: Sleeper) -> None:
    assert patiently(lambda: "not yet", sleeper.now - 1) == "not yet"
    assert sleeper.slept == []
    assert patiently(lambda: "not yet", sleeper.now + 3) == "not yet"
    assert sleeper.slept == [1, 1, 1]


# --- The operation ------------------------------------------------------------------------------

LOG = "line Creating/renewal social.example.org certificates...\nline Error: rate limited\nline Sleep for 3600s\n"
MAIL = container_line(
    "mail/catcher",
    published={
        "8025/tcp": [{"HostIp": "", "HostPort": "8025"}],
        "53/udp": [{"HostIp": "", "HostPort": "5353"}],
    },
)
ASKS = "proxy/ask_companion"


def verified(bundle: Path, names: tuple[str, ...] = (DOMAIN,), local_domain: str = DOMAIN, *, here: bool = True) -> Any:
    return TheSite(DOMAIN, names, local_domain, here, (ADDRESS,), str(bundle), VERSION)


def verify_commands(
    bundle: Path,
    *,
    executing: bool = True,
    open_ports: tuple[int, ...] = (),
    names: tuple[str, ...] = (DOMAIN,),
    way_out: str = "mail 0\noutside 0\n",
    local_domain: str = "",
    here: bool = True,
) -> list[Command]:
    return commands_of(
        verified_site,
        {"proxy/companion_log": LOG, "docker/containers": MAIL, "mail/log_in": way_out},
        executing=executing,
        site=verified(bundle, names, local_domain or DOMAIN, here=here),
        open_ports=open_ports,
        mail_server=MailServer("mail.example.net", 587),
        elsewhere="https://acme.example.org/",
        timeout_seconds=1,
    )


def verify(bundle: Path, **options: Any) -> str:
    """What the operation says, "" if it is content."""
    return "".join(command.words[-1] for command in verify_commands(bundle, **options) if command.words)


def test_a_visit_changes_nothing(site: Site, authority: Authority) -> None:
    assert verify_commands(authority.bundle) == []


def test_a_plan_does_not_visit(site: Site, authority: Authority) -> None:
    site.answers = False
    assert verify_commands(authority.bundle, executing=False) == []


def test_every_check_that_failed_is_listed(site: Site, authority: Authority) -> None:
    site.over_https["/"] = (200, [], b"")
    site.over_https["/api/v2/instance"] = instance("4.7.5")
    site.ports = {5432}
    words = verify(authority.bundle)
    assert all(needed in words for needed in ("0 Strict-Transport-Security", "4.7.5, not 4.7.60", "5432"))
    assert "rate limited" not in words


def test_what_may_be_open_is_a_setting(site: Site, authority: Authority) -> None:
    site.ports = {3000}
    assert "3000" in verify(authority.bundle)
    assert verify(authority.bundle, open_ports=(3000,)) == ""


def test_a_missing_certificate_comes_with_the_companions_last_lines(site: Site, authority: Authority) -> None:
    site.has_certificate = False
    words = verify(authority.bundle)
    assert "no certificate" in words
    assert "rate limited" in words
    assert "Sleep for" not in words


def test_for_a_missing_certificate_the_companion_is_asked_once(site: Site, authority: Authority) -> None:
    site.has_certificate = False
    assert [command.script for command in verify_commands(authority.bundle)] == [ASKS, ""]


def test_a_certificate_that_comes_after_the_companion_was_asked_is_good(
    site: Site, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.has_certificate = False

    def ask(name: str, before: str) -> StringCommand:
        assert name == ASKS
        site.has_certificate = True
        return script(name, before=before)

    monkeypatch.setattr("mstdn.verify.operations.script", ask)
    assert [command.script for command in verify_commands(authority.bundle)] == [ASKS]


def test_for_any_other_fault_nobody_is_asked(site: Site, authority: Authority) -> None:
    site.over_https["/api/v2/instance"] = instance("4.7.5")
    assert ASKS not in [command.script for command in verify_commands(authority.bundle)]


def test_ports_that_containers_publish_are_tried_but_not_those_of_udp(site: Site, authority: Authority) -> None:
    site.ports = {8025, 5353}
    words = verify(authority.bundle)
    assert "8025 (mail/catcher)" in words and "5353" not in words


def test_what_keeps_no_visitor_away_is_a_warning_and_no_refusal(
    site: Site, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    site.certificate = authority.issue(DOMAIN, days=10)
    denied = "said 535 5.7.8 no\nmail 67\noutside 0\n"
    assert verify(authority.bundle, way_out=denied) == ""
    warnings = [record.getMessage() for record in caplog.records if "Warning: " in record.getMessage()]
    assert len(warnings) == 2
    assert "ends in 9 days" in warnings[0] and "535 5.7.8 no" in warnings[1]


def test_a_mastodon_that_reaches_nobody_is_a_problem_and_one_that_reaches_only_the_mail_server_a_warning(
    site: Site, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    assert "reach nobody outside" in verify(authority.bundle, way_out="mail 28\noutside 28\n")
    caplog.clear()
    assert verify(authority.bundle, way_out="said 535 no\nmail 67\noutside 28\n") == ""
    warnings = [record.getMessage() for record in caplog.records if "Warning: " in record.getMessage()]
    assert len(warnings) == 2 and "is not reached" in warnings[0] and "SMTP_PASSWORD" in warnings[1]


def test_every_name_of_the_site_is_visited(site: Site, authority: Authority) -> None:
    assert "certificate" in verify(authority.bundle, names=(DOMAIN, "alice.example.org"))


def test_a_healthy_site_is_asked_at_once_for_everything(site: Site, authority: Authority) -> None:
    pages = dict(site.over_https)
    asked_together = threading.Barrier(4)

    class Together(dict[str, Answer]):
        def __getitem__(self, path: str) -> Answer:
            # Each is answered when all four were asked for.
            asked_together.wait(10)
            return pages[path]

    site.over_https = Together()
    assert verify(authority.bundle) == ""


def test_what_is_wrong_for_a_moment_is_looked_at_again(site: Site, authority: Authority) -> None:
    pages = dict(site.over_https)
    streaming = iter([answer(503), answer(503)])

    class Coming(dict[str, Answer]):
        def __getitem__(self, path: str) -> Answer:
            return next(streaming, pages[path]) if "streaming" in path else pages[path]

    site.over_https = Coming()
    assert verify(authority.bundle) == ""
    assert next(streaming, None) is None


# --- Accounts whose name is not the site's ------------------------------------------------------

QUESTION = "/.well-known/webfinger?resource=acct%3Aexample.org%40example.org"
SITE = "other.example.org"


def handles(site: Site, authority: Authority, reply: Answer) -> str | None:
    site.over_https[QUESTION] = reply
    return Handles("example.org", SITE, Visitor(DOMAIN, (ADDRESS,), str(authority.bundle), VERSION)).lead_to_the_site()


@pytest.mark.parametrize(
    "reply",
    [
        answer(301, "", ("Location", f"https://{SITE}{QUESTION}")),
        answer(302, "", ("Location", f"https://{SITE}{QUESTION}")),
        answer(200, '{"subject": "acct:example.org@example.org"}'),
    ],
    ids=["led for good", "led", "answered there"],
)
def test_a_name_whose_questions_are_led_to_the_site_is_content(site: Site, authority: Authority, reply: Answer) -> None:
    assert handles(site, authority, reply) is None


@pytest.mark.parametrize(
    "reply",
    [
        answer(404),
        answer(200, "<html>"),
        answer(301, "", ("Location", f"https://{SITE}/")),
        answer(301, "", ("Location", f"https://www.example.org{QUESTION}")),
    ],
    ids=["not found", "a page", "led to the front page", "led elsewhere"],
)
def test_a_name_whose_questions_get_lost_comes_with_a_line_for_each_web_server(
    site: Site, authority: Authority, reply: Answer
) -> None:
    problem = handles(site, authority, reply)
    assert problem is not None
    for words in ("@…@example.org", "nginx: ", "Apache: ", "Caddy: ", f"https://{SITE}"):
        assert words in problem


def test_a_name_that_nobody_serves_comes_with_its_reason(site: Site, authority: Authority) -> None:
    site.has_certificate = False
    problem = handles(site, authority, answer(404))
    assert problem is not None and "there is no certificate" in problem and "Caddy: " in problem


def test_a_name_that_this_server_answers_for_has_to_lead_to_the_site(site: Site, authority: Authority) -> None:
    site.knows_every_name = True
    words = verify(authority.bundle, local_domain="example.org")
    assert "certificate of example.org" in words and "not valid" in words


def test_a_name_that_somebody_else_serves_wrongly_is_a_warning(
    site: Site, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    assert verify(authority.bundle, local_domain="no-such-host.invalid", here=False) == ""
    assert "does not resolve" in caplog.text and "Caddy: " in caplog.text
