"""
Servers as they are found: somebody was there before, and the suite joins them or says in words what to do.

Each row is one server. Rows of one base follow each other (tests/e2e/test_servers.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mstdn import versions

Base = Literal["bare", "with Docker", "deployed"]
BARE: Base = "bare"
DOCKER: Base = "with Docker"
DEPLOYED: Base = "deployed"

LOOKS = ("tasks/preflight.py",)
ENGINE = ("tasks/preflight.py", "tasks/swap.py", "tasks/docker.py", "tasks/networks.py")
EVERYTHING = ("deploy.py",)
IMAGE = versions.NGINX_IMAGE


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


# systemd starts a service three times a minute, and several rows restart this one.
RESTART = "systemctl reset-failed docker.service docker.socket; systemctl restart docker"


def daemon_json(text: str, restart: bool = True) -> str:
    """Somebody's own configuration of the engine."""
    put = f"mkdir -p /etc/docker && cat >/etc/docker/daemon.json <<'END'\n{text}\nEND\n"
    return put + (RESTART if restart else ":")


PLAIN = f"rm -f /etc/docker/daemon.json; docker rm --force $(docker ps --all --quiet) 2>/dev/null; {RESTART}"
NO_DROP_IN = f"rm -r /etc/systemd/system/docker.service.d && systemctl daemon-reload && {RESTART}"


