"""What preflight makes of a server: its report as captured from real ones, and one row for each thing in the way."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstdn import versions
from mstdn.docker.facts import Container, Published
from mstdn.preflight import Finding, findings
from mstdn.preflight.facts import Listener, Server, ServerReport
from mstdn.preflight.names import names_to_look_up
from mstdn.preflight.releases import NEWEST_PATCH, duplicate_findings, makes_addresses_unique, refusal
from mstdn.storage.disks import Disk
from tests.harness import read, settings_with

REPORTS = Path(__file__).with_name("server_reports")
NOW = 1_800_000_000

BARE = ServerReport(
    system=("debian", "13"),
    architecture="amd64",
    init="systemd",
    memory_mib=1963,
    disks=(
        Disk("/srv/mastodon", 20480, "/"),
        Disk("/var/lib/docker", 20480, "/"),
        Disk("/swap", 20480, "/"),
    ),
    directories=("/srv/mastodon", "/srv/proxy"),
    addresses=frozenset({"198.51.100.7", "2001:db8::7", "172.17.0.1"}),
    answers={"social.example.org": frozenset({"198.51.100.7", "2001:DB8:0::7"})},
    clock=NOW,
)


def container(
    name: str, image: str, *ports: int, project: str = "", directory: str = "", status: str = "running"
) -> Container:
    published = tuple(Published("0.0.0.0", port, "tcp") for port in ports)  # noqa: S104
    return Container(
        f"id-of-{name}", name, "sha256:aa", image, status, project=project, directory=directory, published=published
    )


OUR_PROXY = container("proxy-nginx-1", "nginx:1.29-alpine", 80, 443, project="proxy", directory="/srv/proxy")
OUR_CONTAINERS = (
    OUR_PROXY,
    container("mstdn-web-1", f"mastodon:{versions.MASTODON}", project="mstdn", directory="/srv/mastodon"),
)
CONVERGED = dataclasses.replace(
    BARE,
    swaps={"/swap": 2048},
    listeners=(Listener(80, 812, "docker-proxy"), Listener(443, 813, "docker-proxy")),
    packages=frozenset({"docker-ce"}),
    installed={"LOCAL_DOMAIN": "social.example.org", "MASTODON_VERSION": versions.MASTODON, "MIGRATIONS": "done"},
)


def found(report: ServerReport = BARE, settings: dict[str, Any] | None = None, **changes: Any) -> list[Finding]:
    """What is found on this server with these changes; those of `containers` are not the report's."""
    containers = changes.pop("containers", OUR_CONTAINERS if report is CONVERGED else ())
    changed = dataclasses.replace(report, **changes)
    return findings(changed, containers, settings_with(**(settings or {})), NOW)


def answers(*addresses: str) -> dict[str, frozenset[str]]:
    return {"social.example.org": frozenset(addresses)}


@pytest.mark.parametrize("report", [BARE, CONVERGED], ids=["bare", "converged"])
def test_a_server_in_order_gives_no_finding(report: ServerReport) -> None:
    assert found(report) == []


# The DNS answers, and knows none of the names that were asked first.
ONLY_OTHERS = {"acme-v02.api.letsencrypt.org": frozenset({"192.0.2.1"})}

