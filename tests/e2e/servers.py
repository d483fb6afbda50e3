"""
Servers as they are found: somebody was there before, and the suite joins them or says in words what to do.

Each row is one server. They are asked in their order; rows of one base follow each other (tests/e2e/test_servers.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Base = Literal["bare", "with Docker", "deployed"]
BARE: Base = "bare"
DOCKER: Base = "with Docker"
DEPLOYED: Base = "deployed"

LOOKS = ("tasks/preflight.py",)
ENGINE = ("tasks/preflight.py", "tasks/swap.py", "tasks/docker.py", "tasks/networks.py")
EVERYTHING = ("deploy.py",)
IMAGE = "nginx:1.30-alpine"


@dataclass(frozen=True)
class Row:
    """
    there: what is there, for the reader. base: the server it is done to.

    prepare: run by root. says: words of the run, each of which must be there. joined: it must succeed, and the run
    after it change nothing; otherwise it must refuse, and nothing may have changed. files: what is run. settings: of
    this run. works: a command that must succeed afterwards, on the server; its neighbour is still well. reboots: before
    that. undo: puts everything back, "" where only a fresh server helps. sample: part of the sample of `make test`.
    """

    there: str
    base: Base = BARE
    prepare: str = ":"
    says: tuple[str, ...] = ()
    joined: bool = False
    files: tuple[str, ...] = LOOKS
    settings: Mapping[str, Any] = field(default_factory=dict)
    works: str = ":"
    reboots: bool = False
    undo: str = ""
    sample: bool = False


def refused(there: str, base: Base, prepare: str, *says: str, undo: str = "", **more: Any) -> Row:
    """A server on which the run says no."""
    return Row(there, base, prepare, says, undo=undo, **more)


def joins(there: str, base: Base, prepare: str, *says: str, works: str = ":", undo: str = "", **more: Any) -> Row:
    """A server that the run takes as it is."""
    return Row(there, base, prepare, says, joined=True, files=more.pop("files", ENGINE), works=works, undo=undo, **more)


def runs(name: str, options: str = "", command: str = "") -> str:
    """A container of somebody else."""
    return f"docker run --detach --restart always --name {name} {options} {IMAGE} {command} >/dev/null"


def daemon_json(text: str, restart: bool = True) -> str:
    """Somebody's own configuration of the engine."""
    put = f"mkdir -p /etc/docker && cat >/etc/docker/daemon.json <<'END'\n{text}\nEND\n"
    return put + ("systemctl restart docker" if restart else ":")


PLAIN = (
    "rm -f /etc/docker/daemon.json; docker rm --force $(docker ps --all --quiet) 2>/dev/null; systemctl restart docker"
)
NO_DROP_IN = "rm -r /etc/systemd/system/docker.service.d && systemctl daemon-reload && systemctl restart docker"


def unit(options: str) -> str:
    """Options that somebody gave the daemon by a drop-in of its unit."""
    return (
        "mkdir -p /etc/systemd/system/docker.service.d && printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/dockerd "
        f"-H fd:// --containerd=/run/containerd/containerd.sock {options}\\n' "
        ">/etc/systemd/system/docker.service.d/own.conf && systemctl daemon-reload && systemctl restart docker"
    )


