"""The upstream blocks: where the proxy reaches the containers of a path."""

from __future__ import annotations

from docker_engine import Container
from nginx_http_level import block
from virtual_hosts import Location, VirtualHost, from_label, sha1


def upstream_name(host: VirtualHost, path: str) -> str:
    """What the upstream of a path is called: the host, with a digest of any path but /."""
    name = host.file_name if host.is_expression else host.name
    return name if path == "/" else f"{name}-{sha1(path)}"


def upstream(host: VirtualHost, path: str, proxy: Container | None) -> list[str]:
    """The upstream block of a path: one server for each container that the proxy can reach, or one that is down."""
    location = host.locations[path]
    balance = from_label(location.containers, "loadbalance")
    body = [balance] if balance else []
    servers = 0
    for port in sorted(location.ports):
        for container in location.ports[port]:
            exposed = [each.split("/")[0] for each in container.ports]
            number = port if port != "default" else exposed[0] if len(exposed) == 1 else "80"
            address = _address(container, proxy)
            body += [
                f"# Container: {container.name}",
                f"#     networks: {' '.join(container.networks)}; ports: {' '.join(container.ports)}",
            ]
            if any(each.split("/")[0] == number for each in container.published):
                body.append("#     WARNING: this port is published, so clients can go around the proxy.")
            if address:
                servers += 1
                body.append(f"server {address}:{number};")
    idle = keepalive(location)
    if not servers:
        body.append("server 127.0.0.1 down;")
    elif idle != "disabled":
        body.append(f"keepalive {servers * 2 if idle == 'auto' else idle};")
    return block(f"upstream {upstream_name(host, path)}", body)


def keepalive(location: Location) -> str:
    """How many idle connections to keep: a number, "auto" or "disabled"."""
    return from_label(location.containers, "keepalive", "auto")


def _address(container: Container, proxy: Container | None) -> str:
    """Where the proxy reaches the container: on the first network, by name, that both share; else ""."""
    for name, network in container.networks.items():
        if name == "ingress" or not proxy or name not in proxy.networks:
            continue
        if network.ipv4:
            return network.ipv4
        if network.ipv6:
            return f"[{network.ipv6}]"
    return ""