ERRORS: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    # what is the matter: changes of the report, settings, part of what is wrong, part of the remedy
    "nothing said": ({"init": ""}, {}, "did not say what it is", "-vvv"),
    "Debian 11": ({"system": ("debian", "11")}, {}, "debian 11", "Debian 13"),
    "Ubuntu 23.10": ({"system": ("ubuntu", "23.10")}, {}, "ubuntu 23.10", "Ubuntu 24.04"),
    "Fedora": ({"system": ("fedora", "43")}, {}, "fedora 43", "Ubuntu 26.04"),
    "32 bits": ({"architecture": "armhf"}, {}, "armhf", "amd64 or arm64"),
    "no systemd": ({"init": "bash"}, {}, "Process 1 is bash", "systemd-sysv"),
    "too little memory": ({"memory_mib": 961}, {"swap_size_mib": 0}, "come to 961 MiB", "swap_size_mib = 1087"),
    "too little swap": ({"memory_mib": 961}, {"swap_size_mib": 512}, "come to 1473 MiB", "swap_size_mib = 1087"),
    "full disk": (
        {"disks": (Disk("/srv/mastodon", 12287, "/"), Disk("/var/lib/docker", 12287, "/"), Disk("/swap", 12287, "/"))},
        {},
        "/ has 12287 MiB free, but /srv/mastodon, /var/lib/docker, /swap need 12288 MiB",
        "preflight_free_disk_gib",
    ),
    "full disk of images": (
        {
            "disks": (
                Disk("/srv/mastodon", 20480, "/"),
                Disk("/var/lib/docker", 10239, "/var"),
                Disk("/swap", 20480, "/"),
            )
        },
        {},
        "/var has 10239 MiB free, but /var/lib/docker need 10240 MiB",
        "docker image prune",
    ),
    "full disk beside the system's own": (
        {"disks": (Disk("/srv/mastodon", 12271, "/"), Disk("/swap", 12271, "/"), Disk("/etc", 12271, "/"))},
        {},
        "/ has 12271 MiB free, but /srv/mastodon, /swap need 12288 MiB",
        "preflight_free_disk_gib",
    ),
    "no room for programs": (
        {"disks": (Disk("/srv/mastodon", 20480, "/"), Disk("/etc", 20480, "/"), Disk("/usr/local", 15, "/usr/local"))},
        {},
        "/usr/local has 15 MiB free, but /usr/local need 16 MiB",
        "enlarge the disk",
    ),
    "no files for what lasts until the next boot": (
        {"disks": (Disk("/srv/mastodon", 20480, "/"), Disk("/run", 90, "/run", 199))},
        {},
        "/run can take only 199 more files, whatever their size (df -i /run), but /run need 200",
        "Remove many small ones",
    ),
    "no room for swap": (
        {"disks": (Disk("/srv/mastodon", 20480, "/srv"), Disk("/swap", 2047, "/"))},
        {},
        "/ has 2047 MiB free, but /swap need 2048 MiB",
        "swap_size_mib",
    ),
    "clock behind": ({"clock": NOW - 61}, {}, "61 s behind", "timedatectl set-ntp true"),
    "clock ahead": ({"clock": NOW + 3600}, {}, "3600 s ahead of", "timedatectl set-ntp true"),
    "web server on 80": (
        {"listeners": (Listener(80, 673, "apache2"), Listener(80, 673, "apache2"))},
        {},
        "Port 80, which the proxy needs, is held by apache2 (process 673)",
        "systemctl disable --now apache2",
    ),
    "unknown on 443": ({"listeners": (Listener(443, 0, ""),)}, {}, "Port 443", "unknown"),
    "container on 443": (
        {
            "containers": (container("site", "caddy:2", 443),),
            "listeners": (Listener(443, 9, "docker-proxy"),),
            "packages": frozenset({"docker-ce"}),
        },
        {},
        "Port 443, which the proxy needs, is published by the container site (caddy:2)",
        "docker stop site",
    ),
    "container of another project in our directory": (
        {"containers": (container("x", "caddy:2", 80, project="x", directory="/srv/proxy"),)},
        {},
        "published by the container x",
        "docker stop x",
    ),
    "paused container on 80": (
        {"containers": (container("site", "caddy:2", 80, status="paused"),)},
        {},
        "published by the container site",
        "docker stop site",
    ),
    "distribution's Docker": (
        {"packages": frozenset({"docker.io", "containerd", "runc"})},
        {},
        "containerd, docker.io, runc",
        "apt-get remove containerd docker.io runc",
    ),
    "podman's docker": (
        {"packages": frozenset({"podman-docker"})},
        {},
        "podman-docker",
        "apt-get remove podman-docker",
    ),
    "snap's Docker": ({"packages": frozenset({"snap:docker"})}, {}, "snap", "snap remove --purge docker"),
    "snap's Docker beside ours": (
        {"packages": frozenset({"snap:docker", "docker-ce"})},
        {},
        "snap",
        "snap remove --purge docker",
    ),
    "abandoned proxy": (
        {"containers": (container("old", "jwilder/nginx-proxy:alpine"),)},
        {},
        "old runs jwilder/nginx-proxy:alpine, which is abandoned",
        "docker rm --force old",
    ),
    "abandoned companion": (
        {"containers": (container("old", "docker.io/jrcs/letsencrypt-nginx-proxy-companion"),)},
        {},
        "abandoned",
        "nginxproxy/acme-companion",
    ),
    "other project of our name": (
        {"containers": (container("proxy-web-1", "caddy:2", project="proxy", directory="/home/alice/proxy"),)},
        {},
        "Another Compose project is called proxy (in /home/alice/proxy)",
        "docker compose --project-directory /home/alice/proxy down",
    ),
    "other project of our name, stopped": (
        {
            "containers": (
                container("proxy-web-1", "caddy:2", project="proxy", directory="/home/alice/proxy", status="exited"),
            )
        },
        {},
        "Another Compose project is called proxy (in /home/alice/proxy)",
        "docker compose --project-directory /home/alice/proxy down",
    ),
    "a container with a name that Compose gives": (
        {"containers": (container("mstdn-web-2", "caddy:2"),)},
        {},
        "mstdn-web-2 is not one of the suite's",
        "docker rename mstdn-web-2 other-mstdn-web-2",
    ),
    "a container with the name of an exporter": (
        {"containers": (container("mstdn-monitoring-node-exporter-1", "caddy:2"),)},
        {},
        "mstdn-monitoring-node-exporter-1 is not one of the suite's",
        "docker rename",
    ),
    "a container of another project with such a name, stopped": (
        {
            "containers": (
                container("proxy-docker-gen-1", "x:1", project="x", directory="/home/alice/x", status="exited"),
            )
        },
        {},
        "proxy-docker-gen-1 is not one of the suite's",
        "docker rm --force proxy-docker-gen-1",
    ),
    "no address": ({"answers": ONLY_OTHERS}, {}, "social.example.org has no address", "198.51.100.7"),
    "no answers": (
        {"answers": {}},
        {},
        "no answers from the DNS, not even for acme-v02.api.letsencrypt.org",
        "cat /etc/resolv.conf",
    ),
    "other address": ({"answers": answers("203.0.113.9")}, {}, "leads to 203.0.113.9", 'public_ipv4 = "203.0.113.9"'),
    "an address that leads nowhere": ({"answers": answers("127.0.1.1")}, {}, "leads to 127.0.1.1", "or, with a CDN"),
    "an IPv6 address that leads nowhere": (
        {"answers": answers("198.51.100.7", "fe80::1%eth0")},
        {},
        "AAAA record (fe80::1%eth0)",
        "Remove the record.",
    ),
    "one address of two": ({"answers": answers("198.51.100.7", "203.0.113.9")}, {}, "leads to 203.0.113.9", "A record"),
    "other IPv6 address": (
        {"answers": answers("198.51.100.7", "2600::1"), "addresses": frozenset({"198.51.100.7", "2600::2"})},
        {},
        "AAAA record (2600::1), but this server has another IPv6 address",
        "Correct the record",
    ),
    "IPv6 address without IPv6": (
        {"answers": answers("198.51.100.7", "2600::1"), "addresses": frozenset({"198.51.100.7", "fd00::7"})},
        {},
        "AAAA record (2600::1), but this server has no IPv6 address",
        "Remove the record",
    ),
    "public address elsewhere": (
        {"answers": answers("203.0.113.9")},
        {"public_ipv4": "203.0.113.8"},
        "leads to 203.0.113.9",
        "A record",
    ),
    "alternate domain astray": (
        {},
        {"alternate_domains": ["example.net"]},
        "example.net has no address",
        "Make an A record",
    ),
    "other domain": (
        {"installed": {"LOCAL_DOMAIN": "old.example.org", "MASTODON_VERSION": versions.MASTODON}},
        {},
        "installed as old.example.org",
        'local_domain = "old.example.org"',
    ),
    "system without packages of Debian's": (
        {"system": ("fedora", "41"), "architecture": ""},
        {},
        "This is fedora 41",
        "Debian 13",
    ),
    "older release": (
        {"installed": {"LOCAL_DOMAIN": "social.example.org", "MASTODON_VERSION": "v4.7.999"}},
        {},
        f"cannot go back to {versions.MASTODON}",
        'mastodon_version = "v4.7.999"',
    ),
    "skipped release": (
        {"installed": {"LOCAL_DOMAIN": "social.example.org", "MASTODON_VERSION": "v4.5.20"}},
        {},
        f"{versions.MASTODON} skips a minor release",
        f"{NEWEST_PATCH[4, 6]} or any newer v4.6.x",
    ),
}


