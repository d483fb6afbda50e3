"""The directives of nginx's http level that nginx.tmpl writes whatever the containers are."""

from __future__ import annotations

import os

from virtual_hosts import TemplateError, parse_bool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_FORMAT = (
    '$host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" "$upstream_addr"'
)
JSON_LOG_FIELDS = {
    "time_local": "$time_iso8601",
    "client_ip": "$http_x_forwarded_for",
    "remote_addr": "$remote_addr",
    "request": "$request",
    "status": "$status",
    "body_bytes_sent": "$body_bytes_sent",
    "request_time": "$request_time",
    "upstream_response_time": "$upstream_response_time",
    "upstream_addr": "$upstream_addr",
    "http_referrer": "$http_referer",
    "http_user_agent": "$http_user_agent",
    "request_id": "$request_id",
}
# Mozilla's recommendations.
SSL_POLICIES = {
    "Mozilla-Modern": (
        "ssl_protocols TLSv1.3;",
        # OpenSSL takes the ciphers of TLS 1.3 from the command; nginx wants a list of the older ones all the same.
        "ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;",
        "ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256;",
        "ssl_prefer_server_ciphers off;",
    ),
    "Mozilla-Intermediate": (
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_ciphers 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
        "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305';",
        "ssl_prefer_server_ciphers off;",
    ),
}


def block(head: str, body: list[str]) -> list[str]:
    """The lines of a block directive."""
    return [f"{head} {{", *("    " + line for line in body), "}"]


def flag(environment: Mapping[str, str], name: str, default: str) -> bool:
    """A variable that is true or false. Raises TemplateError."""
    return parse_bool(environment.get(name) or default)


def http_level(environment: Mapping[str, str]) -> list[str]:
    """Maps, log format, TLS policy and the headers for upstreams, from docker-gen's own environment.

    Raises TemplateError.
    """
    trust = flag(environment, "TRUST_DOWNSTREAM_PROXY", "true")

    def choose(received: str, target: str, own: str) -> list[str]:
        return block(f"map {received} {target}", [f"default {received if trust else own};", f"'' {own};"])

    lines = [
        *choose("$proxy_add_x_forwarded_for", "$proxy_x_forwarded_for", "$remote_addr"),
        *choose("$http_x_forwarded_proto", "$proxy_x_forwarded_proto", "$scheme"),
        *choose("$http_x_forwarded_host", "$proxy_x_forwarded_host", "$host"),
        *block(
            "map $http_x_forwarded_port $_proxy_x_forwarded_port",
            [f"default {'$http_x_forwarded_port' if trust else '$server_port'};"],
        ),
        *block(
            "map $_proxy_x_forwarded_port $proxy_x_forwarded_port",
            ["default $_proxy_x_forwarded_port;", "'' $server_port;"],
        ),
        *block("map $server_port $host_port", ["default :$server_port;", "80 '';", "443 '';"]),
        *block("map $http_upgrade $proxy_connection", ["default upgrade;", "'' $proxy_connection_noupgrade;"]),
        *block("map $upstream_keepalive $proxy_connection_noupgrade", ["default close;", "true '';"]),
        *block('map "" $upstream_keepalive', ["default false;"]),
        "server_names_hash_bucket_size 128;",
    ]
    if os.path.exists("/etc/nginx/dhparam/dhparam.pem"):
        lines.append("ssl_dhparam /etc/nginx/dhparam/dhparam.pem;")
    lines += [
        *block("map $proxy_x_forwarded_proto $proxy_x_forwarded_ssl", ["default off;", "https on;"]),
        "gzip_types text/plain text/css application/javascript application/json application/x-javascript "
        "text/xml application/xml application/xml+rss text/javascript;",
        _log_format(environment),
        "access_log off;",
        *ssl_policy(environment.get("SSL_POLICY") or "Mozilla-Intermediate"),
        "error_log /dev/stderr;",
    ]
    if resolvers := environment.get("RESOLVERS"):
        lines.append(f"resolver {resolvers};")
    if os.path.exists("/etc/nginx/proxy.conf"):
        return [*lines, "include /etc/nginx/proxy.conf;"]
    return [
        *lines,
        "proxy_http_version 1.1;",
        "proxy_set_header Host $host$host_port;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection $proxy_connection;",
        "proxy_set_header X-Real-IP $remote_addr;",
        "proxy_set_header X-Forwarded-For $proxy_x_forwarded_for;",
        "proxy_set_header X-Forwarded-Host $proxy_x_forwarded_host;",
        "proxy_set_header X-Forwarded-Proto $proxy_x_forwarded_proto;",
        "proxy_set_header X-Forwarded-Ssl $proxy_x_forwarded_ssl;",
        "proxy_set_header X-Forwarded-Port $proxy_x_forwarded_port;",
        "proxy_set_header X-Original-URI $request_uri;",
        'proxy_set_header Proxy "";',
    ]


def _log_format(environment: Mapping[str, str]) -> str:
    as_json = flag(environment, "LOG_JSON", "false")
    fields = ",".join(f'"{name}":"{value}"' for name, value in JSON_LOG_FIELDS.items())
    escape = environment.get("LOG_FORMAT_ESCAPE") or ("json" if as_json else "default")
    text = environment.get("LOG_FORMAT") or (f"{{{fields}}}" if as_json else LOG_FORMAT)
    return f"log_format vhost escape={escape} '{text}';"


def ssl_policy(name: str) -> list[str]:
    """Protocols and ciphers of a policy, none for "". Raises TemplateError."""
    if not name:
        return []
    if name not in SSL_POLICIES:
        raise TemplateError(f"SSL_POLICY={name} is not modelled by this stand-in")
    return [*SSL_POLICIES[name]]