ENGINES = [
    refused(
        "Docker in Swarm mode",
        DOCKER,
        "docker swarm init --advertise-addr 127.0.0.1 >/dev/null",
        "Swarm mode",
        "docker swarm leave --force",
        "another server",
        undo="docker swarm leave --force",
        sample=True,
    ),
    refused(
        "Docker in Swarm mode that does not start, because of live-restore",
        DOCKER,
        "docker swarm init --advertise-addr 127.0.0.1 >/dev/null; "
        + daemon_json('{"live-restore": true}', restart=False)
        + "; systemctl restart docker || true",
        "Swarm mode",
        "take it out first",
        undo="rm /etc/docker/daemon.json; systemctl reset-failed docker; systemctl restart docker"
        " && docker swarm leave --force",
    ),
    refused(
        "a daemon.json that is no JSON",
        DOCKER,
        daemon_json('{"mtu": 1400,}', restart=False),
        "/etc/docker/daemon.json is not valid",
        "line 1 column",
        undo=PLAIN,
    ),
    refused(
        "a daemon.json with a key that the engine does not know",
        DOCKER,
        daemon_json('{"registry-mirors": ["https://mirror.example.org"]}', restart=False),
        "would not start again",
        "registry-mirors",
        undo=PLAIN,
    ),
    refused(
        "a daemon.json that is a link",
        DOCKER,
        "echo '{\"debug\": false}' >/etc/docker/managed.json && ln -s managed.json /etc/docker/daemon.json",
        "is a link to /etc/docker/managed.json",
        "cp --remove-destination",
        undo=PLAIN,
    ),
    refused(
        "an option that stands in daemon.json and in the unit",
        DOCKER,
        unit("--debug") + "; " + daemon_json('{"debug": true}', restart=False),
        "both as a flag and in the configuration file: debug",
        undo="rm /etc/docker/daemon.json; " + NO_DROP_IN,
    ),
    refused(
        "Docker without firewall rules (iptables: false)",
        DOCKER,
        daemon_json('{"iptables": false}'),
        "iptables: false",
        'Take "iptables" out',
        undo=PLAIN,
    ),
    refused(
        "Docker with users of its own in containers (userns-remap)",
        DOCKER,
        daemon_json('{"userns-remap": "default"}', restart=False),
        "userns-remap",
        undo=PLAIN,
    ),
    refused(
        "a container that publishes without an address",
        DOCKER,
        runs("other", "--publish 8025:80"),
        "The container other publishes port 8025 without an address",
        'docker_bind_address = "0.0.0.0"',
        "0.0.0.0:8025:",
        undo="docker rm --force other",
        sample=True,
    ),
    refused(
        "a Compose project that publishes without an address",
        DOCKER,
        "docker network create shop_default >/dev/null; "
        + runs("shop-web-1", "--network shop_default --publish 8026:80"),
        "The container shop-web-1 publishes port 8026",
        "its network is made anew",
        undo="docker rm --force shop-web-1; docker network rm shop_default",
    ),
    refused(
        "a member of the group docker",
        DOCKER,
        "gpasswd --add operator docker",
        "operator may use Docker",
        'docker_users = ["operator"]',
        "gpasswd --delete operator docker",
        undo="gpasswd --delete operator docker",
    ),
    refused(
        "no account for one of docker_users",
        DOCKER,
        ":",
        "docker_users names alice",
        "adduser alice",
        undo=":",
        settings={"docker_users": ["alice"]},
    ),
    refused(
        "an engine that is too old",
        DOCKER,
        ":",
        "Docker Engine 5:24.0.9-1~debian.12~bookworm is too old",
        "25.0 or newer",
        undo=":",
        settings={"docker_version": "5:24.0.9-1~debian.12~bookworm"},
    ),
    refused(
        "an old Compose that goes before the one of the packages",
        DOCKER,
        "mkdir -p /usr/local/lib/docker/cli-plugins && cd /usr/local/lib/docker/cli-plugins && printf '#!/bin/sh\\necho"
        """ \\047{"SchemaVersion":"0.1.0","Vendor":"Docker Inc.","Version":"v2.2.3"}\\047\\n' >docker-compose"""
        " && chmod +x docker-compose",
        "/usr/local/lib/docker/cli-plugins/docker-compose (Compose 2.2.3)",
        "mv /usr/local/lib/docker/cli-plugins/docker-compose",
        undo="rm -r /usr/local/lib/docker",
    ),
    refused(
        "packages that are held",
        DOCKER,
        "apt-mark hold git >/dev/null",
        "apt may not touch git",
        "apt-mark unhold git",
        undo="apt-mark unhold git >/dev/null",
    ),
    joins(
        "Docker's own packages, plain",
        DOCKER,
        runs("shop", "--publish 127.0.0.1:8025:80"),
        works="docker ps --format '{{.Names}} {{.Status}}' | grep -q '^shop Up'",
        sample=True,
    ),
    joins(
        "Docker's packages, held in a version that will do",
        DOCKER,
        "apt-mark hold docker-ce docker-ce-cli containerd.io >/dev/null",
        works="apt-mark showhold | grep -q docker-ce-cli",
    ),
    joins(
        "a daemon.json with a place, MTU and DNS of its own, and a container",
        DOCKER,
        daemon_json(
            '{"data-root": "/var/lib/docker/two", "dns": ["{internet}"], "default-network-opts": {"bridge": '
            '{"com.docker.network.driver.mtu": "1400"}}}'
        )
        + "; "
        + runs("shop"),
        works="docker ps --format '{{.Names}} {{.Status}}' | grep -q '^shop Up' && docker network inspect front | grep"
        ' -q \'"com.docker.network.driver.mtu": "1400"\' && grep -q live-restore /etc/docker/daemon.json',
        sample=True,
    ),
    joins(
        "a daemon.json with another log driver and no live-restore",
        DOCKER,
        daemon_json(
            '{"log-driver": "local", "log-opts": {"max-size": "50m", "compress": "false"}, "live-restore": false}'
        )
        + "; "
        + runs("shop"),
        "log-driver stays as it is",
        works="docker inspect --format '{{.HostConfig.LogConfig.Type}}' $(docker create nginx:1.30-alpine) | grep"
        " -qx local && docker info --format '{{.LiveRestoreEnabled}}' | grep -qx true"
        " && docker ps --format '{{.Names}} {{.Status}}' | grep -q '^shop Up'",
    ),
    joins(
        "options of the unit (log driver, live-restore)",
        DOCKER,
        unit("--log-driver=local --log-opt max-size=20m --live-restore") + "; " + runs("shop"),
        "log-driver stays as it is",
        works="systemctl restart docker && docker ps --format '{{.Names}} {{.Status}}' | grep -q '^shop Up'",
        sample=True,
    ),
    joins(
        "a container that publishes without an address, and docker_bind_address",
        DOCKER,
        runs("other", "--publish 8025:80"),
        settings={"docker_bind_address": "0.0.0.0", "verify_open_ports": [8025]},  # noqa: S104 (the remedy that is named)
        reboots=True,
        works="docker port other 80 | grep -q 0.0.0.0:8025",
    ),
    joins(
        "a member of the group docker that docker_users names",
        DOCKER,
        "gpasswd --add operator docker",
        settings={"docker_users": ["operator"]},
        works="id -nG operator | grep -qw docker",
    ),
]

ROWS = [*ENGINES]