@pytest.mark.parametrize(("changes", "settings", "wrong", "remedy"), ERRORS.values(), ids=ERRORS.keys())
def test_what_is_in_the_way_is_one_error_with_its_remedy(
    changes: dict[str, Any], settings: dict[str, Any], wrong: str, remedy: str
) -> None:
    (finding,) = found(BARE, settings, **changes)
    assert finding.level == "error"
    assert wrong in finding.text
    assert remedy in finding.text


WARNINGS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "DNS is not required": ({"answers": ONLY_OTHERS}, {"preflight_dns": "warn"}, "has no address"),
    "DNS does not answer, and is not required": ({"answers": {}}, {"preflight_dns": "warn"}, "no answers from the DNS"),
    "local domain nowhere": (
        {"answers": {"www.example.org": frozenset({"198.51.100.7"})}},
        {"web_domain": "www.example.org"},
        "social.example.org, which is in the name of every account, has no address",
    ),
    "proxy without a version": (
        {"containers": (container("companion", "nginxproxy/acme-companion"),)},
        {},
        "companion runs nginxproxy/acme-companion without a version",
    ),
    "little memory for a build": (
        {"memory_mib": 961},
        {"mastodon_image_source": "source"},
        "Set swap_size_mib = 3135",
    ),
    "proxy with a moving tag": (
        {"containers": (container("gen", "nginxproxy/nginx-proxy:dockergen"),)},
        {},
        "without a version",
    ),
}