def unit(options: str) -> str:
    """Options that somebody gave the daemon by a drop-in of its unit."""
    return (
        "mkdir -p /etc/systemd/system/docker.service.d && printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/dockerd "
        f"-H fd:// --containerd=/run/containerd/containerd.sock {options}\\n' "
        f">/etc/systemd/system/docker.service.d/own.conf && systemctl daemon-reload && {RESTART}"
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
        "a daemon.json left over from an engine that is gone",
        BARE,
        daemon_json('{"graph": "/srv/docker"}', restart=False),
        "/etc/docker/daemon.json (graph)",
        "mv /etc/docker/daemon.json /root/",
        undo="rm /etc/docker/daemon.json",
    ),
    refused(
        "Docker with a configuration file of another name",
        DOCKER,
        "mkdir -p /etc/docker && echo '{}' >/etc/docker/own.json; " + unit("--config-file=/etc/docker/own.json"),
        "has the engine read /etc/docker/own.json",
        "cp /etc/docker/own.json /etc/docker/daemon.json",
        undo="rm /etc/docker/own.json; " + NO_DROP_IN,
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
        "apt-mark hold docker-ce docker-ce-cli >/dev/null",
        "apt may not touch docker-ce, docker-ce-cli",
        "apt-mark unhold docker-ce docker-ce-cli",
        settings={"docker_version": "5:29.1.2-1~debian.13~trixie"},
        undo="apt-mark unhold docker-ce docker-ce-cli >/dev/null",
    ),
    joins(
        "Docker's own packages, plain",
        DOCKER,
        runs("shop", "--publish 127.0.0.1:8025:80"),
        works="docker ps --format '{{.Names}} {{.Status}}' | grep -q '^shop Up'",
        sample=True,
    ),
    refused(
        "a stopped container that publishes without an address",
        DOCKER,
        runs("other", "--publish 8025:80") + "; docker stop other >/dev/null",
        "The container other publishes port 8025 without an address",
        "as soon as it is started again",
        "docker rm other",
        undo="docker rm --force other",
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
        works="docker inspect --format '{{.HostConfig.LogConfig.Type}}' $(docker create "
        f"{IMAGE}) | grep"
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
        "options of the unit, all of them in one variable, of which one is the suite's too",
        DOCKER,
        unit("$DOCKER_OPTS").replace(
            "[Service]\\n", r'[Service]\nEnvironment="DOCKER_OPTS=--log-driver=local --debug"\n'
        )
        + "; "
        + runs("shop"),
        "log-driver stays as it is",
        works="systemctl restart docker && docker ps --format '{{.Names}} {{.Status}}' | grep -q '^shop Up'"
        " && docker info 2>/dev/null | grep -q 'Debug Mode: true'",
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


APT = "/etc/apt/sources.list.d"
DOCKER_LINE = "https://download.docker.com/linux/debian trixie stable"


def key_at(path: str, *, packed: bool = True) -> str:
    """Docker's key where another tool puts it."""
    fetch = "apt-get install -qq --yes --no-install-recommends curl gpg ca-certificates >/dev/null 2>&1; curl -fsSL"
    unpack = f"gpg --dearmor --yes -o {path}" if packed else f"cat >{path}"
    return f"apt-get update -qq; {fetch} https://download.docker.com/linux/debian/gpg | {unpack}"


UPDATES = "apt-get update -qq 2>&1 | grep . && exit 1; apt-get update -qq"

SOURCES = [
    joins(
        "Docker's repository under Ansible's name, with a key of its own",
        BARE,
        key_at("/usr/share/keyrings/docker.gpg")
        + f"; echo 'deb [signed-by=/usr/share/keyrings/docker.gpg] {DOCKER_LINE}'"
        f" >{APT}/download_docker_com_linux_debian.list; apt-get update -qq",
        "download_docker_com_linux_debian.list names Docker's repository too",
        works=f"{UPDATES} && ! test -e {APT}/download_docker_com_linux_debian.list",
        sample=True,
    ),
    joins(
        "Docker's repository in extrepo's form, and a line in sources.list",
        DOCKER,
        f"rm {APT}/docker.list; "
        + key_at("/usr/share/keyrings/docker.asc", packed=False)
        + "; printf 'Types: deb\\nURIs: https://download.docker.com/linux/debian/\\nSuites: trixie\\nComponents: "
        f"stable\\nSigned-By: /usr/share/keyrings/docker.asc\\n' >{APT}/extrepo_docker-ce.sources;"
        f" printf '# mine\\ndeb [signed-by=/usr/share/keyrings/docker.asc] {DOCKER_LINE}\\n' >>/etc/apt/sources.list",
        "extrepo_docker-ce.sources names Docker's repository too",
        "/etc/apt/sources.list names Docker's repository too",
        works=f"{UPDATES} && ! test -e {APT}/extrepo_docker-ce.sources",
    ),
    refused(
        "a source that apt cannot read",
        BARE,
        f"echo 'deb https://example.org/x' >{APT}/other.list",
        "apt cannot read its own sources",
        f"{APT}/other.list",
        undo=f"rm {APT}/other.list",
        sample=True,
    ),
    joins(
        "a source of Docker's that is switched off",
        DOCKER,
        f"printf 'Enabled: no\\nTypes: deb\\nURIs: https://download.docker.com/linux/debian\\nSuites: trixie\\n"
        f"Components: stable\\nSigned-By: /nowhere\\n' >{APT}/off.sources",
        works=f"{UPDATES} && test -e {APT}/off.sources",
    ),
]

FIREWALL = "apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends"
NFT = f"{FIREWALL} nftables >/dev/null 2>&1"
NO_NFT = "nft flush ruleset; apt-get purge -qq --yes nftables >/dev/null 2>&1"


def nft(rules: str) -> str:
    """Rules of somebody's own, in force now."""
    return f"{NFT}; nft -f - <<'END'\n{rules}\nEND\n"


FORWARD_DROP = """
table inet filter {
    chain input { type filter hook input priority filter; policy accept; }
    chain forward { type filter hook forward priority filter; policy drop; ct state established,related accept; }
}"""

FIREWALLS = [
    joins(
        "ufw that denies what comes in",
        BARE,
        f"{FIREWALL} ufw >/dev/null 2>&1; ufw allow 22/tcp >/dev/null; ufw --force enable >/dev/null",
        "closes port 80 of this server itself",
        "ufw allow 80,443/tcp",
        files=LOOKS,
        undo="ufw --force disable >/dev/null; ufw --force reset >/dev/null; "
        "apt-get purge -qq --yes ufw >/dev/null 2>&1",
        sample=True,
    ),
    joins(
        "firewalld with SSH only",
        BARE,
        f"{FIREWALL} firewalld >/dev/null 2>&1; systemctl start firewalld",
        "closes port 80 of this server itself",
        "firewall-cmd --permanent --add-service=http --add-service=https",
        files=LOOKS,
        undo="apt-get purge -qq --yes firewalld >/dev/null 2>&1; nft flush ruleset 2>/dev/null; :",
    ),
    refused(
        "nftables that forwards nothing new",
        BARE,
        nft(FORWARD_DROP),
        "keeps visitors and the certificate authority from port 80",
        "nft insert rule inet filter forward ct status dnat accept",
        "keeps containers from the Internet",
        'nft insert rule inet filter forward iifname "br-*" accept',
        undo=NO_NFT,
        sample=True,
    ),
    joins(
        "nftables that forwards nothing new, with the rules that the refusal names",
        DOCKER,
        nft(FORWARD_DROP) + "nft insert rule inet filter forward ct status dnat accept;"
        " nft insert rule inet filter forward iifname 'br-*' accept",
        works="docker network create own >/dev/null && docker run --rm --network own "
        f"{IMAGE} sh -c"
        " 'curl --silent --max-time 10 --insecure --output /dev/null https://github.com'",
    ),
    joins(
        "nftables that lets only SSH in",
        BARE,
        nft(
            "table inet filter {\nchain input {\ntype filter hook input priority filter; policy drop;\n"
            "ct state established,related accept\niif lo accept\ntcp dport 22 accept\n"
            "meta l4proto ipv6-icmp accept\n}\n}"
        ),
        "closes port 80 of this server itself",
        "nft insert rule inet filter input tcp dport '{ 80, 443 }' accept",
        files=LOOKS,
        undo=NO_NFT,
    ),
    joins(
        "Debian's nftables.conf, which flushes all rules, enabled",
        BARE,
        f"{NFT}; systemctl enable --now nftables >/dev/null 2>&1",
        "/etc/nftables.conf begins with flush ruleset",
        "systemctl restart docker",
        files=LOOKS,
        undo="systemctl disable --now nftables >/dev/null 2>&1; " + NO_NFT,
    ),
    refused(
        "rules in DOCKER-USER that drop what comes from outside",
        DOCKER,
        "iptables -I DOCKER-USER -i eth0 -m conntrack --ctstate NEW -j DROP",
        "keeps visitors and the certificate authority from port 80",
        "DOCKER-USER",
        "iptables -I DOCKER-USER -p tcp -m multiport --dports 80,443 -j RETURN",
        undo="iptables -D DOCKER-USER -i eth0 -m conntrack --ctstate NEW -j DROP",
        sample=True,
    ),
    refused(
        "a rule before Docker's that rejects what is forwarded",
        DOCKER,
        "iptables -I FORWARD -j REJECT --reject-with icmp-host-prohibited",
        "keeps visitors and the certificate authority",
        "keeps containers from the Internet",
        undo="iptables -D FORWARD 1",
    ),
    refused(
        "rules that let the server itself reach only the DNS",
        DOCKER,
        "iptables -A OUTPUT -o eth0 -p tcp --sport 22 -j ACCEPT; iptables -A OUTPUT -o eth0 -p udp --dport 53 -j"
        " ACCEPT; iptables -A OUTPUT -o eth0 -j DROP",
        "keeps this server itself from the Internet",
        "iptables -I OUTPUT -p tcp -m multiport --dports 80,443 -j ACCEPT",
        undo="iptables -F OUTPUT",
    ),
]


OWN_FIREWALL = ("tasks/preflight.py", "tasks/firewall.py")
NO_TABLE = "! nft list table inet mstdn 2>/dev/null"
# The suite's own, gone again with the program that it brought.
OPEN = (
    "systemctl disable --quiet --now mstdn-firewall; rm /etc/mstdn/firewall.nft /var/lib/mstdn/firewall"
    f" /etc/systemd/system/mstdn-firewall.service; systemctl daemon-reload; {NO_NFT}"
)


def holds(port: int, unit: str) -> str:
    """A process that listens on a TCP port."""
    return (
        f"systemd-run --quiet --unit={unit} systemd-socket-activate --listen={port} cat;"
        f" timeout 10 sh -c 'until ss -Hltn sport = :{port} | grep -q .; do sleep 0.1; done'"
    )


OWN_FIREWALLS = [
    joins(
        "ufw, to which no second firewall is added",
        BARE,
        f"{FIREWALL} ufw >/dev/null 2>&1; ufw allow 22,80,443/tcp >/dev/null; ufw --force enable >/dev/null",
        "The firewall of this server is ufw: the suite adds none",
        files=OWN_FIREWALL,
        works=f"{NO_TABLE}; ! test -e /etc/systemd/system/mstdn-firewall.service",
        undo="ufw --force disable >/dev/null; ufw --force reset >/dev/null; "
        "apt-get purge -qq --yes ufw >/dev/null 2>&1",
    ),
    joins(
        "a table of nftables that lets only SSH and the web in, to which no second firewall is added",
        BARE,
        nft(
            "table inet filter {\nchain input {\ntype filter hook input priority filter; policy drop;\n"
            "ct state established,related accept\niif lo accept\ntcp dport { 22, 80, 443 } accept\n"
            "meta l4proto ipv6-icmp accept\n}\n}"
        ),
        "The firewall of this server is the table inet filter of nftables: the suite adds none",
        files=OWN_FIREWALL,
        works=f"{NO_TABLE}; nft list table inet filter | grep -q 'policy drop'",
        undo=NO_NFT,
        sample=True,
    ),
    joins(
        "ufw, and a firewall of the suite's because the operator wants both",
        BARE,
        f"{FIREWALL} ufw >/dev/null 2>&1; ufw allow 22,80,443/tcp >/dev/null; ufw --force enable >/dev/null",
        files=OWN_FIREWALL,
        settings={"firewall_enabled": True},
        works="nft list table inet mstdn >/dev/null && ufw status | grep -q 'Status: active'",
        undo=f"ufw --force disable >/dev/null; {OPEN}; apt-get purge -qq --yes ufw >/dev/null 2>&1",
    ),
    refused(
        "a service of somebody's that answers from outside",
        BARE,
        holds(9999, "game"),
        "would close ports that answer from outside now: TCP 9999 (systemd-socket-)",
        "firewall_tcp_ports = [9999]",
        "firewall_enabled = True",
        files=OWN_FIREWALL,
        undo="systemctl stop game",
        sample=True,
    ),
    joins(
        "a service of somebody's that answers from outside, and may go on",
        BARE,
        holds(9999, "game"),
        files=OWN_FIREWALL,
        settings={"firewall_tcp_ports": [9999]},
        reboots=True,
        works="nft list table inet mstdn | grep -qw 9999",
        undo=OPEN,
    ),
    joins(
        "fail2ban's kind of rules, which ban single addresses",
        BARE,
        nft(
            "table inet f2b-table {\nset addr-set-sshd { type ipv4_addr; elements = { 203.0.113.7 }; }\n"
            "chain f2b-chain {\ntype filter hook input priority filter - 1; policy accept;\n"
            "tcp dport 22 ip saddr @addr-set-sshd reject\n}\n}"
        ),
        files=OWN_FIREWALL,
        works="nft list table inet mstdn >/dev/null && nft list table inet f2b-table | grep -q 203.0.113.7",
        undo=OPEN,
    ),
    joins(
        "SSH by socket activation and at a second port",
        BARE,
        "systemctl disable --quiet --now ssh.service; mkdir -p /etc/systemd/system/ssh.socket.d; printf"
        " '[Socket]\\nListenStream=2222\\n' >/etc/systemd/system/ssh.socket.d/two.conf; systemctl daemon-reload;"
        " systemctl enable --quiet --now ssh.socket",
        files=OWN_FIREWALL,
        works="nft list table inet mstdn | grep -w 22 | grep -w 2222",
        # An sshd with sessions stays when its socket goes, and a new one finds its port taken: no way back.
    ),
]

PORTS = [
    refused(
        "a service on port 80",
        BARE,
        holds(80, "website"),
        "Port 80, which the proxy needs, is held by systemd-socket",
        "systemctl disable --now website.service",
        undo="systemctl stop website",
    ),
    refused(
        "a service on port 443 of IPv6",
        BARE,
        holds(443, "website").replace("--listen=443", "--listen=[::1]:443"),
        "Port 443, which the proxy needs, is held by",
        "systemctl disable --now website.service",
        undo="systemctl stop website",
    ),
    refused(
        "a container that publishes port 443",
        DOCKER,
        runs("web", "--publish 0.0.0.0:443:80"),
        "is published by the container web",
        "docker update --restart=no web && docker stop web",
        undo="docker rm --force web",
    ),
    refused(
        "a container on the server's own network that listens on port 80",
        DOCKER,
        runs("edge", "--network host")
        + "; timeout 10 sh -c 'until ss -Hltn sport = :80 | grep -q .; do sleep 0.1; done'",
        "in the container edge",
        "docker update --restart=no edge && docker stop edge",
        undo="docker rm --force edge",
        sample=True,
    ),
    joins(
        "a VPN on UDP port 443, which stays open",
        DOCKER,
        runs("vpn", "--publish 0.0.0.0:443:443/udp"),
        settings={"firewall_udp_ports": [443]},
        works="docker ps --format '{{.Names}} {{.Status}}' | grep -q '^vpn Up'",
        undo="",
    ),
    refused(
        "another proxy of the project that was abandoned",
        DOCKER,
        f"docker tag {IMAGE} jwilder/nginx-proxy && docker run --detach --name old jwilder/nginx-proxy >/dev/null",
        "jwilder/nginx-proxy, which is abandoned",
        undo="docker rm --force old; docker rmi jwilder/nginx-proxy",
    ),
    refused(
        "another Compose project called proxy",
        DOCKER,
        runs(
            "traefik",
            "--label com.docker.compose.project=proxy --label com.docker.compose.project.working_dir=/opt/traefik"
            # Without a checksum of its configuration Compose itself does not take it for a project's.
            " --label com.docker.compose.service=traefik --label com.docker.compose.config-hash=0123",
        ),
        "Another Compose project is called proxy (in /opt/traefik)",
        undo="docker rm --force traefik",
    ),
]

PLACES = [
    joins(
        "mastodon_root as a link to another disk",
        BARE,
        "mkdir -p /swap.d/m && ln -s /swap.d/m /srv/mastodon",
        files=EVERYTHING,
        works="test -s /swap.d/m/state/installed.env && test -L /srv/mastodon"
        " && grep -q '^MOUNT=/srv/mastodon /swap.d ' /var/lib/mstdn/instance",
    ),
    refused(
        "a swap file where none can be",
        BARE,
        ":",
        "/swapfile lies on a file system on which no swap file can be (overlayfs)",
        "swap_size_mib = 0",
        settings={"swap_path": "/swapfile"},
        undo=":",
        sample=True,
    ),
    refused(
        "a swap_path that is a directory",
        BARE,
        "mkdir /swap.d/there",
        "/swap.d/there, which is a directory and no file",
        settings={"swap_path": "/swap.d/there"},
        undo="rmdir /swap.d/there",
    ),
    joins(
        "a swap_path in a directory that is a link",
        BARE,
        "mkdir -p /swap.d/deep && ln -s /swap.d/deep /var/swap-of-lab",
        files=("tasks/preflight.py", "tasks/swap.py"),
        settings={"swap_path": "/var/swap-of-lab/{lab}"},
        works="grep -q ^/swap.d/deep/ /proc/swaps && swapoff /swap.d/deep/*",
    ),
    refused(
        "a disk with too few inodes left",
        BARE,
        "mkdir -p /srv/mastodon && mount -t tmpfs -o size=12g,nr_inodes=5k small /srv/mastodon",
        "/srv/mastodon can take only",
        "more inodes",
        undo="umount /srv/mastodon && rmdir /srv/mastodon",
    ),
    refused(
        "no resolver in /etc/resolv.conf",
        BARE,
        "cp /etc/resolv.conf /run/kept && : >/etc/resolv.conf",
        "gets no answers from the DNS, not even for",
        "cat /etc/resolv.conf",
        undo="cat /run/kept >/etc/resolv.conf && rm /run/kept",
    ),
    refused(
        "a /usr/local to which nothing can be written",
        BARE,
        "mount --bind /usr/local /usr/local && mount -o remount,bind,ro /usr/local",
        "Nothing can be written to /usr/local: /usr/local is mounted read-only",
        "mount -o remount,rw /usr/local",
        undo="umount /usr/local",
    ),
    refused(
        "a /usr/local without room",
        BARE,
        "mount -t tmpfs -o size=4m small /usr/local",
        "/usr/local has 4 MiB free, but /usr/local need 16 MiB",
        undo="umount /usr/local",
    ),
    refused(
        "a data-root on a disk that is too small",
        DOCKER,
        "mkdir -p /mnt/small && mount -t tmpfs -o size=200m small /mnt/small && "
        + daemon_json('{"data-root": "/mnt/small/docker", "storage-driver": "vfs"}'),
        "/mnt/small/docker has",
        "/mnt/small/docker",
        undo=f"{PLAIN}; umount -l /mnt/small",
    ),
]

BACK = "mv /srv/away /srv/mastodon && docker compose --project-directory /srv/mastodon up --detach --wait 2>/dev/null"
VISITED = "curl --silent --fail --insecure --resolve {domain}:443:127.0.0.1 https://{domain}/health >/dev/null"
AWAY = "docker compose --project-directory /srv/mastodon down >/dev/null 2>&1"

# One deployed server lives through these; each of them puts it back.
LIVES = [
    joins(
        "media as a link to another disk",
        DEPLOYED,
        "mkdir -p /swap.d/big && mv /srv/mastodon/media /swap.d/big/ && ln -s /swap.d/big/media /srv/mastodon/media",
        files=EVERYTHING,
        works="test -L /srv/mastodon/media && grep -q '^MOUNT=/srv/mastodon/media /swap.d ' /var/lib/mstdn/instance &&"
        f" {VISITED}",
        undo="rm /srv/mastodon/media && mv /swap.d/big/media /srv/mastodon/media",
        sample=True,
    ),
    refused(
        "the directory of backups on the disk that the media are mounted from",
        DEPLOYED,
        "mkdir -p /swap.d/big/backups && mount --bind /swap.d/big /srv/mastodon/media",
        "The directory of backups (backup_repository) lies in /srv/mastodon/media",
        settings={"backup_repository": "/swap.d/big/backups"},
        undo="umount /srv/mastodon/media && rm -r /swap.d/big",
        sample=True,
    ),
    refused(
        "media as a link to a disk that is not mounted",
        DEPLOYED,
        "mv /srv/mastodon/media /srv/mastodon/away && ln -s /mnt/big/media /srv/mastodon/media",
        "/srv/mastodon/media is a link to /mnt/big/media, and that does not exist",
        undo="rm /srv/mastodon/media && mv /srv/mastodon/away /srv/mastodon/media",
    ),
    refused(
        "mastodon_root's volume is not mounted, the directory is empty",
        DEPLOYED,
        f"{AWAY}; mv /srv/mastodon /srv/away; mkdir /srv/mastodon",
        "This server was installed as {domain}",
        "/srv/mastodon holds nothing of it",
        "rm /var/lib/mstdn/instance",
        undo=f"rmdir /srv/mastodon && {BACK}",
        files=EVERYTHING,
        sample=True,
    ),
    refused(
        "mastodon_root's volume is not mounted, and no note was made",
        DEPLOYED,
        f"{AWAY}; mv /srv/mastodon /srv/away; mkdir /srv/mastodon; mv /var/lib/mstdn/instance /srv/note",
        "/srv/proxy has a certificate for {domain}",
        "findmnt /srv/mastodon",
        undo=f"mv /srv/note /var/lib/mstdn/instance && rmdir /srv/mastodon && {BACK}",
    ),
    refused(
        "Docker made the directories of an unmounted volume anew",
        DEPLOYED,
        f"{AWAY}; mv /srv/mastodon /srv/away; mkdir -p /srv/mastodon/database /srv/mastodon/redis /srv/mastodon/media"
        " /srv/mastodon/secrets/mastodon.env",
        "This server was installed as {domain}",
        "/srv/mastodon holds nothing of it",
        undo=f"rm -r /srv/mastodon && {BACK}",
        files=EVERYTHING,
    ),
    refused(
        "another mastodon_root than the installed one",
        DEPLOYED,
        ":",
        'Set mastodon_root = "/srv/mastodon"',
        settings={"mastodon_root": "/srv/elsewhere"},
        undo=":",
    ),
    joins(
        "files of another site in vhost.d, and its password",
        DEPLOYED,
        "docker run --detach --network front --env VIRTUAL_HOST=alice.example.org --name cloud "
        f"{IMAGE};"
        " echo 'client_max_body_size 512m;' >/srv/proxy/vhost.d/alice.example.org;"
        " echo 'alice:{PLAIN}secret' >/srv/proxy/htpasswd/alice.example.org; echo '# Written by the suite' "
        ">/srv/proxy/vhost.d/gone.example.org",
        files=EVERYTHING,
        works="test -s /srv/proxy/vhost.d/alice.example.org && test -s /srv/proxy/htpasswd/alice.example.org"
        " && ! test -e /srv/proxy/vhost.d/gone.example.org && docker restart $(docker ps -q --filter"
        " label=com.docker.compose.service=docker-gen) >/dev/null && timeout 30 sh -c 'until curl --silent --output"
        ' /dev/null --write-out %{http_code} --header "Host: alice.example.org" http://127.0.0.1/ | grep -q 401;'
        " do sleep 0.5; done'",
        undo="docker rm --force cloud >/dev/null; rm /srv/proxy/vhost.d/alice.example.org"
        " /srv/proxy/htpasswd/alice.example.org",
    ),
    refused(
        "a second container that claims the site's name",
        DEPLOYED,
        f"docker run --detach --network none --env VIRTUAL_HOST=www.example.org,{{domain}} --name old-site {IMAGE}",
        "The container old-site asks the proxy for {domain} too",
        undo="docker rm --force old-site",
    ),
    refused(
        "another project's database, which is called db in back-mstdn too",
        DEPLOYED,
        f"docker run --detach --network back-mstdn --network-alias db --name shop-db {IMAGE}",
        "shop-db is not one of the suite's, but is called db in the network back-mstdn",
        "docker network disconnect back-mstdn shop-db",
        undo="docker rm --force shop-db",
    ),
    refused(
        "a container of somebody else that may write to the database's files",
        DEPLOYED,
        f"docker run --detach --network none --volume /srv/mastodon/database:/data --name copy {IMAGE}",
        "copy is not one of the suite's, but may write to /srv/mastodon/database",
        undo="docker rm --force copy",
    ),
    joins(
        "a UDP port 443 beside the running proxy",
        DEPLOYED,
        f"docker run --detach --name vpn --publish 0.0.0.0:443:443/udp {IMAGE} >/dev/null",
        files=EVERYTHING,
        works="docker ps --format '{{.Names}} {{.Status}}' | grep -q '^vpn Up'",
        undo="docker rm --force vpn",
    ),
    joins(
        "compose.override.yaml with a service and a one-shot service",
        DEPLOYED,
        f"printf 'services:\\n  es:\\n    image: {versions.REDIS_IMAGE}\\n    networks: [back-mstdn]\\n' "
        ">/srv/mastodon/compose.override.yaml; "
        f"printf '  es-setup: {{image: {versions.REDIS_IMAGE}, command: [\"true\"], networks: [back-mstdn]}}\\n' "
        ">>/srv/mastodon/compose.override.yaml",
        files=EVERYTHING,
        works="docker ps --format '{{.Names}} {{.Status}}' | grep -q '^mstdn-es-1 Up'"
        " && docker ps --all --format '{{.Names}} {{.Status}}' | grep -q '^mstdn-es-setup-1 Exited (0)'",
        sample=True,
    ),
    joins(
        "an edit of compose.override.yaml, which changes one of the suite's services",
        DEPLOYED,
        "printf 'services:\\n  web:\\n    environment: {OWN: \"1\"}\\n' >/srv/mastodon/compose.override.yaml",
        files=EVERYTHING,
        works="docker exec $(docker ps -q --filter label=com.docker.compose.project=mstdn --filter"
        " label=com.docker.compose.service=web) printenv OWN",
    ),
    refused(
        "a compose.override.yaml that Compose cannot read",
        DEPLOYED,
        "printf 'services:\\n  web:\\n    imag: x\\n' >/srv/mastodon/compose.override.yaml",
        "Compose cannot read /srv/mastodon/compose.override.yaml",
        files=EVERYTHING,
        undo="rm /srv/mastodon/compose.override.yaml",
    ),
]

BASES = (BARE, DOCKER, DEPLOYED)
# What can be undone comes first, so that few servers have to be made.
ROWS = sorted(
    [*SOURCES, *FIREWALLS, *OWN_FIREWALLS, *PORTS, *PLACES, *ENGINES, *LIVES],
    key=lambda row: (BASES.index(row.base), not row.undo),
)
