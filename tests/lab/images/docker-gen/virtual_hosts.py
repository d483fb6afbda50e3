"""
Which host names and paths the containers serve, and how: what nginx-proxy's template works out first.

Where containers of one host disagree on a variable, the template takes any value; this takes the first sorted.
"""

from __future__ import annotations

import os

from docker_engine import Container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CERTIFICATES = "/etc/nginx/certs"
LABEL_PREFIX = "com.github.nginx-proxy.nginx-proxy."
PROTOCOLS = ("http", "https")


class TemplateError(Exception):
    """The template cannot be filled in; docker-gen exits on it."""


def parse_bool(text: str) -> bool:
    """A truth value as Go's strconv.ParseBool spells it. Raises TemplateError."""
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    raise TemplateError(f'error calling parseBool: strconv.ParseBool: parsing "{text}": invalid syntax')


def sha1(text: str) -> str:
    """The digest that names files and upstreams of a path."""
    if text == "/":
        return "42099b4af021e53fd8fd4e056c2568d7c2e3ffa8"
    # Imported late: it brings OpenSSL (5 MB), and most servers have no path but /.
    import hashlib

    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def from_environment(containers: Iterable[Container], name: str, default: str = "") -> str:
    """The value that the containers give a variable; `default` where none does or it is empty."""
    values = sorted({each.environment[name] for each in containers if name in each.environment})
    return (values[0] if values else "") or default


def from_label(containers: Iterable[Container], name: str, default: str = "") -> str:
    """The same for a label of nginx-proxy's."""
    label = LABEL_PREFIX + name
    values = sorted({each.labels[label] for each in containers if label in each.labels})
    return (values[0] if values else "") or default


class Location:
    """A path of a host, with the containers that serve it by VIRTUAL_PORT ("default" where not given)."""

    def __init__(self, destination: str, protocol: str) -> None:
        if protocol not in PROTOCOLS:
            raise TemplateError(f"VIRTUAL_PROTO={protocol} is not modelled by this stand-in")
        self.destination = destination
        self.protocol = protocol
        self.ports: dict[str, list[Container]] = {}

    @property
    def containers(self) -> list[Container]:
        """Every container of this path, in the order in which the template writes them."""
        return [container for port in sorted(self.ports) for container in self.ports[port]]


class VirtualHost:
    """A host name: its paths, and once all containers are known, its settings."""

    def __init__(self, name: str, http_port: str, https_port: str) -> None:
        self.name = name
        self.http_port = http_port
        self.https_port = https_port
        self.locations: dict[str, Location] = {}
        self.is_expression = name.startswith("~")
        self.file_name = sha1(name) if self.is_expression else name

    def settle(self, environment: Mapping[str, str]) -> None:
        """Work out the settings: the containers' variables, else docker-gen's own, else the defaults."""
        containers = [each for path in sorted(self.locations) for each in self.locations[path].containers]

        def setting(name: str, default: str) -> str:
            return from_environment(containers, name, environment.get(name) or default)

        def labelled(label: str, name: str, default: str) -> str:
            return from_label(containers, label, environment.get(name) or default)

        trust_default = parse_bool(labelled("trust-default-cert", "TRUST_DEFAULT_CERT", "true"))
        self.certificate = self._certificate(containers, trust_default)
        self.default = environment.get("DEFAULT_HOST") == self.name
        self.https_method = setting("HTTPS_METHOD", "redirect")
        if (
            self.https_method in ("nohttp", "redirect")
            and not self.certificate
            and parse_bool(setting("ENABLE_HTTP_ON_MISSING_CERT", "true"))
        ):
            self.https_method = "noredirect"
        self.non_get_redirect = labelled("non-get-redirect", "NON_GET_REDIRECT", "301")
        self.http2 = parse_bool(labelled("http2.enable", "ENABLE_HTTP2", "true"))
        if parse_bool(labelled("http3.enable", "ENABLE_HTTP3", "false")):
            raise TemplateError("HTTP/3 is not modelled by this stand-in")
        if parse_bool(labelled("debug-endpoint", "DEBUG_ENDPOINT", "false")):
            raise TemplateError("the debug endpoint is not modelled by this stand-in")
        challenge = setting("ACME_HTTP_CHALLENGE_LOCATION", "true")
        self.challenge_legacy = challenge == "legacy"
        self.challenge = not self.challenge_legacy and parse_bool(challenge)
        self.server_tokens = from_environment(containers, "SERVER_TOKENS").strip()
        self.ssl_policy = from_environment(containers, "SSL_POLICY")
        self.ssl_verify_client = from_label(containers, "ssl_verify_client", "on")
        self.hsts = setting("HSTS", "max-age=31536000").strip()

    def _certificate(self, containers: list[Container], trust_default: bool) -> str:
        """The name of the certificate, "" where there is none with its key.

        A variable names it, or the host, or the domain above the host, or it is the default certificate.
        """
        parent = self.name.partition(".")[2] if self.name.count(".") > 1 else ""
        candidates = (
            from_environment(containers, "CERT_NAME"),
            self.name if os.path.exists(f"{CERTIFICATES}/{self.name}.crt") else "",
            parent if parent and os.path.exists(f"{CERTIFICATES}/{parent}.crt") else "",
            "default" if trust_default and has_certificate("default") else "",
        )
        chosen = next(filter(None, candidates), "")
        return chosen if chosen and has_certificate(chosen) else ""


def has_certificate(name: str) -> bool:
    """Whether both the certificate and its key can be found, behind symbolic links as well."""
    return all(os.path.exists(f"{CERTIFICATES}/{name}.{kind}") for kind in ("crt", "key"))


def collect(containers: Iterable[Container], environment: Mapping[str, str]) -> list[VirtualHost]:
    """The hosts that the containers ask for by VIRTUAL_HOST, sorted by name. Raises TemplateError."""
    by_name: dict[str, list[Container]] = {}
    for container in containers:
        if "VIRTUAL_HOST_MULTIPORTS" in container.environment:
            raise TemplateError("VIRTUAL_HOST_MULTIPORTS is not modelled by this stand-in")
        for name in filter(None, map(str.strip, container.environment.get("VIRTUAL_HOST", "").split(","))):
            by_name.setdefault(name, []).append(container)
    hosts = [_host(name, by_name[name], environment) for name in sorted(by_name)]
    for host in hosts:
        host.settle(environment)
    return hosts


def _host(name: str, containers: list[Container], environment: Mapping[str, str]) -> VirtualHost:
    http_port = from_environment(containers, "EXTERNAL_HTTP_PORT", environment.get("HTTP_PORT") or "80")
    https_port = from_environment(containers, "EXTERNAL_HTTPS_PORT", environment.get("HTTPS_PORT") or "443")
    host = VirtualHost(name, http_port, https_port)
    by_path: dict[str, list[Container]] = {}
    for container in containers:
        by_path.setdefault(container.environment.get("VIRTUAL_PATH", "/"), []).append(container)
    for path, members in by_path.items():
        protocol = from_environment(members, "VIRTUAL_PROTO", "http").strip()
        location = host.locations[path] = Location(from_environment(members, "VIRTUAL_DEST"), protocol)
        for member in members:
            location.ports.setdefault(member.environment.get("VIRTUAL_PORT", "default"), []).append(member)
    return host