@pytest.mark.parametrize(("changes", "settings", "wrong"), WARNINGS.values(), ids=WARNINGS.keys())
def test_what_is_doubtful_is_one_warning(changes: dict[str, Any], settings: dict[str, Any], wrong: str) -> None:
    (finding,) = found(BARE, settings, **changes)
    assert finding.level == "warning"
    assert wrong in finding.text


FINE: dict[str, tuple[ServerReport, dict[str, Any], dict[str, Any]]] = {
    **{
        f"{name} {version}": (BARE, {}, {"system": (name, version)})
        for name, version in [("debian", "12"), ("ubuntu", "22.04"), ("ubuntu", "24.04"), ("ubuntu", "26.04")]
    },
    "arm64": (BARE, {}, {"architecture": "arm64"}),
    "4 GiB for a build": (BARE, {"mastodon_image_source": "source"}, {"memory_mib": 3900}),
    "1 GiB with planned swap": (BARE, {}, {"memory_mib": 961}),
    "1 GiB with swap of its own": (BARE, {"swap_size_mib": 0}, {"memory_mib": 961, "swaps": {"/dev/vda2": 2048}}),
    "swap of its own is enough": (
        BARE,
        {},
        {"swaps": {"/dev/vda2": 2048}, "disks": (Disk("/srv/mastodon", 10240, "/"), Disk("/swap", 10240, "/"))},
    ),
    "less disk once installed": (
        CONVERGED,
        {},
        {"disks": (Disk("/srv/mastodon", 3413, "/"), Disk("/var/lib/docker", 3413, "/"), Disk("/swap", 3413, "/"))},
    ),
    "clock within a minute": (BARE, {}, {"clock": NOW - 60}),
    "no DNS wanted": (BARE, {"preflight_dns": "skip"}, {"answers": {}}),
    "behind NAT": (BARE, {"public_ipv4": "203.0.113.9"}, {"answers": answers("203.0.113.9")}),
    "behind NAT with IPv6": (BARE, {"public_ipv6": "2600::1"}, {"answers": answers("198.51.100.7", "2600::1")}),
    "onion name": (BARE, {"alternate_domains": ["abcdefghijklmnop.onion"]}, {}),
    "local domain elsewhere": (
        BARE,
        {"web_domain": "www.example.org"},
        {"answers": {"www.example.org": frozenset({"198.51.100.7"}), **answers("203.0.113.80")}},
    ),
    "proxy_root is a link": (
        CONVERGED,
        {},
        {
            "containers": (dataclasses.replace(OUR_PROXY, directory="/data/proxy"),),
            "directories": ("/data/mastodon", "/data/proxy"),
        },
    ),
    "containerd beside docker-ce": (CONVERGED, {}, {"packages": frozenset({"docker-ce", "runc"})}),
    "UDP port of the same number": (
        BARE,
        {},
        {
            "containers": (
                dataclasses.replace(
                    container("dns", "dns:1"),
                    published=(Published("0.0.0.0", 443, "udp"),),  # noqa: S104
                ),
            )
        },
    ),
    "container that is stopped": (
        BARE,
        {},
        {"containers": (container("site", "jwilder/nginx-proxy:alpine", 80, 443, status="exited"),)},
    ),
    "an IPv4 address as a DNS64 tells it": (
        BARE,
        {"public_ipv4": "198.51.100.7"},
        {"addresses": frozenset({"2600::7"}), "answers": answers("64:ff9b::c633:6407", "2600::7")},
    ),
    "the same address in two forms": (BARE, {}, {"answers": answers("198.51.100.7", "::ffff:198.51.100.7")}),
    "other port": (BARE, {}, {"containers": (container("site", "caddy:2", 8080),)}),
    "next release": (CONVERGED, {}, {"installed": {"MASTODON_VERSION": "v4.6.9"}}),
}


