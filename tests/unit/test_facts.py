"""What the facts make of the lines that their scripts print. The scripts are run in test_scripts.py and e2e."""

from __future__ import annotations

from typing import Any

import pytest
from pyinfra.api import FactBase

from mstdn.assets.facts import Assets, PublishedAssets
from mstdn.checkout.facts import Checkout, GitCheckout
from mstdn.compose.facts import ComposeProject, Container, Project
from mstdn.database.facts import Installed
from mstdn.docker.facts import DockerHost, Engine
from mstdn.files.facts import FileState, FileStates, Tree
from mstdn.images.facts import Builds, ImageBuilds, Images, ImageStates
from mstdn.networks.facts import DockerNetworks, Network
from mstdn.proxy.facts import ProxyReport, Report
from mstdn.secrets.facts import Secrets, SecretStates
from mstdn.sizing.facts import ServerShape, Shape
from mstdn.swap.facts import Swap, SwapState

CASES: list[tuple[FactBase[Any], str, Any]] = [
    (
        FileStates(),
        """\
d 0755 0:0 - /srv/mastodon
entry - - - /srv/mastodon/a file
f 0600 991:991 9f86d081884c7d65 /srv/mastodon/a file
f 01777 0:0 - /tmp
o 0777 0:0 - /etc/resolv.conf
""",
        Tree(
            {
                "/srv/mastodon": FileState("d", "0755", "0:0", "-"),
                "/srv/mastodon/a file": FileState("f", "0600", "991:991", "9f86d081884c7d65"),
                "/tmp": FileState("f", "1777", "0:0", "-"),
                "/etc/resolv.conf": FileState("o", "0777", "0:0", "-"),
            },
            ["/srv/mastodon/a file"],
        ),
    ),
    (
        SwapState(),
        """\
active 262140 /swap
active 1048572 /dev/vda2
file 268435456 600 0
fstab
swappiness 60
persisted 10
""",
        Swap({"/swap": 262140, "/dev/vda2": 1048572}, 268435456, "600", "0", True, "60", "10"),
    ),
    (SwapState(), "swappiness 60\npersisted \n", Swap(swappiness="60")),
    (
        DockerHost(),
        """\
codename debian trixie
architecture amd64
package docker-ce 5:29.1.2-1~debian.13~trixie
package containerd.io 2.2.0-2~debian.13~trixie
fingerprint 9DC858229FC7DD38854AE2D88D81803C0EBFCD88
active active
enabled enabled
started 1763880000
configured 1763880100
members alice,bob
""",
        Engine(
            "debian",
            "trixie",
            "amd64",
            {"docker-ce": "5:29.1.2-1~debian.13~trixie", "containerd.io": "2.2.0-2~debian.13~trixie"},
            ["9DC858229FC7DD38854AE2D88D81803C0EBFCD88"],
            True,
            True,
            1763880000,
            1763880100,
            frozenset({"alice", "bob"}),
        ),
    ),
    (
        DockerHost(),
        "codename ubuntu noble\narchitecture arm64\nactive inactive\nenabled not-found\n",
        Engine("ubuntu", "noble", "arm64"),
    ),
    (DockerHost(), "active failed\nenabled disabled\nmembers \n", Engine(members=frozenset())),
    (
        DockerNetworks(),
        """\
{"name":"front","driver":"bridge","internal":false,"ipv6":true,"attached":"proxy-nginx-1 mstdn-nginx-1 "}
{"name":"back-mstdn","driver":"bridge","internal":true,"ipv6":false,"attached":""}
""",
        {
            "front": Network("bridge", False, True, ("proxy-nginx-1", "mstdn-nginx-1")),
            "back-mstdn": Network("bridge", True, False, ()),
        },
    ),
    (
        GitCheckout(),
        """\
exists
head 1111111111111111111111111111111111111111
wanted 1111111111111111111111111111111111111111
tagged v4.7.6
modified  M app/a file.rb
modified ?? notes
""",
        Checkout(False, "1" * 40, "1" * 40, "v4.7.6", [" M app/a file.rb", "?? notes"]),
    ),
    (GitCheckout(), "switching\nhead \nwanted \ntagged \n", Checkout(switching=True)),
    (
        ImageStates(),
        """\
id postgres:17-trixie sha256:aa
digest postgres:17-trixie postgres@sha256:d1
digest postgres:17-trixie mirror.example.org:5000/postgres@sha256:d2
id built:1 sha256:bb
recorded postgres:17-trixie sha256:d1
""",
        Images(
            {"postgres:17-trixie": "sha256:aa", "built:1": "sha256:bb"},
            {"postgres:17-trixie": {"sha256:d1", "sha256:d2"}},
            {"postgres:17-trixie": "sha256:d1"},
        ),
    ),
    (ImageBuilds(), "built aa-bb\nbuilt \ntree cc\n", Builds(["aa-bb", ""], "cc")),
    (
        SecretStates(),
        """\
database
exists
complete
access 0600 0:0
good SECRET_KEY_BASE
good DB_PASS
damaged VAPID_PRIVATE_KEY
damaged\x20
operator 9f86d081 0600 0:0
differs
""",
        Secrets(
            True,
            True,
            True,
            "0600 0:0",
            {"SECRET_KEY_BASE", "DB_PASS"},
            ["VAPID_PRIVATE_KEY", "a line without a name"],
            "9f86d081",
            "0600 0:0",
            False,
        ),
    ),
    (SecretStates(), "exists\n", Secrets(exists=True, handed_out=True)),
    (
        Installed(),
        "LOCAL_DOMAIN=social.example.org\nMASTODON_VERSION=v4.7.6\nMIGRATIONS=done\nDATABASE=present\n",
        {
            "LOCAL_DOMAIN": "social.example.org",
            "MASTODON_VERSION": "v4.7.6",
            "MIGRATIONS": "done",
            "DATABASE": "present",
        },
    ),
    (
        PublishedAssets(),
        "current v4.7.6-0123456789ab\nprevious v4.7.5-ba9876543210\ncomplete\nimage sha256:0123\n",
        Assets("v4.7.6-0123456789ab", "v4.7.5-ba9876543210", True, "sha256:0123"),
    ),
    (
        ComposeProject(),
        """\
stamp aaaa
stamp\x20
service web running healthy yes
service web exited none no
""",
        Project("aaaa", "", [Container("web", "running", "healthy", True), Container("web", "exited", "none", False)]),
    ),
    (
        ProxyReport(),
        """\
published 198.51.100.7 443 proxy/nginx
published :: 443 proxy/nginx
companion [Sun Nov 23] Creating/renewal social.example.org certificates...
companion\x20
""",
        Report(
            [("198.51.100.7", 443, "proxy/nginx"), ("::", 443, "proxy/nginx")],
            ["[Sun Nov 23] Creating/renewal social.example.org certificates...", ""],
        ),
    ),
    (ServerShape(), "memory 2014084\nipv6\n", Shape(1966, True)),
]


@pytest.mark.parametrize(
    ("fact", "output", "value"),
    CASES,
    ids=[f"{type(fact).__name__} {number}" for number, (fact, _, _) in enumerate(CASES)],
)
def test_a_fact_reads_what_its_script_prints(fact: FactBase[Any], output: str, value: Any) -> None:
    assert fact.process(output.splitlines()) == value


@pytest.mark.parametrize(
    "fact", {type(fact): fact for fact, _, _ in CASES}.values(), ids=lambda fact: type(fact).__name__
)
def test_two_hosts_do_not_share_what_a_fact_says_of_a_bare_server(fact: FactBase[Any]) -> None:
    assert fact.default() == fact.default()
    assert fact.default() is not fact.default()


@pytest.mark.parametrize(
    ("container", "well"),
    [
        (Container("web", "running", "healthy", True), True),
        (Container("web", "running", "none", True), True),
        (Container("web", "running", "starting", True), False),
        (Container("web", "running", "unhealthy", True), False),
        (Container("web", "exited", "none", True), False),
        (Container("web", "running", "healthy", False), False),
    ],
)
def test_a_container_is_well_when_it_runs_healthily_on_the_present_image(container: Container, well: bool) -> None:
    assert container.well is well
