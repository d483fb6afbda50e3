"""
The text of /etc/nginx/conf.d/default.conf: what nginx.tmpl of nginx-proxy 1.11 makes of the containers.

The directives and their order are those of the template, because order decides which server answers for an
unknown host. Comments carry the same facts, so that the text changes (and nginx is told) when it would.
"""

from __future__ import annotations

import os

from docker_engine import Container, own_container_id
from nginx_http_level import block, flag, http_level, ssl_policy
from nginx_upstreams import keepalive, upstream, upstream_name
from virtual_hosts import (
    CERTIFICATES,
    TemplateError,
    VirtualHost,
    collect,
    from_environment,
    has_certificate,
    sha1,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["UNMODELLED", "TemplateError", "render"]

# Variables of docker-gen's own container that this stand-in refuses rather than ignores.
UNMODELLED = (
    "ENABLE_HTTP3",
    "ENABLE_PROXY_PROTOCOL",
    "DEBUG_ENDPOINT",
    "PREFER_IPV6_NETWORK",
    "SHA1_UPSTREAM_NAME",
)
VHOST_D = "/etc/nginx/vhost.d"
HTPASSWD = "/etc/nginx/htpasswd"
CHALLENGE = (
    "auth_basic off;",
    "auth_request off;",
    "allow all;",
    "root /usr/share/nginx/html;",
    "try_files $uri =404;",
    "break;",
)


def render(containers: list[Container], environment: Mapping[str, str]) -> str:
    """The whole file, from the running containers, newest first, and docker-gen's own environment.

    Raises TemplateError.
    """
    hosts = collect(containers, environment)
    proxy = _proxy_container(containers, environment)
    lines = [f"# nginx-proxy version : {environment.get('NGINX_PROXY_VERSION', '')}"]
    if proxy:
        lines += ["# Networks of the proxy:", *(f"#     {name}" for name in proxy.networks)]
    else:
        lines += ["# WARNING: no running container has the label of the proxy; every upstream will be down."]
    lines += http_level(environment)
    lines += _fallback(hosts, environment)
    for host in hosts:
        for path in sorted(host.locations):
            lines += [f"# {host.name}{path}", *upstream(host, path, proxy)]
        lines += _servers(host, environment)
    return "\n".join(lines) + "\n"


def _proxy_container(containers: list[Container], environment: Mapping[str, str]) -> Container | None:
    label = environment.get("NGINX_CONTAINER_LABEL") or "com.github.nginx-proxy.nginx-proxy.nginx"
    labelled = (each for each in containers if label in each.labels)
    own = (each for each in containers if each.id == own_container_id())
    return next(labelled, None) or next(own, None)


def _access_log(environment: Mapping[str, str]) -> list[str]:
    silent = flag(environment, "DISABLE_ACCESS_LOGS", "false")
    return [] if silent else ["access_log /var/log/nginx/access.log vhost;"]


def _listen(port: str, options: str, environment: Mapping[str, str]) -> list[str]:
    addresses = [port] + ([f"[::]:{port}"] if flag(environment, "ENABLE_IPV6", "false") else [])
    return [f"listen {address}{options};" for address in addresses]


def _fallback(hosts: list[VirtualHost], environment: Mapping[str, str]) -> list[str]:
    """The server for unknown hosts: nginx's default, being the first, unless DEFAULT_HOST names another."""
    http = not any(host.default and host.https_method != "nohttp" for host in hosts)
    https = not any(host.default and host.https_method != "nohttps" for host in hosts)
    if not http and not https:
        return []
    body = ["server_name _;", "server_tokens off;", *_access_log(environment), "http2 on;"]
    if http:
        body += _listen(environment.get("HTTP_PORT") or "80", "", environment)
    if https:
        body += _listen(environment.get("HTTPS_PORT") or "443", " ssl", environment)
        body += ["ssl_session_cache shared:SSL:50m;", "ssl_session_tickets off;"]
    if has_certificate("default"):
        body += [f"ssl_certificate{kind} {CERTIFICATES}/default.{end};" for kind, end in (("", "crt"), ("_key", "key"))]
    else:
        body.append("ssl_reject_handshake on;")
    if flag(environment, "ACME_HTTP_CHALLENGE_ACCEPT_UNKNOWN_HOST", "false"):
        body += block("location ^~ /.well-known/acme-challenge/", [*CHALLENGE])
    if os.path.exists("/usr/share/nginx/html/errors/50x.html"):
        body.append("error_page 500 502 503 504 /50x.html;")
        body += block("location /50x.html", ["root /usr/share/nginx/html/errors;", "internal;"])
    return block("server", [*body, *block("location ^~ /", ["return 503;"])])


def _servers(host: VirtualHost, environment: Mapping[str, str]) -> Iterator[str]:
    default = " default_server" if host.default else ""
    common = [f"server_name {host.name};"]
    if host.server_tokens:
        common.append(f"server_tokens {host.server_tokens};")
    common += _access_log(environment)
    if host.http2:
        common.append("http2 on;")
    if host.https_method == "redirect":
        body = [*common, *_listen(host.http_port, default, environment)]
        if host.challenge or host.challenge_legacy:
            body += block("location ^~ /.well-known/acme-challenge/", [*CHALLENGE])
        yield from block("server", [*body, *_redirect(host)])

    body = common
    if host.https_method in ("nohttps", "noredirect"):
        body += _listen(host.http_port, default, environment)
        if host.https_method == "noredirect" and host.challenge:
            body += block("location /.well-known/acme-challenge/", [*CHALLENGE])
    if host.https_method != "nohttps":
        body += [*_listen(host.https_port, f" ssl{default}", environment), *_tls(host)]
    body += _server_include(host) + _client_certificates(host)
    for path in sorted(host.locations):
        body += _location(host, path)
    root_response = environment.get("DEFAULT_ROOT") or "404"
    if "/" not in host.locations and root_response != "none":
        body += block("location /", [f"return {root_response};"])
    yield from block("server", body)


def _redirect(host: VirtualHost) -> list[str]:
    port = "" if host.https_port == "443" else f":{host.https_port}"
    target = f"https://$host{port}$request_uri"
    body = []
    if host.non_get_redirect != "301":
        condition = "if ($request_method ~ (OPTIONS|POST|PUT|PATCH|DELETE))"
        body = block(condition, [f"return {host.non_get_redirect} {target};"])
    return block("location /", [*body, f"return 301 {target};"])


def _tls(host: VirtualHost) -> list[str]:
    if not host.certificate:
        return ["ssl_reject_handshake on;"]
    base = f"{CERTIFICATES}/{host.certificate}"
    lines = [
        *ssl_policy(host.ssl_policy),
        "ssl_session_timeout 5m;",
        "ssl_session_cache shared:SSL:50m;",
        "ssl_session_tickets off;",
        f"ssl_certificate {base}.crt;",
        f"ssl_certificate_key {base}.key;",
    ]
    if os.path.exists(f"{base}.dhparam.pem"):
        lines.append(f"ssl_dhparam {base}.dhparam.pem;")
    if os.path.exists(f"{base}.chain.pem"):
        lines += ["ssl_stapling on;", "ssl_stapling_verify on;", f"ssl_trusted_certificate {base}.chain.pem;"]
    if host.https_method != "noredirect" and host.hsts != "off":
        lines += [
            'set $sts_header "";',
            *block("if ($https)", [f'set $sts_header "{host.hsts}";']),
            "add_header Strict-Transport-Security $sts_header always;",
        ]
    return lines


def _include(path: str) -> str:
    return f"include {path.replace('*', chr(92) + '*')};"


def _server_include(host: VirtualHost) -> list[str]:
    for name in (host.file_name, "default"):
        if os.path.exists(f"{VHOST_D}/{name}"):
            return [_include(f"{VHOST_D}/{name}")]
    return []


def _client_certificates(host: VirtualHost) -> list[str]:
    for name in (f"{host.file_name}.", ""):
        if os.path.exists(f"{CERTIFICATES}/{name}ca.crt"):
            revoked = f"{CERTIFICATES}/{name}{'crl.pem' if name else 'ca.crl.pem'}"
            return [
                f"ssl_client_certificate {CERTIFICATES}/{name}ca.crt;",
                f"ssl_verify_client {host.ssl_verify_client};",
                *([f"ssl_crl {revoked};"] if os.path.exists(revoked) else []),
            ]
    return []


def _location(host: VirtualHost, path: str) -> list[str]:
    name, digest = host.file_name, sha1(path)
    overrides = [f"{VHOST_D}/{name}_{digest}_location_override"]
    if path == "/":
        overrides.append(f"{VHOST_D}/{name}_location_override")
    for override in overrides:
        if os.path.exists(override):
            return [_include(override)]

    location = host.locations[path]
    body = []
    if from_environment(location.containers, "NETWORK_ACCESS", "external") == "internal":
        body.append("include /etc/nginx/network_internal.conf;")
    target = f"{location.protocol}://{upstream_name(host, path)}{location.destination.strip()}"
    reuse = "false" if keepalive(location) == "disabled" else "true"
    body += [f"proxy_pass {target};", f"set $upstream_keepalive {reuse};"]
    for file, realm in (
        (f"{name}_{digest}", f"{name}{path}"),
        (name, "access" if host.is_expression else name),
    ):
        if os.path.exists(f"{HTPASSWD}/{file}"):
            body += [f'auth_basic "Restricted {realm}";', f"auth_basic_user_file {HTPASSWD}/{file};"]
            break
    for file in (f"{name}_{digest}_location", f"{name}_location", "default_location"):
        if os.path.exists(f"{VHOST_D}/{file}"):
            body.append(_include(f"{VHOST_D}/{file}"))
            break
    return block(f"location {path}", body)