@pytest.mark.parametrize(("report", "settings", "changes"), FINE.values(), ids=FINE.keys())
def test_what_is_as_good_is_no_finding(report: ServerReport, settings: dict[str, Any], changes: dict[str, Any]) -> None:
    assert found(report, settings, **changes) == []


def shop(service: str = "db", status: str = "running", **more: Any) -> Container:
    """A container of another project."""
    one = container(f"shop-{service}-1", "postgres:17", project="shop", directory="/srv/shop", status=status)
    return dataclasses.replace(one, **more)


CALLED: dict[str, Any] = {"called": {"back-mstdn": frozenset({"shop-db-1", "db"})}}
WRITES: dict[str, Any] = {"writes": ("/srv/mastodon/database",)}


@pytest.mark.parametrize(
    ("stranger", "words"),
    [
        pytest.param(
            shop(**CALLED),
            ("shop-db-1", "called db in the network back-mstdn", "docker network disconnect back-mstdn shop-db-1"),
            id="the database's name",
        ),
        pytest.param(
            shop(called={"proxy_control": frozenset({"socket-proxy"})}),
            ("called socket-proxy in the network proxy_control",),
            id="the name of the filter before Docker's socket",
        ),
        pytest.param(
            shop(**WRITES), ("may write to /srv/mastodon/database:", "docker stop shop-db-1"), id="the database"
        ),
        pytest.param(shop(writes=("/data/redis/x",)), ("may write to /data/redis/x",), id="Redis, by its real place"),
    ],
)
def test_who_would_get_a_part_of_the_data_or_destroy_them_is_named(stranger: Container, words: tuple[str, ...]) -> None:
    (finding,) = found(CONVERGED, containers=(*OUR_CONTAINERS, stranger), directories=("/data", "/srv/proxy"))
    assert finding.level == "error"
    for each in words:
        assert each in finding.text


@pytest.mark.parametrize(
    ("report", "stranger"),
    [
        pytest.param(CONVERGED, shop(status="exited", **CALLED, **WRITES), id="stopped"),
        pytest.param(BARE, shop(**CALLED, **WRITES), id="no instance yet"),
        # The proxy is in front of many, each with a web of its own.
        pytest.param(CONVERGED, shop("web", called={"front": frozenset({"web"})}), id="in front"),
        pytest.param(CONVERGED, shop("bot", called={"back-mstdn": frozenset({"bot"})}), id="another name"),
        pytest.param(CONVERGED, shop(writes=("/srv/mastodon", "/srv/mastodon/media", "/")), id="around it"),
        pytest.param(
            CONVERGED, container("mstdn-db-1", "postgres:17", project="mstdn", directory="/srv/mastodon"), id="our own"
        ),
    ],
)
def test_neighbours_that_take_nothing_are_let_be(report: ServerReport, stranger: Container) -> None:
    ours = OUR_CONTAINERS if report is CONVERGED else ()
    assert found(report, containers=(*ours, stranger)) == []


def test_everything_in_the_way_is_told_at_once() -> None:
    together = [
        "Fedora",
        "32 bits",
        "too little memory",
        "clock behind",
        "web server on 80",
        "podman's docker",
        "no address",
    ]
    changes: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for name in together:
        changes |= ERRORS[name][0]
        settings |= ERRORS[name][1]
    assert len(found(BARE, settings, **changes)) == len(together)


RELEASES = [
    # installed, wanted, part of the refusal or None
    ("v4.7.60", "v4.7.60", None),
    ("v4.7.5", "v4.7.60", None),
    ("v4.7.60", "v4.7.112", None),
    ("v4.6.9", "v4.7.60", None),
    ("v4.7.60", "v5.0.0", None),
    ("v5.0.3", "v5.1.0", None),
    ("v4.7.60", "v4.7.5", 'mastodon_version = "v4.7.60"'),
    ("v4.7.60", "v4.6.9", "cannot go back to v4.6.9"),
    ("v5.0.0", "v4.7.60", "cannot go back"),
    ("v4.4.27", "v4.6.9", f"{NEWEST_PATCH[4, 5]} or any newer v4.5.x"),
    ("v4.4.27", "v4.7.60", f"{NEWEST_PATCH[4, 5]} or any newer v4.5.x"),
    ("v4.5.20", "v4.7.60", f"{NEWEST_PATCH[4, 6]} or any newer v4.6.x"),
    ("v4.6.9", "v5.0.0", f"{NEWEST_PATCH[4, 7]} or any newer v4.7.x"),
    ("v4.7.60", "v4.8.0", None),
    ("v4.8.0", "v5.0.0", None),
    ("v4.8.0", "v4.9.0", None),
    ("v4.7.60", "v4.9.0", "Deploy v4.8.x next"),
    ("v4.6.9", "v4.8.0", f"{NEWEST_PATCH[4, 7]} or any newer v4.7.x"),
    ("v4.7.60", "v5.1.0", "Deploy v5.0.x next"),
    ("v4.7.60", "v6.0.0", "Deploy v5.0.x next"),
    ("v4.7.10", "v4.7.9", "cannot go back"),
    ("edge", "v4.7.60", "installed.env"),
    ("", "v4.7.60", "installed.env"),
]


@pytest.mark.parametrize(("installed", "wanted", "text"), RELEASES, ids=[f"{row[0]} to {row[1]}" for row in RELEASES])
def test_releases_follow_one_another(installed: str, wanted: str, text: str | None) -> None:
    refused = refusal(installed, wanted)
    assert refused is None if text is None else refused is not None and text in refused


VERSIONS = st.tuples(st.just(4), st.integers(4, 7), st.integers(0, 30)).map(
    lambda numbers: "v{}.{}.{}".format(*numbers)
)


@given(VERSIONS, VERSIONS)
def test_the_advice_for_a_skipped_release_can_be_followed(installed: str, wanted: str) -> None:
    advice = re.search(r"Deploy (v\d+\.\d+\.\d+)", refusal(installed, wanted) or "")
    assert advice is None or refusal(installed, advice[1]) is None


def test_only_names_that_matter_are_looked_up() -> None:
    settings = settings_with(web_domain="www.example.org", alternate_domains=["example.net", "abcdefghijklmnop.onion"])
    assert names_to_look_up(settings) == ("www.example.org", "example.net", "social.example.org")
    assert names_to_look_up(settings_with()) == ("social.example.org",)
    assert names_to_look_up(settings_with(preflight_dns="skip")) == ()


def captured(name: str) -> ServerReport:
    return read(Server, (REPORTS / f"{name}.txt").read_text())


CROWDED = (
    container("companion", "nginxproxy/acme-companion"),
    container("old-proxy", "jwilder/nginx-proxy", 443, 8080, 8081, 8082),
)


def test_the_captured_servers_are_judged_as_they_were() -> None:
    def errors(name: str, *containers: Container) -> list[str]:
        report = captured(name)
        return [
            finding.text
            for finding in findings(report, containers, settings_with(), report.clock)
            if finding.level == "error"
        ]

    assert len(errors("bare")) == 1
    assert "leads to 172.30.4.3, but this server has 172.30.4.4" in errors("bare")[0]
    assert [text.split(",")[0] for text in errors("crowded", *CROWDED)] == [
        "Port 80",
        "Port 443",
        "The container old-proxy runs jwilder/nginx-proxy",
        "Docker is here in the distribution's own packages (containerd",
        "Docker is here as a snap",
    ]
    assert errors("converged", OUR_PROXY) == []


def test_a_kernel_that_cannot_limit_memory_is_a_warning_and_no_refusal() -> None:
    (finding,) = found(limits_memory=False)
    assert finding.level == "warning"
    assert "cgroup_enable=memory" in finding.text
    assert read(Server, (REPORTS / "bare.txt").read_text() + "unlimited\n").limits_memory is False


def test_where_a_film_of_a_phone_would_be_cut_off_it_is_said_with_the_swap_that_it_takes() -> None:
    report = dataclasses.replace(BARE, memory_mib=961)

    def warnings(**changes: Any) -> list[str]:
        return [each.text for each in findings(report, [], settings_with(**changes), NOW) if each.level == "warning"]

    (text,) = warnings(swap_size_mib=1100)
    assert "2160p" in text and "swap_size_mib = 1520" in text
    assert warnings(swap_size_mib=1520) == []
    assert warnings(swap_size_mib=1100, sidekiq_memory_mib=448) == []


def test_where_the_accounts_name_leads_here_the_proxy_answers_for_it_and_nothing_is_doubtful() -> None:
    here = {"www.example.org": frozenset({"198.51.100.7"}), **answers("198.51.100.7")}
    assert found(BARE, {"web_domain": "www.example.org"}, answers=here) == []


@pytest.mark.parametrize(
    ("installed", "wanted", "unique"),
    [
        ("v4.6.9", "v4.7.0", True),
        ("v4.6.9", "v4.7.60", True),
        ("v4.7.0", "v4.7.60", False),
        ("v4.5.20", "v4.6.9", False),
        ("nightly", "v4.7.60", False),
    ],
)
def test_only_the_upgrade_that_makes_accounts_unique_is_asked_for_duplicates(
    installed: str, wanted: str, unique: bool
) -> None:
    assert makes_addresses_unique(installed, wanted) is unique


@pytest.mark.parametrize(
    ("wanted", "duplicates", "collation", "level", "words"),
    [
        ("v4.7.0", 3, None, "error", "Set a newer patch"),
        ("v4.7.60", 3, None, "warning", "3 accounts of other servers"),
        ("v4.7.60", 0, ("2.36", "2.41"), "error", "tasks/postgres_upgrade.py"),
    ],
)
def test_what_that_upgrade_meets_is_told(
    wanted: str, duplicates: int, collation: tuple[str, str] | None, level: str, words: str
) -> None:
    (finding,) = duplicate_findings(wanted, duplicates, collation)
    assert finding.level == level and words in finding.text
    assert not list(duplicate_findings(wanted, 0, None))


def test_a_move_of_the_database_that_was_cut_off_at_the_switch_is_finished_first() -> None:
    (finding,) = found(CONVERGED, postgres_move="switching")
    assert finding.level == "error" and "tasks/postgres_upgrade.py" in finding.text
    assert found(CONVERGED, postgres_move="stopped") == []


def test_only_a_run_that_moves_the_database_may_have_another_postgresql() -> None:
    report = dataclasses.replace(CONVERGED, postgres="16", postgres_move="switching")
    (switching, refused) = findings(report, OUR_CONTAINERS, settings_with(), NOW)
    assert "tasks/postgres_upgrade.py" in switching.text and "tasks/postgres_upgrade.py" in refused.text
    assert findings(report, OUR_CONTAINERS, settings_with(), NOW, postgres_moves=True) == []


REMOVING: list[tuple[dict[str, Any], str, str]] = [
    # what the server says, part of what is said, what must not be
    ({"removing": ("social.example.org",)}, "rm /var/lib/mstdn/uninstalling, and run this again", "restore.py"),
    ({"removing": ("social.example.org", "data")}, "tasks/restore.py", "rm /var/lib"),
    ({"removing": ("social.example.org",), "installed": {}}, "tasks/restore.py", "rm /var/lib"),
]


@pytest.mark.parametrize(("changes", "said", "not_said"), REMOVING, ids=[str(row[0]) for row in REMOVING])
def test_a_server_that_is_half_uninstalled_is_told_with_both_ways_out_of_it(
    changes: dict[str, Any], said: str, not_said: str
) -> None:
    (finding,) = found(CONVERGED, **changes)
    assert finding.level == "error" and "tasks/uninstall.py --data yes=social.example.org" in finding.text
    assert said in finding.text and not_said not in finding.text
